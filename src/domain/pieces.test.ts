import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isWithin, type Pieces, withItem, withoutItem } from './pieces.js';

const order = (a: number, b: number) => a - b;
const grown = (items: readonly number[]) =>
  items.reduce<Pieces<number>>((pieces, item) => withItem(pieces, item, order), []);

test('what was added in any order and taken out again is a list in order, in pieces of bounded size', () => {
  const numbers = fc.uniqueArray(fc.nat(2_000), { maxLength: 600, size: 'max' });
  fc.assert(
    fc.property(numbers, fc.nat(600), (items, kept) => {
      const gone = items.slice(kept);
      const pieces = gone.reduce<Pieces<number>>((all, item) => withoutItem(all, item, order), grown(items));
      expect(pieces.flat()).toEqual(items.slice(0, kept).sort(order));
      expect(pieces.filter(({ length }) => length === 0 || length > 128)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test('a change copies one piece, and what was stays as it was', () => {
  const items = Array.from({ length: 10_000 }, (_, at) => at * 2);
  const pieces = grown(items);
  const changed = withoutItem(withItem(pieces, 5_001, order), 5_002, order);
  expect(pieces.flat()).toEqual(items);
  expect(changed.filter((piece) => !pieces.includes(piece)).length).toBeLessThanOrEqual(2);
  expect(pieces.length).toBeLessThan(200);
});

test('what a list has lost is told from what it has gained', () => {
  const [two, three] = [{ at: 2 }, { at: 3 }];
  const byPlace = (a: { at: number }, b: { at: number }) => a.at - b.at;
  const items = Array.from({ length: 1_000 }, (_, at) => ({ at: at * 10 }));
  const add = (pieces: Pieces<{ at: number }>, item: { at: number }) => withItem(pieces, item, byPlace);
  const all = items.reduce(add, []);
  const less = items.slice(300, 500).reduce((pieces, item) => withoutItem(pieces, item, byPlace), all);
  expect([isWithin(all, all), isWithin(less, all), isWithin([], all), isWithin(all, less)]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(isWithin(add(less, two), all)).toBe(false);
  expect(isWithin(withoutItem(add(less, two), two, byPlace), all)).toBe(true);
  // Another item in the place of one that was there is news too.
  expect(isWithin(add(all, { at: 3 }), add(all, three))).toBe(false);
});
