import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leftOut, type Step } from './left-out.js';

const bytes = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text));

/** The changes that lead from one text to the next, each by somebody. */
function history(first: string | null, ...next: readonly (readonly [by: string | null, text: string | null])[]) {
  let before = first;
  return next.map(([by, after]): Step => {
    const step = { by, before: bytes(before), after: bytes(after) };
    before = after;
    return step;
  });
}

async function without(by: string, first: string | null, steps: readonly Step[]) {
  const rest = await leftOut(
    bytes(first),
    steps.filter((step) => step.by !== by),
  );
  return { text: rest.bytes === null ? null : Buffer.from(rest.bytes).toString(), builtOn: rest.builtOn };
}

describe('a file without what a scope changed', () => {
  test.each<[string, string | null, [string | null, string | null][], string | null, (string | null)[]]>([
    ['is as before, where nobody else changed it', 'a\n', [['S1', 'b\n']], 'a\n', []],
    ['keeps the lines of others', '1\n2\n3\n', [['S1', 'x\n2\n3\n'], ['S2', 'x\n2\ny\n']], '1\n2\ny\n', []], // biome-ignore format: one case a line
    [
      'gives back what the scope had replaced of others',
      '1\n2\n3\n',
      [
        ['S2', 'x\n2\n3\n'],
        ['S1', 'y\n2\n3\n'],
      ],
      'x\n2\n3\n',
      [],
    ],
    ['is not there, where the scope made it', null, [['S1', 'a\n']], null, []],
    ['is there, where the scope took it away', 'a\n', [['S1', null]], 'a\n', []],
    [
      'cannot be told where the same lines were changed again',
      'a\n',
      [
        ['S1', 'b\n'],
        ['S2', 'c\n'],
      ],
      'a\n',
      ['S2'],
    ],
    [
      'nor where a file of the scope was changed',
      null,
      [
        ['S1', 'a\n'],
        ['S2', 'a\nb\n'],
      ],
      null,
      ['S2'],
    ],
    [
      'nor where somebody did that outside',
      'a\n',
      [
        ['S1', 'b\n'],
        [null, 'c\n'],
      ],
      'a\n',
      [null],
    ],
    [
      'names those too who built on others that built on it',
      'a\n',
      [
        ['S1', 'b\n'],
        ['S2', 'c\n'],
        ['S3', 'd\n'],
      ],
      'a\n',
      ['S2', 'S3'],
    ],
    [
      'keeps what somebody wrote anew when it was gone',
      'a\n',
      [
        ['S1', 'a\nx\n'],
        ['S2', 'a\n'],
        ['S3', 'a\nx\n'],
      ],
      'a\nx\n',
      [],
    ],
    [
      'is the same, where others changed it back',
      'a\n',
      [
        ['S1', 'b\n'],
        ['S2', 'a\n'],
      ],
      'a\n',
      [],
    ],
  ])('%s', async (_, first, changes, text, builtOn) => {
    expect(await without('S1', first, history(first, ...changes))).toEqual({ text, builtOn });
  });
});

/** An edit of a list of lines: some lines go, and new ones come, each with a text that was never there before. */
const edit = fc.record({
  by: fc.constantFrom('S1', 'S2', 'S3'),
  at: fc.nat(30),
  gone: fc.nat(3),
  come: fc.nat(3),
});

test('it has no line that only the scope wrote, and every line of others that is there now, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(20), fc.array(edit, { maxLength: 12 }), async (size, edits) => {
      let lines = Array.from({ length: size }, (_, at) => `before ${at}\n`);
      const first = lines.join('');
      const texts = edits.map(({ by, at, gone, come }, number): [string, string] => {
        const from = at % (lines.length + 1);
        const fresh = Array.from({ length: come }, (_, line) => `${by} wrote ${number}.${line}\n`);
        lines = [...lines.slice(0, from), ...fresh, ...lines.slice(from + gone)];
        return [by, lines.join('')];
      });
      const { text, builtOn } = await without('S1', first, history(first, ...texts));
      expect(builtOn).not.toContain('S1');
      if (builtOn.length > 0) return;
      expect(text).not.toMatch(/^S1 /m);
      const rest = (text ?? '').split(/(?<=\n)/);
      let at = 0;
      for (const line of lines.filter((other) => !other.startsWith('S1 '))) {
        at = rest.indexOf(line, at) + 1;
        expect(at, `${line} of ${text}`).toBeGreaterThan(0);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('with nobody left out it is the present file', async () => {
  const text = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n'), { maxLength: 6 }).map((lines) => lines.join(''));
  const some = fc.option(text);
  await fc.assert(
    fc.asyncProperty(some, fc.array(some), async (first, texts) => {
      const steps = history(first, ...texts.map((after): [string, string | null] => ['S1', after]));
      const present = steps.length > 0 ? (steps.at(-1)?.after ?? null) : bytes(first);
      expect(await leftOut(bytes(first), steps)).toEqual({ bytes: present, builtOn: [] });
    }),
  );
});
