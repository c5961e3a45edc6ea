import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRefusal, type Refusal } from '../../domain/refusal.js';
import type { Operation } from './operation.js';
import { parseDiff } from './parse-diff.js';

function operations(text: string): Operation[] {
  const parsed = parseDiff(text);
  if (isRefusal(parsed)) throw new Error(parsed.sentence);
  return parsed;
}

function refusal(text: string): Refusal {
  const parsed = parseDiff(text);
  if (!isRefusal(parsed)) throw new Error(`taken for ${JSON.stringify(parsed)}`);
  return parsed;
}

/** The hunks of the one file of a diff, as signs and texts. */
function hunks(text: string): string[] {
  const [operation] = operations(text);
  if (operation?.change?.kind !== 'hunks') return [];
  return operation.change.hunks.map(({ lines }) =>
    lines.map((line) => `${line.sign}${line.text}${line.bare ? '$' : ''}`).join('|'),
  );
}

const HUNK = '@@ -1,2 +1,2 @@\n a\n-b\n+c\n';
const NAMES = '--- a/src/a.ts\n+++ b/src/a.ts\n';

describe('which file a unified diff is about', () => {
  test.each([
    ['prefixes', NAMES + HUNK, { path: 'src/a.ts' }],
    ['no prefixes', `--- src/a.ts\n+++ src/a.ts\n${HUNK}`, { path: 'src/a.ts' }],
    ['a folder named a', `--- a/x\n+++ a/x\n${HUNK}`, { path: 'a/x' }],
    ['dates', `--- a/x\t2026-01-01 00:00\n+++ b/x\t2026-01-02\n${HUNK}`, { path: 'x' }],
    ['quoted names', `--- "a/\\303\\251\\t.ts"\n+++ "b/\\303\\251\\t.ts"\n${HUNK}`, { path: 'é\t.ts' }],
    ['headers with CR', `--- a/x\r\n+++ b/x\r\n@@ -1 +1 @@\r\n-b\r\n+c\r\n`, { path: 'x' }],
    [
      'git headers, index and modes',
      `diff --git a/x b/x\nold mode 100644\nnew mode 100755\nindex 1..2\n--- a/x\n+++ b/x\n${HUNK}`,
      { path: 'x' },
    ],
    [
      'a mail',
      `From 1234\nSubject: x\n---\n x | 2 +-\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n${HUNK}-- \n2.39.5\n\n`,
      { path: 'x' },
    ],
    [
      'svn',
      `Index: x\n===================================================================\n--- x\t(revision 1)\n+++ x\t(working copy)\n${HUNK}`,
      { path: 'x' },
    ],
    ['GNU diff -r', `diff -ru a/x b/x\n--- a/x\n+++ b/x\n${HUNK}Only in b: y\n`, { path: 'x' }],
    ['GNU diff with a long option', `diff --unified a/x b/x\n--- a/x\n+++ b/x\n${HUNK}`, { path: 'x' }],
    ['a rename', 'diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n', { path: 'x', moveTo: 'y' }],
    [
      'a rename with hunks',
      `diff --git a/x b/y\nrename from x\nrename to y\n--- a/x\n+++ b/y\n${HUNK}`,
      { path: 'x', moveTo: 'y' },
    ],
    ['a quoted rename', 'diff --git "a/\\t" b/y\nrename from "\\t"\nrename to y\n', { path: '\t', moveTo: 'y' }],
    ['a deletion', '--- a/x\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-b\n', { path: 'x', delete: true }],
    [
      'a deleted empty file',
      'diff --git a/x y b/x y\ndeleted file mode 100644\nindex e69de29..0000000\n',
      { path: 'x y', delete: true, change: { kind: 'hunks', hunks: [] } },
    ],
    [
      'a creation',
      '--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+a\n+b\n',
      { path: 'x', change: { kind: 'content', text: 'a\nb\n' } },
    ],
    [
      'a creation without final newline',
      '--- /dev/null\n+++ x\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n',
      { path: 'x', change: { kind: 'content', text: 'a' } },
    ],
    [
      'a created empty file',
      'diff --git a/x b/x\nnew file mode 100644\nindex 0000000..e69de29\n',
      { path: 'x', change: { kind: 'content', text: '' } },
    ],
    [
      'a created file with a quoted name',
      'diff --git "a/\\"" "b/\\""\nnew file mode 100644\n',
      { path: '"', change: { kind: 'content', text: '' } },
    ],
  ])('%s', (_, text, operation) => {
    expect(operations(text)).toMatchObject([operation]);
  });

  test('several files, with the line where each begins', () => {
    const text = `${NAMES}${HUNK}\n--- a/y\n+++ b/y\n${HUNK}diff --git a/m b/m\nold mode 100644\nnew mode 100755\ndiff --git a/z b/w\nrename from z\nrename to w\n`;
    expect(operations(text).map(({ path, source }) => [path, source])).toEqual([
      ['src/a.ts', { diffLine: 1 }],
      ['y', { diffLine: 8 }],
      ['z', { diffLine: 17 }],
    ]);
  });
});

describe('hunks are read by content; counts and numbers are hints', () => {
  test.each([
    ['counts too small', '@@ -1,1 +1,1 @@\n a\n-b\n+c\n d\n', [' a|-b|+c| d']],
    ['counts too large', '@@ -1,9 +1,9 @@\n a\n-b\n+c\n', [' a|-b|+c']],
    ['bare headers', '@@\n-b\n+c\n@@ ... @@\n-d\n', ['-b|+c', '-d']],
    ['empty hunks between', '@@\n@@ -1 +1 @@\n-b\n', ['-b']],
    ['a broken header', '@@ -1,2 +x @@\n-b\n', ['-b']],
    ['blank context without its space', '@@ -1,4 +1,4 @@\n a\n\n-b\n+c\n\n', [' a| |-b|+c| ']],
    ['blank lines behind the hunk', '@@ -1,2 +1,2 @@\n a\n-b\n+c\n\n\n', [' a|-b|+c']],
    ['blank lines behind a bare hunk', '@@\n-b\n\n', ['-b']],
    [
      'no newline at the end of either side',
      '@@ -1 +1 @@\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n',
      ['-b$|+c$'],
    ],
    ['a removed SQL comment', '@@ -1,3 +1,2 @@\n a\n--- drop\n b\n', [' a|--- drop| b']],
    [
      'a removed and an added comment',
      '@@ -1,2 +1,2 @@\n a\n--- x\n+++ y\n@@ -9 +9 @@\n-b\n+c\n',
      [' a|--- x|+++ y', '-b|+c'],
    ],
    ['a removed dash', '@@ -1,2 +1,1 @@\n a\n-- \n', [' a|-- ']],
    ['CR stays', '@@ -1 +1 @@\r\n-b\r\n+c\r\n', ['-b\r|+c\r']],
  ])('%s', (_, text, expected) => {
    expect(hunks(NAMES + text)).toEqual(expected);
  });

  test('a header behind a miscounted hunk is a header', () => {
    for (const header of ['@@', '@@ -1,9 +1,9 @@', '@@ -1 +1 @@']) {
      expect(operations(`${NAMES}${header}\n-b\n+c\n--- a/y\n+++ b/y\n${HUNK}`)).toMatchObject([
        { path: 'src/a.ts' },
        { path: 'y' },
      ]);
    }
  });

  test('line numbers are no anchors', () => {
    const [operation] = operations(
      `${NAMES}@@ -12,2 +1,2 @@ section\n-b\n@@ -7,0 +8 @@\n+c\n@@ -0,0 +1 @@\n+c\n@@ -3,1\n-b\n@@ class A @@\n-b\n@@ def b():\n-b\n`,
    );
    expect(
      operation?.change?.kind === 'hunks' && operation.change.hunks.map(({ anchors, diffLine }) => [anchors, diffLine]),
    ).toEqual([
      [[], 3],
      [[], 5],
      [[], 7],
      [[], 9],
      [['class A'], 11],
      [['def b():'], 13],
    ]);
  });
});

describe('what is no diff is INVALID and says where', () => {
  test.each([
    ['', 1, 'neither'],
    ['\n\n', 1, 'neither'],
    ['hello', 1, 'neither'],
    ['--- a/x\nhello', 1, 'neither'],
    [HUNK, 1, 'a hunk without a file'],
    [NAMES, 1, 'none'],
    [`${NAMES}-b\n+c\n`, 1, 'none'],
    [`${NAMES}--- a/y\n+++ b/y\n${HUNK}`, 1, 'none'],
    [`${NAMES}@@\n@@\n`, 1, 'none'],
    [`${NAMES}@@ -1 +1 @@\n a\n`, 3, 'context lines only'],
    [`${NAMES}${HUNK}oops`, 7, '"oops"'],
    [`${NAMES}${HUNK}\`\`\``, 7, '"```"'],
    [`${NAMES}@@\n\\ No newline at end of file\n`, 1, 'none'],
    [`${NAMES}@@\n-a\n\\ No newline at end of file\n-b\n`, 3, 'one before further lines'],
    [`${NAMES}@@\n+a\n\\ No newline at end of file\n b\n`, 3, 'one before further lines'],
    [`--- a/x\n+++ b/y\n${HUNK}`, 1, 'others'],
    [`--- x\n+++ b/x\n${HUNK}`, 1, 'others'],
    ['--- /dev/null\n+++ /dev/null\n@@\n+a\n', 1, '/dev/null on both'],
    ['--- /dev/null\n+++ b/x\n@@\n a\n+b\n', 1, 'others'],
    [`--- "a/x\n+++ b/x\n${HUNK}`, 1, '--- "a/x'],
    ['diff --git a/x b/y\nold mode 100644\nnew mode 100755\n', 1, 'others'],
    ['diff --git "a/x b/y\nnew file mode 100644\n', 1, 'others'],
    ['diff --git "a/x" "b/y\nnew file mode 100644\n', 1, 'others'],
    ['diff --git a/x b/x\nold mode 100644\nnew mode 100755\n', 1, 'file modes only'],
    ['diff --git a/x b/x\nindex 1..2\n', 1, 'none'],
    ['diff --git a/x b/y\ncopy from x\ncopy to y\n', 1, 'git\'s "copy from"'],
    [
      'diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc\n\\ No newline at end of file\n',
      1,
      'a link or a submodule',
    ],
    ['diff --git a/x b/x\ndeleted file mode 160000\n', 1, 'a link or a submodule'],
    ['diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1 -1 +1 @@@\n--b\n', 5, 'a combined diff of a merge'],
    [`${NAMES}@@\n+\ud800\n`, 1, 'half a surrogate pair'],
  ])('%j', (text, diff_line, got) => {
    expect(refusal(text)).toMatchObject({ code: 'INVALID', facts: { argument: 'diff', diff_line, got } });
  });

  test('hostile input 23: binary patches', () => {
    expect(refusal('diff --git a/x b/x\nindex 1..2\nGIT binary patch\nliteral 1\nIcmZP\n')).toMatchObject({
      code: 'BINARY',
    });
    expect(refusal('diff --git a/x b/x\nBinary files a/x and b/x differ\n')).toMatchObject({ code: 'BINARY' });
  });
});

describe('promise 12, hostile input 25: patch bombs', () => {
  test('more than 10,000 hunks', () => {
    const bomb = (count: number): string => NAMES + '@@\n-b\n'.repeat(count);
    expect(operations(bomb(10_000))).toHaveLength(1);
    expect(refusal(bomb(100_000))).toMatchObject({ code: 'LIMIT' });
  });

  test('more than 1,000 files', () => {
    expect(refusal((NAMES + HUNK).repeat(1_001))).toMatchObject({ code: 'LIMIT' });
  });

  test('more than 50 MB', () => {
    expect(refusal('x'.repeat(50 * 1024 * 1024 + 1))).toMatchObject({ code: 'LIMIT' });
  });

  test('long lines and many look-alikes of headers', () => {
    const texts = [
      `diff --git a/${'x '.repeat(500_000)}`,
      `--- "${'\\'.repeat(1_000_000)}\n+++ b/x\n`,
      `${NAMES}@@ -1,100000 +1 @@\n${'-- \n'.repeat(100_000)}`,
      `${NAMES}@@\n${'--- x\n+++ y\n'.repeat(50_000)}`,
      `${NAMES}@@\n-b\n${'\n'.repeat(200_000)}`,
    ];
    for (const text of texts) parseDiff(text);
  });
});

test('garbage never throws', () => {
  const line = fc.oneof(
    fc.constantFrom(
      '--- a/x',
      '+++ b/x',
      '--- /dev/null',
      '+++ /dev/null',
      '@@',
      '@@ -1,2 +1,2 @@',
      '@@ -1',
      '@@@',
      '@@ f',
      'diff --git a/x b/x',
      'diff --git',
      'rename from x',
      'rename to y',
      'new file mode 100644',
      'deleted file mode 100644',
      'old mode 1',
      'new mode 2',
      '\\ No newline',
      '-- ',
      '2.1',
      '*** Begin Patch',
      '*** End Patch',
      '*** Add File: x',
      '*** Update File: x',
      '*** Delete File: x',
      '*** Move to: y',
      '*** End of File',
      '+a',
      '-b',
      ' c',
      '',
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 15 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      (lines, ending, patch) => {
        const parsed = parseDiff([...(patch ? ['*** Begin Patch'] : []), ...lines].join(ending));
        expect(isRefusal(parsed) || parsed.length > 0).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});
