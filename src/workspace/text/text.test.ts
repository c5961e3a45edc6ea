import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeText, encodeText, endingsOf, isWellFormed, splitLines } from './text.js';

describe('hostile inputs 23 and 24: text is told from binary, and its bytes are kept', () => {
  test.each([
    ['a NUL byte', [97, 0, 98]],
    ['invalid UTF-8', [0xc3, 0x28]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a cut character', [0xe2, 0x82]],
  ])('%s is binary', (_, bytes) => {
    expect(decodeText(Uint8Array.from(bytes))).toBeNull();
  });

  test('a byte order mark stays a character', () => {
    expect(decodeText(Uint8Array.from([0xef, 0xbb, 0xbf, 97]))).toBe('\ufeffa');
  });

  test('whatever decodes, encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = decodeText(bytes);
        if (text !== null) expect(encodeText(text)).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeText(encodeText(text))).toBe(text.includes('\0') ? null : text);
      }),
    );
  });

  test('a view into a larger buffer decodes only itself', () => {
    expect(decodeText(new Uint8Array([120, 97, 98, 0]).subarray(1, 3))).toBe('ab');
  });

  test('half a surrogate pair is not well-formed', () => {
    expect(['a😀', 'a\ud83d', '\ude00b'].map(isWellFormed)).toEqual([true, false, false]);
  });
});

describe('lines', () => {
  test.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a\n']],
    ['a\r\n\nb', ['a\r\n', '\n', 'b']],
    ['\n\n', ['\n', '\n']],
  ])('%j splits into lines with their endings', (text, lines) => {
    expect(splitLines(text)).toEqual(lines);
  });

  test.each([
    ['abc', 'none'],
    ['a\rb', 'none'],
    ['a\nb\n', 'lf'],
    ['a\r\nb\r\nc', 'crlf'],
    ['\r\n', 'crlf'],
    ['\na\r\n', 'mixed'],
    ['a\r\nb\n', 'mixed'],
    ['a\r\n\n', 'mixed'],
  ])('%j has endings %s', (text, endings) => {
    expect(endingsOf(text)).toBe(endings);
  });
});
