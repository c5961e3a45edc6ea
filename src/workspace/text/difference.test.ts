import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import { type DifferenceOptions, difference } from './difference.js';
import { outcomes } from './edits.js';
import { parseDiff } from './parse-diff.js';
import { decodeText, encodeText } from './text.js';

const between = (before: string | null, after: string | null, options: Partial<DifferenceOptions> = {}): string =>
  difference(before === null ? null : encodeText(before), after === null ? null : encodeText(after), {
    path: 'a.ts',
    ...options,
  });

describe('difference', () => {
  test.each([
    ['nothing', 'a\n', 'a\n', ''],
    ['nothing, no file', null, null, ''],
    ['a line', 'a\nb\nc\n', 'a\nx\nc\n', '--- a/a.ts\n+++ b/a.ts\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n'],
    [
      'no final newline',
      'a\nb',
      'a\nb\n',
      '--- a/a.ts\n+++ b/a.ts\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n',
    ],
    ['CRLF', 'a\r\n', 'b\r\n', '--- a/a.ts\n+++ b/a.ts\n@@ -1,1 +1,1 @@\n-a\r\n+b\r\n'],
    [
      'a new file',
      null,
      'a\n',
      'diff --git a/a.ts b/a.ts\nnew file mode 100644\n--- /dev/null\n+++ b/a.ts\n@@ -0,0 +1,1 @@\n+a\n',
    ],
    ['a new empty file', null, '', 'diff --git a/a.ts b/a.ts\nnew file mode 100644\n'],
    [
      'a deleted file',
      'a\n',
      null,
      'diff --git a/a.ts b/a.ts\ndeleted file mode 100644\n--- a/a.ts\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n',
    ],
    ['a deleted empty file', '', null, 'diff --git a/a.ts b/a.ts\ndeleted file mode 100644\n'],
  ])('%s', (_, before, after, text) => {
    expect(between(before, after)).toBe(text);
  });

  test('two hunks, and changes with little between them in one', () => {
    const lines = Array.from({ length: 20 }, (_, i) => `${i + 1}\n`);
    expect(between(lines.join(''), lines.with(4, 'x\n').with(11, 'y\n').join('')).match(/@@.*/g)).toEqual([
      '@@ -2,14 +2,14 @@',
    ]);
    const far = between(lines.join(''), ['0\n', ...lines.with(1, 'x\n').with(17, 'y\n')].join(''), { context: 2 });
    expect(far.match(/@@.*/g)).toEqual(['@@ -1,4 +1,5 @@', '@@ -16,5 +17,5 @@']);
  });

  test('names are quoted and spaces marked as git does', () => {
    expect(between('a\n', 'b\n', { path: 'my file' })).toMatch(/^--- a\/my file\t\n\+\+\+ b\/my file\t\n/);
    expect(between('a\n', 'b\n', { path: 'x\ty' })).toMatch(/^--- "a\/x\\ty"\n/);
  });

  test('binaries', () => {
    const header = 'diff --git a/a.ts b/a.ts\nBinary files differ\n';
    expect(difference(Uint8Array.of(0), encodeText('a'), { path: 'a.ts' })).toBe(header);
    expect(difference(encodeText('a'), Uint8Array.of(0), { path: 'a.ts' })).toBe(header);
    expect(difference(null, Uint8Array.of(0), { path: 'a.ts' })).toBe(header);
    expect(difference(Uint8Array.of(0), null, { path: 'a.ts' })).toBe(header);
    expect(difference(Uint8Array.of(0), Uint8Array.of(0), { path: 'a.ts' })).toBe('');
  });

  test('promise 12: cut where asked', () => {
    const text = between('a\n'.repeat(50), `${'b'.repeat(600)}\n`.repeat(50), { maxLines: 60 });
    const lines = text.split('\n');
    expect(lines).toHaveLength(62);
    expect(lines[60]).toBe('… 43 more lines');
    expect(lines[55]).toHaveLength(501);
    expect(between('a\n', 'b\n', { maxLines: 5 })).not.toContain('more lines');
  });

  test('promise 12: texts too large or too different for comparing are one hunk', () => {
    const shuffled = (step: number): string =>
      Array.from({ length: 20_000 }, (_, i) => `${(i * step) % 19_997}\n`).join('');
    expect(between(`same\n${shuffled(7_919)}`, `same\n${shuffled(3_571)}`).match(/@@.*/g)).toHaveLength(1);
    const long = 'a\n'.repeat(100_001);
    expect(between(`x\n${long}`, `y\n${long}z\n`).match(/@@.*/g)).toEqual(['@@ -1,100002 +1,100003 @@']);
  });
});

describe('a difference, read by parseDiff and applied to the one text, gives the other, or fits in several places', () => {
  const line = fc.constantFrom('a', 'b', 'c', '', ' ', '-- x', '++ y', '@@ z', '\\ n', 'é😀', '*** End Patch');
  const ending = fc.constantFrom('\n', '\n', '\n', '\r\n');
  const mixed = fc.array(
    fc.tuple(line, ending).map(([text, end]) => text + end),
    { maxLength: 14 },
  );
  const crlf = fc.array(
    line.map((text) => `${text}\r\n`),
    { maxLength: 14 },
  );
  const text = fc
    .tuple(fc.constantFrom('', '\ufeff'), fc.oneof(mixed, crlf), fc.constantFrom('', '', 'end', 'a', '\r'))
    .map(([mark, lines, end]) => mark + lines.join('') + end);

  function afterwards(before: string, diff: string): string | null | undefined {
    const operations = parseDiff(diff);
    if (isRefusal(operations)) throw new Error(operations.sentence);
    const files = new Map([['a.ts', { bytes: encodeText(before), version: 'version 1' }]]);
    const result = outcomes(operations, files, new Map());
    if (isRefusal(result) && result.code === 'NO_MATCH' && 'lines' in result.facts) return undefined;
    if (isRefusal(result)) throw new Error(`${result.sentence} ${diff}`);
    const bytes = result[0]?.bytes;
    return bytes === null || bytes === undefined ? null : decodeText(bytes);
  }

  test('changes', () => {
    fc.assert(
      fc.property(text, text, fc.constantFrom(1, 2, 3, 100), (before, after, context) => {
        const diff = between(before, after, { context });
        if (before !== after) expect([after, undefined]).toContain(afterwards(before, diff));
      }),
      { numRuns: 3_000 },
    );
  });

  test('small changes of one text', () => {
    fc.assert(
      fc.property(
        text,
        fc.nat(),
        fc.nat(3),
        fc.constantFrom('', 'x', 'a\n', 'b\r\n'),
        (before, place, length, insert) => {
          const at = place % (before.length + 1);
          const after = before.slice(0, at) + insert + before.slice(at + length);
          if (before === after || /\p{Surrogate}/u.test(after)) return;
          expect([after, undefined]).toContain(afterwards(before, between(before, after)));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('changes of a text whose lines are all different, always', () => {
    const choice = fc.constantFrom('kept', 'gone', 'changed', 'behind');
    fc.assert(
      fc.property(fc.array(choice, { minLength: 1, maxLength: 30 }), fc.constantFrom(1, 2, 3), (choices, context) => {
        const before = choices.map((_, at) => `${at}\n`).join('');
        const young = { kept: (at: number) => `${at}\n`, gone: () => '', changed: (at: number) => `new ${at}\n` };
        const after = choices
          .map((each, at) => (each === 'behind' ? young.kept(at) + young.changed(at) : young[each](at)))
          .join('');
        if (before !== after) expect(afterwards(before, between(before, after, { context }))).toBe(after);
      }),
      { numRuns: 1_000 },
    );
  });

  test('creation and deletion', () => {
    fc.assert(
      fc.property(text, (content) => {
        expect(afterwards(content, between(content, null))).toBeNull();
        const operations = parseDiff(between(null, content));
        const created = isRefusal(operations) ? operations : outcomes(operations, new Map([['a.ts', null]]), new Map());
        expect(created).toEqual([{ path: 'a.ts', bytes: encodeText(content), base: null }]);
      }),
    );
  });
});
