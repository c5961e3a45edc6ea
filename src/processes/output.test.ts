import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { readOutput, record } from './output.js';

const folder = mkdtempSync('/tmp/signalbox-output-');
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;

function recorded(...chunks: (Buffer | string)[]): string {
  const path = join(folder, String(count++));
  const recorder = record(path, 1_000_000);
  for (const chunk of chunks) recorder.write(Buffer.from(chunk));
  recorder.close();
  return path;
}

async function pages(path: string): Promise<string> {
  let text = '';
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page = await readOutput(path, undefined, true, from);
    expect(page.next ?? from + 1).toBeGreaterThan(from);
    text += page.text;
    from = page.next;
  }
  return text;
}

describe('promise 12: output is bounded', () => {
  test('a short one is shown whole', async () => {
    expect(await readOutput(recorded('a\n', 'b\n'), undefined, true)).toEqual({ text: 'a\nb\n', total: 4 });
  });

  test('a long one: head and tail, and between them what is left out and where to read on', async () => {
    const path = recorded('é'.repeat(30_000));
    const { text, total, next } = await readOutput(path, undefined, true);
    expect([total, next]).toEqual([60_000, undefined]);
    expect(text).toBe(
      `${'é'.repeat(4_000)}\n[… 44000 bytes left out here, 8000 to 52000; read on with from: 8000 …]\n${'é'.repeat(4_000)}`,
    );
  });

  test('while it runs, every page says where to go on', async () => {
    expect(await readOutput(recorded('abc'), undefined, false)).toEqual({ text: 'abc', total: 3, next: 3 });
    expect(await readOutput(recorded('abc'), undefined, false, 3)).toEqual({ text: '', total: 3, next: 3 });
    expect(await readOutput(recorded('x'.repeat(20_000)), undefined, false)).toMatchObject({ next: 20_000 });
    expect(await readOutput(recorded('abc'), undefined, false, 99)).toEqual({ text: '', total: 3, next: 3 });
  });

  test('past the limit nothing is kept, and everything is counted', async () => {
    const path = join(folder, 'limited');
    const recorder = record(path, 5);
    expect(recorder.write(Buffer.from('1234'))).toBe(true);
    expect(recorder.write(Buffer.from('5678'))).toBe(false);
    expect(recorder.write(Buffer.from('9'))).toBe(false);
    recorder.close();
    expect(await readOutput(path, recorder.total, true)).toEqual({ text: '12345', total: 9 });
  });
});

describe('output is text', () => {
  test('a character that is half printed waits for its other half', async () => {
    const bytes = Buffer.from('aé');
    expect(await readOutput(recorded(bytes.subarray(0, 2)), undefined, false)).toEqual({
      text: 'a',
      total: 2,
      next: 1,
    });
    expect(await readOutput(recorded(bytes.subarray(0, 2)), undefined, true)).toEqual({ text: 'a\ufffd', total: 2 });
  });

  test('what is no UTF-8 is replaced', async () => {
    expect((await readOutput(recorded(Buffer.from([0x61, 0xff, 0x62])), undefined, true)).text).toBe('a\ufffdb');
  });

  test('colours, cursor movements, titles and control characters are left out', async () => {
    const path = recorded('\u001b[1;31mred\u001b[0m \u001b]0;title\u0007\u001b[2K\tx\r\n\u0000\b');
    expect((await readOutput(path, undefined, true)).text).toBe('red \tx\r\n');
  });

  test('an escape sequence is not split between pages', async () => {
    const path = recorded(`${'x'.repeat(15_997)}\u001b[31mred`);
    const page = await readOutput(path, undefined, true, 0);
    expect([page.text.length, page.next]).toEqual([15_997, 15_997]);
    expect((await readOutput(path, undefined, true, page.next)).text).toBe('red');
  });

  test('pages together are the whole, wherever characters fall', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), async (piece) => {
        const plain = piece.replace(/\p{Cc}/gu, '.');
        const whole = plain.repeat(Math.ceil(40_000 / Buffer.byteLength(plain)));
        expect(await pages(recorded(whole))).toBe(whole);
      }),
      { numRuns: 30 },
    );
  });
});
