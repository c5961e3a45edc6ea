import fc from 'fast-check';
import { expect, test } from 'vitest';
import { distance, nearest } from './names.js';

test('the nearest of several near names is meant', () => {
  expect(nearest('new_strin', ['old_string', 'new_string'])).toBe('new_string');
});

test('short names are never guessed', () => {
  expect(nearest('cmd', ['cwd', 'env', 'id'])).toBeUndefined();
  expect(nearest('session_id', ['id'])).toBeUndefined();
});

test('an endless name is near to nothing', () => {
  expect(nearest('path'.repeat(1_000_000), ['path'])).toBeUndefined();
});

test.each([
  ['title', 'titel', 1],
  ['path', 'pathes', 2],
  ['', 'abc', 3],
  ['abcd', 'badc', 2],
])('%s and %s are %i apart', (a, b, apart) => {
  expect(distance(a, b)).toBe(apart);
});

test('the distance is the same both ways, and none only to itself', () => {
  const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(distance(a, b)).toBe(distance(b, a));
      expect(distance(a, b) === 0).toBe(a === b);
      expect(distance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
