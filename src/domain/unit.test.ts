import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from './refusal.js';
import { parseUnit, type UnitKind } from './unit.js';

describe('a unit has one text', () => {
  it.each<[string, UnitKind, string]>([
    ['src/a.ts', 'file', 'src/a.ts'],
    ['./src//a.ts', 'file', 'src/a.ts'],
    ['src/auth/', 'folder', 'src/auth/'],
    ['src/./auth//', 'folder', 'src/auth/'],
    ['src/.', 'folder', 'src/'],
    ['.', 'folder', './'],
    ['./', 'folder', './'],
    ['src/**/*.sql', 'glob', 'src/**/*.sql'],
    ['./src//**/./*.sql', 'glob', 'src/**/*.sql'],
    ['src/*/', 'glob', 'src/*/'],
    ['{a,./b}/c', 'glob', '{a,./b}/c'],
    ['app/[slug]/page.tsx', 'glob', 'app/[slug]/page.tsx'],
    ['process:build', 'process', 'process:build'],
    ['process:a.b_c:d-1', 'process', 'process:a.b_c:d-1'],
    ['x/process:build', 'file', 'x/process:build'],
    ['e\u0301.ts', 'file', 'e\u0301.ts'],
  ])('%s is the %s %s', (given, kind, text) => {
    for (const folds of [false, true]) {
      expect(parseUnit(given, folds)).toMatchObject({ kind, text, folds });
      expect(parseUnit(text, folds)).toEqual(parseUnit(given, folds));
    }
  });

  it('reading a canonical text again gives the same unit, and no text at all throws', () => {
    const piece = fc.constantFrom(
      'a',
      'B',
      '/',
      '.',
      '*',
      '?',
      '[',
      ']',
      '{',
      '}',
      ',',
      '!',
      '-',
      'é',
      ':',
      '\\',
      '\0',
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    );
    let read = 0;
    fc.assert(
      fc.property(text, fc.boolean(), (given, folds) => {
        const unit = parseUnit(given, folds);
        if (isRefusal(unit)) return;
        read++;
        expect(parseUnit(unit.text, folds)).toEqual(unit);
      }),
      { numRuns: 2_000 },
    );
    expect(read).toBeGreaterThan(200);
  });
});

describe('promise 9, containment: what leaves the root is no unit', () => {
  it.each([
    '../a',
    'src/../../a',
    'src/../a',
    '/etc/',
    '/**',
    'C:\\x',
    '../**',
    '*/../..',
    '{a,../b}',
    '{.,.}./x',
    '{a,/b}',
    '{,a}/b',
  ])('%s is OUTSIDE', (text) => expect(parseUnit(text)).toMatchObject({ refused: true, code: 'OUTSIDE' }));
});

describe('promise 12, bounded: a unit that is no path or costs too much is refused', () => {
  it.each([
    ['', 'empty'],
    ['a\\*', 'backslash'],
    ['*\u202e', 'invisible'],
    ['{a,}', 'empty'],
    ['process:', 'no process'],
    ['process:a/b', 'no process'],
    ['process:a b', 'no process'],
    [`process:${'a'.repeat(65)}`, 'no process'],
    ['./process:build', 'taken for a process'],
    ['process:/*', 'no process'],
    [`${'n'.repeat(256)}/*`, '255 bytes'],
    ['a'.repeat(4_097), '4096 bytes'],
    [`{${'a,'.repeat(32)}a}`, '32 alternatives'],
    ['{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}', '32 alternatives'],
    ['*/'.repeat(129), '128 wildcards'],
    ['{a,b,c}'.padEnd(150, '?'), '128 wildcards'],
    ['{'.repeat(129), '128 braces'],
  ])('%j is INVALID: %s', (text, why) => {
    const refusal = parseUnit(text);
    expect(refusal).toMatchObject({ refused: true, code: 'INVALID' });
    expect((refusal as { sentence: string }).sentence).toContain(why);
  });

  it.each([
    `{${'a,'.repeat(31)}a}`,
    '*/'.repeat(128),
    `process:${'a'.repeat(64)}`,
    `src/{${'abcdefghijk,'.repeat(31)}l}/*`,
  ])('%s is still a unit', (text) => expect(isRefusal(parseUnit(text))).toBe(false));

  it('units read lately are remembered, the others forgotten', () => {
    const first = parseUnit('remembered/a.ts');
    expect(parseUnit('remembered/a.ts')).toBe(first);
    expect(parseUnit('remembered/a.ts', true)).not.toBe(first);
    const fill = (from: number) => {
      for (let n = from; n < from + 300; n++) parseUnit(`${'filler/'.repeat(500)}${n}`);
    };
    fill(0);
    expect(parseUnit('remembered/a.ts'), 'asked for again in time').toBe(first);
    fill(1_000);
    expect(parseUnit('remembered/a.ts'), 'asked for again in time').toBe(first);
    fill(2_000);
    fill(3_000);
    const again = parseUnit('remembered/a.ts');
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });
});
