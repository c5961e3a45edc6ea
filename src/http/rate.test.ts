import { expect, test } from 'vitest';
import { Bucket } from './rate.js';

test('promise 12: a token may ask so much at once, and then so much a second', () => {
  const bucket = new Bucket({ perSecond: 10, burst: 3, concurrent: 1 }, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 0]);
  expect(bucket.take(0)).toBe(100);
  expect(bucket.take(50)).toBe(50);
  expect(bucket.take(100)).toBe(0);
  expect(bucket.take(100)).toBe(100);
  expect(Array.from({ length: 4 }, () => bucket.take(1_000_000) === 0)).toEqual([true, true, true, false]);
});
