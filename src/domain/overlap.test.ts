import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, includes, overlaps } from './overlap.js';
import { isRefusal } from './refusal.js';
import { parseUnit, type Unit } from './unit.js';

function unit(text: string, folds = false): Unit {
  const read = parseUnit(text, folds);
  if (isRefusal(read)) throw new Error(read.sentence);
  return read;
}

describe('promise 1, exclusion: two units overlap when something is covered by both', () => {
  it.each([
    ['src/a.ts', 'src/a.ts', true],
    ['src/a.ts', 'src/b.ts', false],
    ['src/a.ts', 'src/A.ts', false],
    ['src/é.ts', 'src/e\u0301.ts', true],
    ['src/a.ts', 'src/', true],
    ['src', 'src/', true],
    ['srcs', 'src/', false],
    ['src/auth/', 'src/', true],
    ['src/auth/', 'src/authors/', false],
    ['./', 'x', true],
    ['./', 'a/b/', true],
    ['./', './', true],
    ['./', '**', true],
    ['src/**/*.sql', 'src/a.sql', true],
    ['src/**/*.sql', 'src/x/y/a.sql', true],
    ['src/**/*.sql', 'src/a.ts', false],
    ['src/**/*.sql', 'src/db/', true],
    ['src/**/*.sql', 'lib/', false],
    ['src/*', 'src/a/b', false],
    ['src/*/', 'src/a/b', true],
    ['*', '.env', true],
    ['src/*.ts', 'src/*.sql', false],
    ['src/a*', 'src/*b', true],
    ['src/a*c', 'src/b*c', false],
    ['src/**/a/*', 'src/b/**', true],
    ['**/a', '**/b', false],
    ['**/a/**', '**/b/**', true],
    ['*.{ts,tsx}', 'a.tsx', true],
    ['*.{ts,tsx}', '*.{js,jsx}', false],
    ['{src,test}/**', 'test/a/', true],
    ['{src,test}/**', 'lib/', false],
    ['[ab].ts', 'b.ts', true],
    ['[ab].ts', 'c.ts', false],
    ['[ab].ts', '[cd].ts', false],
    ['[!ab].ts', '[abc].ts', true],
    ['[!ab].ts', '[ab].ts', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?c', 'a😀c', true],
    ['?', '?', true],
    ['app/[slug]/page.tsx', 'app/s/page.tsx', true],
    ['app/[slug]/page.tsx', 'app/x/page.tsx', false],
    ['app/[slug]/', 'app/[slug]/page.tsx', true],
    ['a{.ts', 'a{.ts', true],
    ['process:build', 'process:build', true],
    ['process:build', 'process:Build', false],
    ['process:build', 'process:test', false],
    ['process:build', './', false],
    ['process:build', '**', false],
    ['process:build', '*:*', false],
  ])('%s and %s: %s', (a, b, both) => {
    expect(overlaps(unit(a), unit(b))).toBe(both);
    expect(overlaps(unit(b), unit(a))).toBe(both);
  });

  it.each([
    ['src/A.ts', 'SRC/a.ts', true],
    ['Src/', 'src/a.ts', true],
    ['*.SQL', 'a.sql', true],
    ['[A-C].ts', 'b.TS', true],
    ['[!a].ts', 'A.ts', false],
    ['straße/', 'STRASSE/a', true],
    ['a', 'b', false],
    ['process:build', 'process:Build', false],
  ])('on a disk that folds case, %s and %s: %s', (a, b, both) => {
    expect(overlaps(unit(a, true), unit(b, true))).toBe(both);
    expect(overlaps(unit(a, true), unit(b)), 'one side is enough').toBe(both);
    expect(overlaps(unit(a), unit(b, true)), 'one side is enough').toBe(both);
  });

  it('a unit that only looks like one is a broken invariant', () => {
    expect(() => overlaps({ ...unit('a'), text: '../a' }, unit('a', true))).toThrow('not a unit');
  });
});

describe('what a unit covers', () => {
  it.each([
    ['src/a.ts', 'src/a.ts', true],
    ['src/a.ts', 'src/b.ts', false],
    ['src/', 'src/a/b.ts', true],
    ['src/', 'lib/a.ts', false],
    ['./', 'a', true],
    ['*.ts', 'a.ts', true],
    ['*.ts', 'src/a.ts', false],
    ['[ab].ts', 'c.ts', false],
    ['app/[slug]/page.tsx', 'app/[slug]/page.tsx', true],
    ['app/[slug]/page.tsx', 'app/s/page.tsx', true],
    ['app/s/page.tsx', 'app/[slug]/page.tsx', false],
    ['app/[slug]/', 'app/[slug]/page.tsx', true],
    ['{a,b}', '{a,b}', true],
    ['process:build', 'process:build', false],
    ['./', '../a', false],
    ['./', 'a//b', false],
    ['./', 'a/./b', false],
    ['./', '/etc/passwd', false],
    ['./', '', false],
  ])('%s covers %s: %s', (text, path, covered) => expect(covers(unit(text), path)).toBe(covered));

  it('follows the disk in what is the same name', () => {
    expect(covers(unit('src/A.ts'), 'src/a.ts')).toBe(false);
    expect(covers(unit('src/A.ts', true), 'src/a.ts')).toBe(true);
  });
});

describe('promise 12, bounded: what would take too long to tell is decided safely', () => {
  it('two globs that could be told apart only with much work overlap', () => {
    expect(overlaps(unit(`${'**/a/'.repeat(10)}b`), unit(`${'a/**/'.repeat(10)}c`)), 'little work').toBe(false);
    expect(overlaps(unit(`${'*a'.repeat(10)}b`), unit(`${'a*'.repeat(10)}c`)), 'little work').toBe(false);
    expect(overlaps(unit(`${'**/a/'.repeat(120)}b`), unit(`${'a/**/'.repeat(120)}c`))).toBe(true);
    expect(overlaps(unit(`${'*a'.repeat(100)}b`), unit(`${'a*'.repeat(100)}c`))).toBe(true);
  });

  it('long names count as much work, although their first characters may differ', () => {
    const choices = Array.from({ length: 32 }, (_, n) => `${n}`).join(',');
    const path = (times: number) => unit(`${`${'n'.repeat(250)}/`.repeat(times)}n`);
    expect(overlaps(path(1), unit(`**/?{${choices}}`)), 'little work').toBe(false);
    expect(overlaps(path(16), unit(`**/?{${choices}}`))).toBe(true);
  });

  it('a path that could be matched only with much work is not covered', () => {
    const hard = unit(`${'**/a/'.repeat(60)}c/**`);
    expect(covers(hard, `${'a/'.repeat(70)}c/b`), 'little work').toBe(true);
    expect(covers(hard, `${'a/'.repeat(70)}c/${'a/'.repeat(900)}b`)).toBe(false);
  });
});

/** What a unit covers, told by other means: a regular expression over a path with a slash before each name. */
function reference(text: string): RegExp {
  const folder = text.endsWith('/');
  const names = text.split('/').filter((name) => name !== '' && name !== '.');
  const source = names.map((name) => {
    if (name === '**') return '(?:/[^/]+)*';
    const inner = name.replace(/\.|\[!|\*|\?|[{},]/g, (char) => {
      return { '.': '\\.', '[!': '[^/', '*': '[^/]*', '?': '[^/]', '{': '(?:', '}': ')', ',': '|' }[char] ?? '';
    });
    return `/${inner}`;
  });
  return new RegExp(`^${source.join('')}${folder ? '(?:/[^/]+)*' : ''}$`, 'u');
}

function sequences<T>(items: readonly T[], longest: number): T[][] {
  let last: T[][] = [[]];
  const all: T[][] = [];
  for (let length = 1; length <= longest; length++) {
    last = last.flatMap((some) => items.map((item) => [...some, item]));
    all.push(...last);
  }
  return all;
}

describe('overlap against all paths over a small alphabet', () => {
  const joined = (parts: fc.Arbitrary<string>, most: number, by: string) =>
    fc.array(parts, { minLength: 1, maxLength: most }).map((some) => some.join(by));

  /** A pair overlaps exactly when some path is covered by both. The lists are long enough to hold a witness. */
  function agrees(texts: fc.Arbitrary<string>, paths: readonly string[], numRuns: number): void {
    const seen = { apart: 0, together: 0 };
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const [left, right] = [unit(a), unit(b)];
        const [inLeft, inRight] = [reference(a), reference(b)];
        for (const path of paths)
          if (covers(left, path) !== inLeft.test(`/${path}`)) throw new Error(`${a} covers ${path}?`);
        const both = paths.some((path) => inLeft.test(`/${path}`) && inRight.test(`/${path}`));
        seen[both ? 'together' : 'apart']++;
        expect(overlaps(left, right)).toBe(both);
        expect(overlaps(right, left)).toBe(both);
        expect(overlaps(left, left)).toBe(true);
      }),
      { numRuns },
    );
    expect(Math.min(seen.apart, seen.together), 'both answers were tried').toBeGreaterThan(numRuns / 20);
  }

  it('names: `*`, `?` and literals, exactly', () => {
    const names = sequences(['a', 'b'], 6).map((chars) => chars.join(''));
    agrees(joined(fc.constantFrom('a', 'b', '?', '*'), 4, ''), names, 500);
  });

  it('names: classes, exactly, as long as the class has a character to spare', () => {
    const names = sequences(['a', 'b', 'c', 'd'], 3).map((chars) => chars.join(''));
    agrees(joined(fc.constantFrom('a', '?', '[ab]', '[bc]', '[!a]', '[!bc]'), 3, ''), names, 500);
  });

  it('paths: files, folders and globs, exactly', () => {
    const paths = sequences(['a', 'b', 'ab'], 5).map((names) => names.join('/'));
    const name = fc.constantFrom('a', 'b', '*', '**', 'a*', '*b', '?');
    const text = fc.tuple(joined(name, 3, '/'), fc.constantFrom('', '/')).map(([path, slash]) => path + slash);
    agrees(text, paths, 300);
  });

  it('paths: braces, exactly', () => {
    const paths = sequences(['a', 'b', 'c'], 4).map((names) => names.join('/'));
    const name = fc.constantFrom('a', '{a,b}', '{b,c}', '{a,*}', '**', '*');
    agrees(joined(name, 3, '/'), paths, 300);
  });

  it('any text at all: never apart where some path is covered by both', () => {
    const paths = sequences(['a', 'b', 'A', '[ab]', 'é', 'ss', 'ß'], 3).map((names) => names.join('/'));
    const piece = fc.constantFrom(
      'a',
      'b',
      'A',
      'é',
      'ß',
      '/',
      '*',
      '**',
      '?',
      '[ab]',
      '[!a]',
      '[',
      ']',
      '{',
      '}',
      ',',
      '[a-é]',
    );
    const text = joined(piece, 6, '').filter((given) => !isRefusal(parseUnit(given)));
    fc.assert(
      fc.property(text, text, fc.boolean(), fc.boolean(), (a, b, foldsA, foldsB) => {
        const answer = overlaps(unit(a, foldsA), unit(b, foldsB));
        expect(overlaps(unit(b, foldsB), unit(a, foldsA))).toBe(answer);
        const [left, right] = [unit(a, foldsA || foldsB), unit(b, foldsA || foldsB)];
        const shared = paths.find((path) => covers(left, path) && covers(right, path));
        if (shared !== undefined) expect(answer, shared).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

it.each([
  ['./', 'src/a.ts', true],
  ['./', 'src/', true],
  ['src/', 'src/', true],
  ['src/', 'src/a/*.ts', true],
  ['src/', 'src/{a,b}/x.ts', true],
  ['src/', '{src,lib}/x.ts', false],
  ['src/', 's*c/x.ts', false],
  ['src/', './', false],
  ['src/', 'lib/', false],
  ['src/*.ts', 'src/a.ts', true],
  ['src/*.ts', 'src/a*.ts', false],
  ['src/a.ts', 'src/', false],
  ['process:test', 'process:test', true],
  ['process:test', 'process:build', false],
  ['./', 'process:build', false],
])('%s includes %s: %s', (outer, inner, expected) => {
  expect(includes(unit(outer), unit(inner))).toBe(expected);
});
