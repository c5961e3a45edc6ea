import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findText } from './find-text.js';

// Two letters only, and few different runs of them, make texts with many half matches.
const letters = (most: number): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.constantFrom('a', 'b', 'ab', 'aab'), fc.integer({ min: 1, max: 60 })), { maxLength: most })
    .map((runs) => runs.map(([letter, count]) => letter.repeat(count)).join(''));

describe('findText', () => {
  test('finds what indexOf finds', () => {
    fc.assert(
      fc.property(letters(12), letters(4), fc.nat(50), (text, wanted, from) => {
        expect(findText(text, wanted, from)).toBe(text.indexOf(wanted, from));
      }),
      { numRuns: 500 },
    );
  });

  test('finds each part of a repetitive text', () => {
    fc.assert(
      fc.property(letters(12), fc.nat(300), fc.integer({ min: 60, max: 300 }), (text, start, length) => {
        const wanted = text.slice(start, start + length);
        expect(findText(text, wanted)).toBe(text.indexOf(wanted));
      }),
      { numRuns: 500 },
    );
  });

  test('promise 12: a text that would take V8 minutes is searched in linear time', () => {
    const text = 'a'.repeat(2_000_000);
    const half = 'a'.repeat(500_000);
    expect(findText(text, `${half}b${half}`)).toBe(-1);
    expect(findText(`${text}b${half}`, `${half}b${half}`)).toBe(1_500_000);
  });
});
