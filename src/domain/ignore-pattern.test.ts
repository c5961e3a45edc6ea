import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ignoreFault, ignoreMatcher } from './ignore-pattern.js';

const PATHS = [
  'a',
  'a/b',
  'a/b/c',
  'b',
  'b/a',
  'b/a/c',
  'x.log',
  'a/x.log',
  'a/keep.log',
  'gen/x.ts',
  'src/gen/x.ts',
  'src/gen/deep/x.ts',
  'src/{a}/b',
  'doc/frotz',
  'a/doc/frotz',
  'aa',
  'abc',
  '.hidden',
  'a/.hidden/b',
];

const LISTS: readonly (readonly string[])[] = [
  ['a'],
  ['a/'],
  ['/a'],
  ['*.log'],
  ['*.log', '!keep.log'],
  ['a/', '!a/b'],
  ['a/*', '!a/b'],
  ['gen/'],
  ['/gen/'],
  ['src/gen'],
  ['src/**/x.ts'],
  ['**/gen'],
  ['**/gen/'],
  ['a/**'],
  ['a/**', '!a/keep.log'],
  ['doc/frotz'],
  ['a?'],
  ['[ab]'],
  ['[!a]'],
  ['src/{a}'],
  ['src/{a,b}'],
  ['.*'],
  ['*'],
  ['*', '!a'],
  ['a '],
];

test.each(LISTS.map((list) => ({ list })))('$list match what git takes them to match', ({ list }) => {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-ignore-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  execFileSync('git', ['init', '-q', root]);
  writeFileSync(join(root, '.gitignore'), list.map((pattern) => `${pattern}\n`).join(''));
  const asked = { cwd: root, input: PATHS.map((path) => `${path}\0`).join(''), encoding: 'utf8' as const };
  let git = '';
  try {
    git = execFileSync('git', ['check-ignore', '--no-index', '-z', '--stdin'], asked);
  } catch (error) {
    if ((error as { status: number }).status !== 1) throw error;
  }
  const matches = ignoreMatcher(list, false);
  expect(PATHS.filter(matches)).toEqual(git.split('\0').filter(Boolean));
});

test('where the disk folds case, patterns do too', () => {
  expect(ignoreMatcher(['Gen/'], true)('gen/x')).toBe(true);
  expect(ignoreMatcher(['Gen/'], false)('gen/x')).toBe(false);
});

test.each(['', ' ', '/', '!', '!/', '#a', '\\#a', 'a\nb', '[[:alpha:]]'])('%j is refused', (pattern) => {
  expect(ignoreFault(pattern)).toMatch(/^a pattern/);
});

test('a hostile pattern costs no more than an honest one', () => {
  const matches = ignoreMatcher([`${'*a'.repeat(90)}b`, `${'**/a/'.repeat(40)}b`], false);
  expect(matches(`${'a'.repeat(250)}/${'a/'.repeat(60)}c`)).toBe(false);
});

test('a folder is told from a file by its slash', () => {
  const matches = ignoreMatcher(['a/', '/b/*/'], false);
  expect(['a/', 'a', 'x/a/', 'b/c/', 'b/c', 'b/c/d'].filter(matches)).toEqual(['a/', 'x/a/', 'b/c/', 'b/c/d']);
});
