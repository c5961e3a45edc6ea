import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalPath, nameKey, parsePath } from './path.js';
import { isRefusal } from './refusal.js';

const hex = (code: number) => `U+${code.toString(16)}`;

describe('promise 9, containment: a path that could leave the root is refused before any disk is touched', () => {
  it.each([
    '../x',
    'a/../../x',
    'a/..',
    '..',
    '/etc/passwd',
    '/',
    '//host/x',
    'C:\\x',
    'C:/x',
    'c:',
    '\\\\host\\x',
    '\\x',
  ])('%s is OUTSIDE', (text) => expect(parsePath(text)).toMatchObject({ refused: true, code: 'OUTSIDE' }));

  it.each([
    ['', 'is empty'],
    ['..\\x', 'backslash'],
    ['a\\b', 'backslash'],
    ['a\0b', 'control'],
    ['a\nb', 'control'],
    [`a/${'n'.repeat(256)}`, '255 bytes'],
    [`a/${'ü'.repeat(128)}`, '255 bytes'],
    ['n/'.repeat(2_049), '4096 bytes'],
    ['a\ud800b', 'invisible'],
  ])('%j is INVALID: it %s', (text, why) => {
    const refusal = parsePath(text);
    expect(refusal).toMatchObject({ code: 'INVALID' });
    expect((refusal as { sentence: string }).sentence).toContain(why);
  });

  it.each(
    [
      0x7f, 0x85, 0xad, 0x34f, 0x61c, 0x115f, 0x180e, 0x200b, 0x200d, 0x200e, 0x2028, 0x202e, 0x2060, 0x2066, 0x3164,
      0xfeff, 0xffa0, 0xe0041,
    ].map((code) => [hex(code), code] as const),
  )('the unseen character %s is refused, and is not printed raw', (_, code) => {
    const char = String.fromCodePoint(code);
    const refusal = parsePath(`src/a${char}.ts`);
    expect(refusal).toMatchObject({ code: 'INVALID', facts: { unit: `\`src/a\\u{${code.toString(16)}}.ts\`` } });
    expect(JSON.stringify(refusal)).not.toContain(char);
  });

  it('a refusal quotes no more than 100 characters', () => {
    expect(parsePath(`/${'x'.repeat(3_000)}`)).toMatchObject({ facts: { unit: `\`/${'x'.repeat(99)}…\`` } });
  });

  it.each([
    'n'.repeat(255),
    'ü'.repeat(127),
    'n/'.repeat(2_048),
    '❤️.svg',
    'a b',
    '...',
    '.gitignore',
    '~x',
    'a:b',
    'x..y',
  ])('%s is a path', (text) => expect(isRefusal(parsePath(text))).toBe(false));
});

describe('a path has one spelling', () => {
  it.each([
    ['./a', 'a', false],
    ['a//b', 'a/b', false],
    ['a/./b', 'a/b', false],
    ['././a/', 'a/', true],
    ['a///', 'a/', true],
    ['a/.', 'a/', true],
    ['.', './', true],
    ['./', './', true],
    ['.//.', './', true],
  ])('%s is %s', (text, canonical, folder) => {
    expect(canonicalPath(text)).toBe(canonical);
    expect(parsePath(text)).toEqual({
      names: canonical.split('/').filter((name) => !['', '.'].includes(name)),
      folder,
    });
  });

  it('the canonical spelling stands for the same path and is its own canonical spelling', () => {
    const messy = fc.array(fc.constantFrom('a', 'b', '.', ''), { minLength: 1 }).map((parts) => `a/${parts.join('/')}`);
    fc.assert(
      fc.property(messy, (text) => {
        const canonical = canonicalPath(text);
        expect(canonicalPath(canonical)).toBe(canonical);
        expect(parsePath(canonical)).toEqual(parsePath(text));
      }),
    );
  });
});

describe('a name is compared by its key', () => {
  it.each([
    ['é', 'e\u0301', false, true],
    ['A', 'a', false, false],
    ['A', 'a', true, true],
    ['straße', 'STRASSE', true, true],
    ['ΑΣ', 'ας', true, true],
    ['σ', 'ς', true, true],
    ['ſ', 's', true, true],
    ['\u212a', 'k', true, true],
    ['É', 'e\u0301', true, true],
    ['❤\ufe0f', '❤', true, true],
    ['❤\ufe0f', '❤', false, false],
    ['a', 'b', true, false],
  ])('%s and %s, folding: %s, same: %s', (a, b, folds, same) => {
    expect(nameKey(a, folds) === nameKey(b, folds)).toBe(same);
  });

  it('folding joins every character with its cases and forms, and folds a key to itself', () => {
    const broken: string[] = [];
    for (let code = 0; code < 0x2_0000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const char = String.fromCodePoint(code);
      const key = nameKey(char, true);
      const same = [char.toLowerCase(), char.toUpperCase(), char.normalize('NFD'), char.normalize('NFC'), key];
      if (same.some((other) => nameKey(other, true) !== key)) broken.push(hex(code));
    }
    expect(broken).toEqual([]);
  });
});
