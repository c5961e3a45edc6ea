import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteName, readName } from './diff-names.js';

describe('names in diff headers', () => {
  test.each([
    ['src/a.ts', 'src/a.ts'],
    ['src/é 😀.ts', 'src/é 😀.ts'],
    ['a"b', '"a\\"b"'],
    ['a\\b', '"a\\\\b"'],
    ['é\n', '"\\303\\251\\n"'],
    ['\u0001\t\r\u007f', '"\\001\\t\\r\\177"'],
  ])('%j is written %s', (name, quoted) => {
    expect(quoteName(name)).toBe(quoted);
    expect(readName(quoted)).toEqual({ name, rest: '' });
  });

  test('a tab ends a name; what is behind it is a date', () => {
    expect(readName('a b.ts\t2026-01-01')).toEqual({ name: 'a b.ts', rest: '\t2026-01-01' });
    expect(readName('"a b" "c"')).toEqual({ name: 'a b', rest: ' "c"' });
  });

  test.each(['"open', '"a\\q"', '"\\777"', '"\\303("', `${'a'.repeat(20_001)}`])('%.20s is broken', (text) => {
    expect(readName(text)).toBeNull();
  });

  test('each name comes back', () => {
    const names = fc.string({ unit: 'grapheme' }).filter((name) => !name.includes('\0'));
    fc.assert(
      fc.property(names, (name) => {
        expect(readName(quoteName(name))).toEqual({ name, rest: '' });
      }),
    );
  });
});
