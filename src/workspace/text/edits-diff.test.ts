import { describe, expect, test } from 'vitest';
import { answer, type Files, made } from './edits.testsuite.js';

describe('diffs pass the same checks', () => {
  const rename = 'diff --git a/a b/b\nrename from a\nrename to b\n';
  test('hunks, creations, deletions and renames', () => {
    expect(made({ a: '1\n2\n' }, '--- a/a\n+++ b/a\n@@\n-2\n+two\n')).toEqual({ a: '1\ntwo\n' });
    expect(made({ a: null }, '--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n')).toEqual({ a: 'x\n' });
    expect(made({ a: 'x\n' }, '--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n')).toEqual({ a: null });
    expect(made({ a: '' }, 'diff --git a/a b/a\ndeleted file mode 100644\n')).toEqual({ a: null });
    expect(made({ a: 'x\n', b: null }, rename)).toEqual({ a: null, b: 'x\n' });
    expect(made({ a: 'x\n', b: null }, `${rename}--- a/a\n+++ b/b\n@@\n-x\n+y\n`)).toEqual({ a: null, b: 'y\n' });
  });

  test.each<[string, Files, string, object]>([
    [
      'hostile input 26: a rename over a file',
      { a: 'x\n', b: 'y\n' },
      rename,
      { code: 'INVALID', facts: { argument: 'base', diff_line: 1 } },
    ],
    [
      'a creation of a file that exists',
      { a: 'y\n' },
      '--- /dev/null\n+++ b/a\n@@\n+x\n',
      { code: 'INVALID', next: expect.stringMatching(/^A diff cannot name it/) },
    ],
    [
      'a deletion without the lines',
      { a: 'x\n' },
      '*** Begin Patch\n*** Delete File: a\n*** End Patch',
      { code: 'INVALID', facts: { argument: 'base' } },
    ],
    ['a deletion with some of the lines', { a: 'x\ny\n' }, '--- a/a\n+++ /dev/null\n@@\n-x\n', { code: 'NO_MATCH' }],
    [
      'a deletion of a binary',
      { a: Uint8Array.of(0) },
      'diff --git a/a b/a\ndeleted file mode 100644\n',
      { code: 'NO_MATCH' },
    ],
    ['no file', { a: null }, '--- a/a\n+++ b/a\n@@\n-x\n', { code: 'NOT_FOUND' }],
    ['a binary', { a: Uint8Array.of(0) }, '--- a/a\n+++ b/a\n@@\n-x\n', { code: 'BINARY', facts: { diff_line: 1 } }],
    [
      'no match',
      { a: '  x\n' },
      '--- a/a\n+++ b/a\n@@\n-x\n+y\n',
      {
        code: 'NO_MATCH',
        facts: { hunk: 1, hunk_line: 3, cause: 'white_space' },
        sentence: expect.stringContaining('are not in a; only white space'),
      },
    ],
    [
      'no match at the end',
      { a: 'x\ny\n' },
      '--- a/a\n+++ b/a\n@@\n-x\n\\ No newline at end of file\n',
      { code: 'NO_MATCH', sentence: expect.stringContaining('are not at the end of a.') },
    ],
    [
      'no match below',
      { a: 'x\nb\n' },
      '--- a/a\n+++ b/a\n@@ b\n-x\n',
      { code: 'NO_MATCH', sentence: expect.stringContaining('in a below "b".') },
    ],
    [
      'several matches, whatever the line number says',
      { a: 'x\nx\n' },
      '--- a/a\n+++ b/a\n@@ -2 +1,0 @@\n-x\n',
      {
        code: 'NO_MATCH',
        facts: { lines: [1, 2] },
        sentence: expect.stringContaining('are in a 2 times, at lines 1, 2; its line numbers only hint'),
        next: expect.stringMatching(/^Add unchanged lines .* or pass the change as edits/),
      },
    ],
    [
      'new lines alone',
      { a: 'x\n' },
      '--- a/a\n+++ b/a\n@@ -1,0 +2 @@\n+y\n',
      { code: 'NO_MATCH', sentence: expect.stringMatching(/^All lines of hunk 1 .* are new/) },
    ],
    ['overlapping hunks', { a: 'x\n' }, '--- a/a\n+++ b/a\n@@\n-x\n@@\n-x\n', { code: 'INVALID', facts: { hunk: 2 } }],
    [
      'too much work',
      { a: `${'a\n'.repeat(10_000)}c\n${'b\n'.repeat(10_000)}` },
      `--- a/a\n+++ b/a\n@@\n${' a\n'.repeat(3_000)}${'-b\n'.repeat(3_000)}`,
      { code: 'LIMIT', facts: { hunk: 1 } },
    ],
  ])('%s', (_, files, diff, refusal) => {
    expect(answer(files, diff)).toMatchObject(refusal);
  });
});
