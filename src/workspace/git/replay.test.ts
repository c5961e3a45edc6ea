import { describe, expect, it } from 'vitest';
import { replay } from './replay.js';
import { bytes, merge } from './world.testsuite.js';

function replayed(
  start: string | null,
  ...steps: readonly (readonly [string | null, string | null])[]
): string | null | undefined {
  const made = steps.map(([before, after]) => ({ before: bytes(before), after: bytes(after) }));
  const result = replay(bytes(start), made, merge);
  return result instanceof Uint8Array ? Buffer.from(result).toString() : result;
}

describe("a scope's steps replayed on committed content", () => {
  it('are its last content where nobody else changed anything', () => {
    expect(replayed('a', ['a', 'b'], ['b', 'c'])).toBe('c');
    expect(replayed(null, [null, 'a'], ['a', 'b'])).toBe('b');
    expect(replayed('a', ['a', null])).toBeNull();
    expect(replayed('a')).toBe('a');
  });

  it('leave the lines of others out, before, between and after', () => {
    expect(
      replayed('1\n2\n3\n4\n5\n', ['1\n2\n3\n4\nX\n', 'A\n2\n3\n4\nX\n'], ['A\n2\nY\n4\nX\n', 'B\n2\nY\n4\nX\n']),
    ).toBe('B\n2\n3\n4\n5\n');
  });

  it('are not made twice', () => {
    expect(replayed('b', ['a', 'b'], ['b', 'c'])).toBe('c');
    expect(replayed('c', ['a', 'b'], ['b', 'c'])).toBe('c');
    expect(replayed(null, ['a', null])).toBeNull();
    expect(replayed('a', ['x', 'a'], ['a', 'b'], ['b', 'a'], ['a', 'z'])).toBe('z');
  });

  it('count as their net change where nobody came between', () => {
    expect(replayed('1\n2\n3\n', ['1\nX\n3\n', '1\nX+\n3\n'], ['1\nX+\n3\n', '1\nX\n3\n'])).toBe('1\n2\n3\n');
  });

  it('do not fit where the same lines differ, or a file is missing that was changed', () => {
    expect(replayed('1\n', ['2\n', '3\n'])).toBeUndefined();
    expect(replayed(null, ['2\n', '3\n'])).toBeUndefined();
    expect(replayed('1\n', ['2\n', null])).toBeUndefined();
    expect(replayed('1\n', [null, '3\n'])).toBeUndefined();
    expect(replayed('\0a', ['\0b', '\0c'])).toBeUndefined();
  });
});
