import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainWords } from './words.js';

test.each([
  ['git push', ['git', 'push']],
  ["  git  tag -a v1\t-m 'one two'  ", ['git', 'tag', '-a', 'v1', '-m', 'one two']],
  ['git tag -m "it\'s \\"so\\" \\a \\$1"', ['git', 'tag', '-m', 'it\'s "so" \\a $1']],
  ["git branch a'b'\"c\"d ''", ['git', 'branch', 'abcd', '']],
  ['git stash pop stash@{0}', ['git', 'stash', 'pop', 'stash@{0}']],
  ['git reset HEAD^ HEAD~2 a=b', ['git', 'reset', 'HEAD^', 'HEAD~2', 'a=b']],
  ["git tag -m 'a;b' a\\;b", ['git', 'tag', '-m', 'a;b', 'a;b']],
  ["git tag -m 'two\nlines'", ['git', 'tag', '-m', 'two\nlines']],
])('%s has the words %j', (command, words) => {
  expect(plainWords(command)).toEqual(words);
});

test.each([
  'a; b',
  'a && b',
  'a || b',
  'a | b',
  'a & b',
  'a &',
  'a\nb',
  'a \\\nb',
  'a > b',
  'a < b',
  'a $(b)',
  'a `b`',
  'a $B',
  'a "$B"',
  'a "`b`"',
  '(a)',
  'a *.ts',
  'a b?',
  'a [b]',
  'a {b,c}',
  'a {1..3}',
  'a {b},c}',
  'a {b',
  'a ~/b',
  'a #b',
  'A=b a',
  '! a',
  "a 'b",
  'a "b',
  'a \\',
  '',
  '  ',
  "''",
  'a\0b',
  'a\rb',
])('%j is not one plain command', (command) => {
  expect(plainWords(command)).toBeUndefined();
});

test('what is a plain command has the words that a shell gives it', () => {
  const piece = fc.constantFrom(...`ab'"\\ \t{}@~#!=;$*.,-^/:%+\n`);
  const tail = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  const commands = fc.sample(tail, 3_000).map((text) => `x ${text}`);
  const plain = commands.flatMap((command) => {
    const words = plainWords(command);
    return words === undefined ? [] : [{ command, words }];
  });
  expect(plain.length).toBeGreaterThan(200);
  const script = `x() { printf '%s\\0' "$@"; printf '\\1'; }\n${plain.map(({ command }) => `${command}\n`).join('')}`;
  const said = execFileSync('bash', ['-c', script], { encoding: 'latin1' }).split('\u0001').slice(0, -1);
  // Without arguments, printf prints one empty word.
  const lists = said.map((line) => line.split('\0').slice(0, -1));
  expect(lists).toEqual(plain.map(({ words }) => (words.length === 1 ? [''] : words.slice(1))));
});
