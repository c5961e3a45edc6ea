import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { record } from './output.js';
import { readForLog, readLog, readOutput } from './pages.js';
import type { Log, OutputPage } from './runner.js';

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
    const page: OutputPage = await readOutput(path, undefined, true, from);
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
    const [path, bytes] = [join(folder, 'half'), Buffer.from('aé')];
    const recorder = record(path, 100);
    recorder.write(bytes.subarray(0, 2));
    expect(await readOutput(path, recorder.total, false)).toEqual({ text: 'a', total: 2, next: 1 });
    recorder.write(bytes.subarray(2));
    recorder.close();
    expect(await readOutput(path, recorder.total, true)).toEqual({ text: 'aé', total: 3 });
    expect((await readOutput(recorded(bytes.subarray(0, 2)), 2, true)).text).toBe('a\ufffd');
  });

  test('what is no UTF-8 is replaced', async () => {
    expect((await readOutput(recorded(Buffer.from([0x61, 0xff, 0x62])), undefined, true)).text).toBe('a\ufffdb');
  });

  test('colours, cursor movements, titles and control characters are left out', async () => {
    const path = recorded('\u001b[1;31mred\u001b[0m \u001b]0;title\u0007\u001b[2K\tx\r\n\u0000\b');
    expect((await readOutput(path, undefined, true)).text).toBe('red \tx\r\n');
  });

  test('an escape sequence that comes in pieces is left out all the same', async () => {
    const path = recorded('x\u001b', '[3', '1mred', '\u001b]0;ti', 'tle\u0007.');
    expect((await readOutput(path, undefined, true)).text).toBe('xred.');
  });

  test('at the limit no character is split', async () => {
    const path = join(folder, 'split');
    const recorder = record(path, 4);
    recorder.write(Buffer.from('aéé'));
    recorder.close();
    expect((await readOutput(path, recorder.total, true)).text).toBe('aé');
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

describe('promise 12: the log of a run is bounded', () => {
  const line = (number: number): string => `${String(number).padStart(7, '0')} é\n`;
  const whole = Array.from({ length: 200_000 }, (_, number) => line(number)).join('');
  const size = Buffer.byteLength(whole);

  async function pagesOf(log: Log, start: number): Promise<string> {
    let text = '';
    for (let from: number | undefined = start; from !== undefined; ) {
      const page: OutputPage = await readLog(log, size, from);
      text += page.text;
      from = page.next;
    }
    return text;
  }

  test('a short output is kept whole', async () => {
    const log = await readForLog(recorded('a\n', 'b\n'));
    expect([Buffer.from(log.bytes).toString(), log.cut]).toEqual(['a\nb\n', undefined]);
    expect(await readLog(log, 4)).toEqual({ text: 'a\nb\n', total: 4 });
  });

  test('of a long one head and tail, and a line that says how many bytes are left out between', async () => {
    const path = join(folder, 'long');
    const recorder = record(path, 10_000_000);
    recorder.write(Buffer.from(whole));
    recorder.close();
    const log = await readForLog(path);
    const text = Buffer.from(log.bytes).toString();
    const [, left] = /\[… (\d+) bytes of output are not kept …\]/.exec(text) ?? [];
    expect(log.cut).toEqual({ at: expect.any(Number), bytes: Number(left) });
    expect(log.bytes.length).toBeLessThan(1_050_000);
    expect([text.startsWith(line(0)), text.endsWith(line(199_999))]).toEqual([true, true]);
    expect(Buffer.byteLength(text.replace(/\n\[… .*\]\n/, '')) + Number(left)).toBe(size);

    expect(await pagesOf(log, 0)).toBe(text);
    const { at = 0, bytes = 0 } = log.cut ?? {};
    // Places are those of the output, as whoever followed it knows them.
    expect(await pagesOf(log, at + 5)).toBe(text.slice(text.indexOf('\n[…')));
    expect(await pagesOf(log, at + bytes)).toBe(text.slice(text.indexOf('…]\n') + 3));
    expect(await pagesOf(log, size - Buffer.byteLength(line(0)))).toBe(line(199_999));
    expect((await readLog(log, size)).text).toMatch(
      new RegExp(`^${line(0)}.*bytes left out here.*${line(199_999)}$`, 's'),
    );
  });
});
