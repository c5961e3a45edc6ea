import { describe, expect, test } from 'vitest';
import { invalid, type Operation, pathsOf, placeOf, withPaths } from './operation.js';

const OPERATIONS: Operation[] = [
  { source: { edit: 1 }, path: './a', moveTo: 'b' },
  { source: { edit: 2 }, path: 'b', delete: true },
];

describe('hostile input 26: both sides of a move are paths of the patch', () => {
  test('pathsOf names each once', () => {
    expect(pathsOf(OPERATIONS)).toEqual(['./a', 'b']);
  });

  test('withPaths puts canonical paths in their place', () => {
    const canonical = new Map([
      ['./a', 'a'],
      ['b', 'real/b'],
    ]);
    expect(withPaths(OPERATIONS, canonical)).toEqual([
      { source: { edit: 1 }, path: 'a', moveTo: 'real/b' },
      { source: { edit: 2 }, path: 'real/b', delete: true },
    ]);
    expect(() => withPaths(OPERATIONS, new Map([['b', 'b']]))).toThrow('./a');
  });
});

test('places are named as the agent gave them', () => {
  expect([placeOf({ edit: 2 }), placeOf({ diffLine: 14 })]).toEqual(['edit 2', 'line 14 of the diff']);
  const wrong = { argument: 'diff', expected: 'x', got: 'y', next: 'Do z.' };
  expect(invalid({ diffLine: 3 }, wrong)).toMatchObject({
    sentence: 'diff in line 3 of the diff: expected x, got y.',
    facts: { diff_line: 3 },
  });
});
