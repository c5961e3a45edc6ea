import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replace } from './replace.js';

const LIMIT = 1_000;
const once = (text: string, old: string, young: string) => replace(text, { old, new: young, all: false }, LIMIT);
const all = (text: string, old: string, young: string) => replace(text, { old, new: young, all: true }, LIMIT);

describe('old_string must match exactly and once', () => {
  test.each([
    ['in the middle', 'abc', 'b', 'x', 'axc'],
    ['special characters are only characters', 'a$&b', '$&', "$'$1", "a$'$1b"],
    ['a removal', 'a\nb\n', 'b\n', '', 'a\n'],
    ['behind a byte order mark', '\ufeffa\nb', 'a\n', 'x\n', '\ufeffx\nb'],
    ['no final newline stays none', 'a\nb', 'b', 'c', 'a\nc'],
  ])('%s', (_, text, old, young, result) => {
    expect(once(text, old, young)).toEqual({ text: result, places: 1 });
  });

  test('nothing like it is taken for it', () => {
    for (const text of ['', 'A b', 'a  b', 'a\tb', 'a\nb', 'a\u00a0b']) {
      expect(once(text, 'a b', 'x')).toEqual({ kind: 'none' });
    }
    expect(all('abc', 'x', 'y')).toEqual({ kind: 'none' });
  });

  test('several places are named by line, overlapping ones too, and at most 20', () => {
    expect(once('a\nb\na a\n', 'a', 'x')).toEqual({ kind: 'several', lines: [1, 3, 3], more: false });
    expect(once('\naaa', 'aa', 'x')).toEqual({ kind: 'several', lines: [2, 2], more: false });
    expect(once('\n\n\n', '\n', 'x')).toEqual({ kind: 'several', lines: [1, 2, 3], more: false });
    const many = once('a\n'.repeat(21), 'a', 'x');
    expect(many).toEqual({ kind: 'several', lines: Array.from({ length: 20 }, (_, i) => i + 1), more: true });
  });

  test('replace_all replaces every place from the left', () => {
    expect(all('aXbXc', 'X', '$&')).toEqual({ text: 'a$&b$&c', places: 2 });
    expect(all('aaa', 'aa', 'b')).toEqual({ text: 'ba', places: 1 });
  });
});

describe('promise 12: results are bounded before they are built', () => {
  test('a result that is too long', () => {
    expect(once('a', 'a', 'x'.repeat(LIMIT))).toHaveProperty('text');
    expect(once('a', 'a', 'x'.repeat(LIMIT + 1))).toEqual({ kind: 'too_large' });
    expect(all('a'.repeat(100), 'a', 'x'.repeat(11))).toEqual({ kind: 'too_large' });
  });

  test('more than a million places', () => {
    expect(replace('a'.repeat(1_000_001), { old: 'a', new: 'b', all: true }, 2_000_000)).toEqual({ kind: 'too_large' });
  });
});

describe('line endings', () => {
  test.each([
    ['LF is read as CRLF in a CRLF file', 'a\r\nb\r\nc\r\n', 'a\nb', 'x\ny\nz', 'x\r\ny\r\nz\r\nc\r\n'],
    ['a single line that becomes two stays CRLF', 'a\r\nb\r\n', 'b', 'b\nc', 'a\r\nb\r\nc\r\n'],
    ['CRLF in the new text is not doubled', 'a\r\nb\r\n', 'b', 'b\r\nc\n', 'a\r\nb\r\nc\r\n\r\n'],
    ['a leading LF', 'a\r\nb', '\nb', '\nc', 'a\r\nc'],
    ['an old text with CR is literal', 'a\r\nb\r\n', 'a\r\n', 'a\n', 'a\nb\r\n'],
    ['a lone CR in the old text is literal', 'a\rb\r\n', 'a\rb', 'x\ny', 'x\ny\r\n'],
    ['mixed files are literal', 'a\r\nb\nc', 'b\n', 'x\n', 'a\r\nx\nc'],
    ['LF files are literal', 'a\nb', 'a\n', 'x\r\n', 'x\r\nb'],
  ])('%s', (_, text, old, young, result) => {
    expect(once(text, old, young)).toEqual({ text: result, places: 1 });
  });

  test('nothing else is converted', () => {
    expect(once('a\r\nb\nc', 'a\nb', 'x')).toEqual({ kind: 'none' });
    expect(once('a\nb', 'a\r\nb', 'x')).toEqual({ kind: 'none' });
  });
});

test('replacing never changes bytes outside the match', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r\n', '\r', '\ufeff', '$', '😀') });
  fc.assert(
    fc.property(
      part,
      fc.string({ minLength: 1 }).map((text) => `<${text}>`),
      part,
      part,
      (head, old, young, tail) => {
        const result = once(head + old + tail, old, young);
        if (!('text' in result)) throw new Error('the text is there once');
        expect(result.text.startsWith(head)).toBe(true);
        expect(result.text.endsWith(tail)).toBe(true);
        expect(result.text.slice(head.length, result.text.length - tail.length).replaceAll('\r', '')).toBe(
          young.replaceAll('\r', ''),
        );
      },
    ),
  );
});
