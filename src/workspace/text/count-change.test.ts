import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countChange } from './count-change.js';
import { lineChanges } from './line-changes.js';
import { encodeText, splitLines } from './text.js';

const count = (before: string, after: string) => countChange(encodeText(before), encodeText(after));

describe('countChange', () => {
  test.each([
    ['nothing', 'a\nb\n', 'a\nb\n', 0, 0],
    ['one line changed', 'a\nb\nc\n', 'a\nx\nc\n', 1, 1],
    ['a line inserted', 'a\nc\n', 'a\nb\nc\n', 1, 0],
    ['a line like its neighbour inserted', 'a\na\n', 'a\na\na\n', 1, 0],
    ['a line removed', 'a\nb\nc\n', 'a\nc\n', 0, 1],
    ['two places', 'a\nb\nc\nd\ne\n', 'a\nx\nc\ny\ne\n', 2, 2],
    ['a final newline added', 'a\nb', 'a\nb\n', 1, 1],
    ['a line added behind one without newline', 'a', 'a\nb', 2, 1],
    ['a prefix on the first line', 'x\n', 'yx\n', 1, 1],
    ['CRLF for LF', 'a\nb\n', 'a\r\nb\r\n', 2, 2],
    ['all of it', 'a\nb\n', '', 0, 2],
  ])('%s', (_, before, after, added, removed) => {
    expect(count(before, after)).toEqual({ added, removed });
  });

  test('null stands for no file', () => {
    expect(countChange(null, encodeText('a\nb'))).toEqual({ added: 2, removed: 0 });
    expect(countChange(encodeText('a\n'), null)).toEqual({ added: 0, removed: 1 });
    expect(countChange(null, null)).toEqual({ added: 0, removed: 0 });
  });

  test('counts what lineChanges finds, and never disagrees with the growth in lines', () => {
    const text = fc
      .array(fc.constantFrom('a\n', 'b\n', 'ab\n', '\n', 'é\r\n', 'c'), { maxLength: 15 })
      .map((lines) => lines.join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const changes = lineChanges(splitLines(before), splitLines(after)) ?? [];
        const { added, removed } = count(before, after);
        expect(added).toBe(changes.reduce((sum, change) => sum + change.newTo - change.newFrom, 0));
        expect(removed).toBe(changes.reduce((sum, change) => sum + change.to - change.from, 0));
      }),
      { numRuns: 500 },
    );
  });

  test('beyond 200 kB lines are only counted: moved ones as unchanged, repeated ones as often as they are there', () => {
    const filler = Array.from({ length: 30_000 }, (_, i) => `line ${i}\n`).join('');
    expect(count(`one\n${filler}two\n`, `two\n${filler}one\none\n`)).toEqual({ added: 1, removed: 0 });
    expect(count(`one\n${filler}two\n`, `1\n${filler}2\n`)).toEqual({ added: 2, removed: 2 });
  });

  test('binaries can be counted too', () => {
    expect(countChange(Uint8Array.of(0, 10, 255), Uint8Array.of(0, 10, 254))).toEqual({ added: 1, removed: 1 });
  });
});
