import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import { applyHunks } from './apply-hunks.js';
import type { Hunk } from './hunk.js';
import { parseDiff } from './parse-diff.js';

function hunksOf(text: string): readonly Hunk[] {
  const parsed = parseDiff(text);
  if (isRefusal(parsed)) throw new Error(parsed.sentence);
  const change = parsed[0]?.change;
  if (change?.kind !== 'hunks') throw new Error('no hunks');
  return change.hunks;
}

const unified = (text: string, ...hunks: string[]) => applyHunks(text, hunksOf(`--- x\n+++ x\n${hunks.join('\n')}\n`));
const begun = (text: string, ...lines: string[]) =>
  applyHunks(text, hunksOf(['*** Begin Patch', '*** Update File: x', ...lines, '*** End Patch'].join('\n')));

const FILE = '1\n2\n3\n4\n5\n';
const TWICE = 'class A\n  x\n  y\nclass B\n  x\n  y\n';

describe('each hunk is placed by its content', () => {
  test.each([
    ['wrong numbers and counts', FILE, '@@ -40,9 +41,1 @@\n 2\n-3\n+three\n 4', '1\n2\nthree\n4\n5\n'],
    ['an insertion beside a line', FILE, '@@ -9 +9 @@\n 2\n+x', '1\n2\nx\n3\n4\n5\n'],
    ['an insertion at the top', FILE, '@@ -1 +1,2 @@\n+x\n 1', 'x\n1\n2\n3\n4\n5\n'],
    ['into an empty file', '', '@@ -0,0 +1 @@\n+x', 'x\n'],
    ['the last line without newline', '1\n2', '@@\n 1\n-2\n+two', '1\ntwo'],
    ['behind a last line without newline', '1\n2', '@@\n 2\n+3', '1\n2\n3'],
    ['the last line without newline removed', '1\n2', '@@\n 1\n-2', '1\n'],
    ['all removed', '1\n2', '@@\n-1\n-2', ''],
    ['a newline added', '1\n2', '@@\n-2\n\\ No newline at end of file\n+2', '1\n2\n'],
    ['a newline removed', '1\n2\n', '@@\n-2\n+2\n\\ No newline at end of file', '1\n2'],
    ['neither side with one', '1\n2', '@@\n 1\n+x\n 2\n\\ No newline at end of file', '1\nx\n2'],
    ['LF hunks in a CRLF file', '1\r\n2\r\n3\r\n', '@@\n 1\n-2\n+two\n+zwei\n 3', '1\r\ntwo\r\nzwei\r\n3\r\n'],
    ['CRLF hunks in a CRLF file', '1\r\n2\r\n', '@@\n 1\r\n-2\r\n+two\r', '1\r\ntwo\r\n'],
    ['one line of a CRLF file to LF', '1\r\n2\r\n', '@@\n 1\r\n-2\r\n+2', '1\r\n2\n'],
    ['behind the last line of a CRLF file', '1\r\n2', '@@\n 2\n+3', '1\r\n2\r\n3'],
    ['a newline for a CRLF file', '1\r\n2', '@@\n-2\n\\ No newline at end of file\n+2', '1\r\n2\r\n'],
    [
      'the last newline of a CRLF file removed',
      '1\r\n2\r\n',
      '@@\n 1\r\n-2\r\n+2\n\\ No newline at end of file',
      '1\r\n2',
    ],
    ['an unfinished line without CR for one with', '1\r\n2', '@@\n 1\r\n-2\r\n+x', '1\r\nx'],
    ['a byte order mark', '\ufeff1\n2\n', '@@\n-2\n+two', '\ufeff1\ntwo\n'],
  ])('%s', (_, text, hunk, result) => {
    expect(unified(text, hunk)).toEqual({ text: result });
  });

  test('several hunks, in any order, with shared context, each in the text as it was', () => {
    const result = { text: '1\ntwo\n3\nfour\n5\n' };
    const [one, two] = ['@@\n 1\n-2\n+two\n 3', '@@\n 3\n-4\n+four\n 5'];
    expect([unified(FILE, one, two), unified(FILE, two, one)]).toEqual([result, result]);
    expect(unified(FILE, '@@\n-2', '@@\n-3\n+x')).toEqual({ text: '1\nx\n4\n5\n' });
  });

  test('anchors and the end of the file say which place is meant', () => {
    expect(begun(TWICE, '@@ class B', '-  x', '+  z')).toEqual({ text: 'class A\n  x\n  y\nclass B\n  z\n  y\n' });
    expect(begun(TWICE, '@@ class A', '@@ class B', '-  x')).toEqual({ text: 'class A\n  x\n  y\nclass B\n  y\n' });
    expect(begun(TWICE, '@@', '-  y', '*** End of File')).toEqual({ text: 'class A\n  x\n  y\nclass B\n  x\n' });
    expect(begun(TWICE, '@@', '+z', '*** End of File')).toEqual({ text: `${TWICE}z\n` });
    expect(begun('a\nb', '@@', '+c', '*** End of File')).toEqual({ text: 'a\nb\nc' });
  });
});

describe('hostile input 27: nothing is guessed', () => {
  test.each([
    ['no such lines', FILE, '@@ -2 +2 @@\n-two\n+2', 'none'],
    ['other white space', ' 2\n', '@@\n-2\n+x', 'none'],
    ['mixed endings with LF', '1\r\n2\n3\r\n', '@@\n-1\n+x', 'none'],
    ['an LF file with CRLF', FILE, '@@\n-1\r\n+x\r', 'none'],
    ['past the end', FILE, '@@\n 5\n-6', 'none'],
    ['before the start', FILE, '@@\n 0\n-1', 'none'],
    ['no newline where there is one', FILE, '@@\n-5\n\\ No newline at end of file\n+6', 'none'],
    ['a newline where there is none', '1', '@@\n-1\n+1\n\\ No newline at end of file', 'none'],
    ['no newline in the middle', FILE, '@@\n-4\n\\ No newline at end of file\n+6', 'none'],
    ['two places, and the number of neither', 'a\nb\na\n', '@@ -2 +2 @@\n-a\n+x', 'several'],
    ['two places, and the number of one', 'a\nb\na\n', '@@ -3 +3 @@\n-a\n+x', 'several'],
    ['an insertion without a number', FILE, '@@\n+x', 'unplaced'],
    ['an insertion by its number alone', FILE, '@@ -2,0 +3 @@\n+x', 'unplaced'],
    ['an insertion at the top by its number alone', FILE, '@@ -0,0 +1 @@\n+x', 'unplaced'],
    ['an unfinished last line alone', FILE, '@@ -5,0 +6 @@\n+x\n\\ No newline at end of file', 'unplaced'],
  ])('%s', (_, text, hunk, kind) => {
    expect(unified(text, hunk)).toMatchObject({ kind, number: 1, hunk: { diffLine: 3 } });
  });

  test('the places are named, the first 20 of them', () => {
    const first = Array.from({ length: 20 }, (_, i) => i + 1);
    expect(unified('a\nb\na\n', '@@\n-a')).toMatchObject({ lines: [1, 3], more: false });
    expect(unified('a\n'.repeat(20), '@@\n-a')).toMatchObject({ lines: first, more: false });
    expect(unified('a\n'.repeat(50), '@@\n-a')).toMatchObject({ lines: first, more: true });
  });

  test('anchors that are not there, above no such lines, or above several', () => {
    expect(begun(TWICE, '@@ class C', '-  x')).toMatchObject({ kind: 'none' });
    expect(begun(TWICE, '@@ class B', '@@ class A', '-  x')).toMatchObject({ kind: 'none' });
    expect(begun(TWICE, '@@ class B', '-class A')).toMatchObject({ kind: 'none' });
    expect(begun(TWICE, '@@ class A', '-  x')).toMatchObject({ kind: 'several', lines: [2, 5] });
    expect(begun(TWICE, '@@ class B', '@@ -2,1 +2,1 @@', '-  x', '+  z')).toEqual({
      text: 'class A\n  x\n  y\nclass B\n  z\n  y\n',
    });
    expect(begun(TWICE, '@@ class A', '@@ -2,1 +2,1 @@', '-  x')).toMatchObject({ kind: 'several', lines: [2, 5] });
    expect(begun(TWICE, '@@ class B', '+  z')).toMatchObject({ kind: 'unplaced' });
    expect(begun(TWICE, '-class B', '*** End of File')).toMatchObject({ kind: 'none' });
  });

  test('hunks that change the same lines', () => {
    expect(unified(FILE, '@@\n-2\n-3', '@@\n-3\n+x')).toMatchObject({ kind: 'overlap', number: 2 });
    expect(unified(FILE, '@@\n-2', '@@\n-2')).toMatchObject({ kind: 'overlap', number: 2 });
    expect(unified(FILE, '@@\n-2\n-3\n-4', '@@\n 3\n+x\n 4')).toMatchObject({ kind: 'overlap', number: 2 });
  });
});

describe('promise 12: finding places is bounded', () => {
  test('by repeated lines', () => {
    const text = `${'a\n'.repeat(10_000)}c\n${'b\n'.repeat(10_000)}`;
    const hunk = `@@\n${' a\n'.repeat(3_000)}${'-b\n'.repeat(3_000)}`;
    expect(unified(text, hunk.trimEnd())).toMatchObject({ kind: 'limit', number: 1 });
  });

  test('by anchors far down', () => {
    const text = `${'a\n'.repeat(100_000)}z\n${Array.from({ length: 300 }, (_, i) => `${i}\n`).join('')}`;
    const hunks = Array.from({ length: 300 }, (_, i) => ['@@ z', `-${i}`]).flat();
    expect(begun(text, ...hunks)).toMatchObject({ kind: 'limit' });
    expect(begun(text, ...hunks.slice(0, 100))).toHaveProperty('text');
  });
});
