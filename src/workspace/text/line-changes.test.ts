import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coarseChange, type LineChange, lineChanges } from './line-changes.js';

const list = fc.array(fc.constantFrom('a', 'b', 'c', 'd', '', 'e'), { maxLength: 30 });

function applied(before: readonly string[], after: readonly string[], changes: readonly LineChange[]): string[] {
  const lines: string[] = [];
  let at = 0;
  for (const { from, to, newFrom, newTo } of changes) {
    lines.push(...before.slice(at, from), ...after.slice(newFrom, newTo));
    at = to;
  }
  return [...lines, ...before.slice(at)];
}

describe('lineChanges', () => {
  test.each([
    ['equal', 'abc', 'abc', []],
    ['inserted', 'ac', 'abc', [{ from: 1, to: 1, newFrom: 1, newTo: 2 }]],
    ['removed', 'abc', 'ac', [{ from: 1, to: 2, newFrom: 1, newTo: 1 }]],
    [
      'one of its own lines between',
      'abcd',
      'xbcy',
      [
        { from: 0, to: 1, newFrom: 0, newTo: 1 },
        { from: 3, to: 4, newFrom: 3, newTo: 4 },
      ],
    ],
    ['nothing in common', 'abc', 'xy', [{ from: 0, to: 3, newFrom: 0, newTo: 2 }]],
    [
      'moved',
      'abcx',
      'xabc',
      [
        { from: 0, to: 0, newFrom: 0, newTo: 1 },
        { from: 3, to: 4, newFrom: 4, newTo: 4 },
      ],
    ],
  ])('%s', (_, before, after, changes) => {
    expect(lineChanges([...before], [...after])).toEqual(changes);
  });

  test('the changes turn one list into the other, in order, with a common line between two of them', () => {
    fc.assert(
      fc.property(list, list, (before, after) => {
        const changes = lineChanges(before, after) ?? [];
        expect(applied(before, after, changes)).toEqual(after);
        expect(changes.every(({ from }, index) => index === 0 || from > Number(changes[index - 1]?.to))).toBe(true);
        expect(applied(before, after, [coarseChange(before, after)])).toEqual(after);
      }),
      { numRuns: 500 },
    );
  });

  test('promise 12: 20,000 equal lines are compared, and shuffled ones are given up, in bounded time', () => {
    const same = Array.from({ length: 20_000 }, () => 'x');
    expect(lineChanges(same, same.with(9, 'y').with(10_000, 'z'))).toHaveLength(2);
    const shuffled = (step: number): string[] => Array.from({ length: 20_000 }, (_, i) => `${(i * step) % 19_997}`);
    expect(lineChanges(shuffled(7_919), shuffled(3_571))).toBeNull();
  });

  test('a rewritten file is compared however large it is', () => {
    const lines = (name: string): string[] =>
      Array.from({ length: 20_000 }, (_, i) => (i % 10_000 === 5 ? 'kept' : `${name}${i}`));
    expect(lineChanges(lines('a'), lines('b'))).toHaveLength(3);
  });
});
