import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRefusal, type Refusal } from '../../domain/refusal.js';
import { type PresentFiles, staleBases } from './bases.js';
import { type Outcome, outcomes } from './edits.js';
import type { Operation } from './operation.js';
import { parseDiff } from './parse-diff.js';
import { type Edit, parseEdits } from './parse-edits.js';
import { decodeText, encodeText } from './text.js';

type Files = { readonly [path: string]: string | Uint8Array | null };

/** Versions are the texts themselves behind ten zeros, so that a base can be written down. */
function present(files: Files): PresentFiles {
  return new Map(
    Object.entries(files).map(([path, content]) => {
      if (content === null) return [path, null];
      const bytes = typeof content === 'string' ? encodeText(content) : content;
      return [path, { bytes, version: version(content) }];
    }),
  );
}

const version = (content: string | Uint8Array): string => `0000000000${String(content)}`;

function answer(files: Files, change: readonly Edit[] | string, formers: Files = {}): Outcome[] | Refusal {
  const operations = typeof change === 'string' ? parseDiff(change) : parseEdits(change);
  if (isRefusal(operations)) return operations;
  const bases = new Map(
    Object.entries(formers).map(([path, text]) => [
      path,
      typeof text === 'string' ? encodeText(text) : (text ?? Uint8Array.of()),
    ]),
  );
  return outcomes(operations, present(files), bases);
}

/** What the paths become; throws on a refusal. */
function made(files: Files, change: readonly Edit[] | string, formers: Files = {}): Files {
  const result = answer(files, change, formers);
  if (isRefusal(result)) throw new Error(`${result.code}: ${result.sentence}`);
  return Object.fromEntries(result.map(({ path, bytes }) => [path, bytes && decodeText(bytes)]));
}

const swap = (old: string, young: string, rest: Partial<Edit> = {}): Edit => ({
  path: 'a',
  old_string: old,
  new_string: young,
  ...rest,
});

describe('edits apply in order; later ones see what earlier ones did', () => {
  test.each<[string, Files, Edit[], Files]>([
    ['one', { a: '1\n2\n' }, [swap('2', 'two')], { a: '1\ntwo\n' }],
    ['two of one path', { a: '1' }, [swap('1', '2'), swap('2', '3')], { a: '3' }],
    ['all places', { a: '1 1' }, [swap('1', '2', { replace_all: true })], { a: '2 2' }],
    ['a new file, then an edit of it', { a: null }, [{ path: 'a', content: 'x' }, swap('x', 'y')], { a: 'y' }],
    [
      'a new file twice',
      { a: null },
      [
        { path: 'a', content: 'x' },
        { path: 'a', content: 'y' },
      ],
      { a: 'y' },
    ],
    ['a file replaced', { a: 'x' }, [{ path: 'a', content: 'y', base: version('x') }], { a: 'y' }],
    ['a short base', { a: 'x' }, [{ path: 'a', content: 'y', base: '0000000000' }], { a: 'y' }],
    ['content that is there already needs no base', { a: 'x' }, [{ path: 'a', content: 'x' }], { a: 'x' }],
    [
      'a binary replaced',
      { a: Uint8Array.of(0) },
      [{ path: 'a', content: 'y', base: version(Uint8Array.of(0)) }],
      { a: 'y' },
    ],
    [
      'an edit, then other content',
      { a: 'x' },
      [swap('x', 'y'), { path: 'a', content: 'z', base: version('x') }],
      { a: 'z' },
    ],
    ['an edit, then the same content', { a: 'x' }, [swap('x', 'y'), { path: 'a', content: 'y' }], { a: 'y' }],
    ['a deletion', { a: 'x' }, [{ path: 'a', delete: true, base: version('x') }], { a: null }],
    [
      'a deletion, then a new file',
      { a: 'x' },
      [
        { path: 'a', delete: true, base: version('x') },
        { path: 'a', content: 'y', base: version('x') },
      ],
      { a: 'y' },
    ],
    [
      'made and deleted',
      { a: null },
      [
        { path: 'a', content: 'x' },
        { path: 'a', delete: true },
      ],
      {},
    ],
    ['a move', { a: 'x', b: null }, [{ path: 'a', move_to: 'b' }], { a: null, b: 'x' }],
    [
      'a move with an edit, then an edit',
      { a: 'x', b: null },
      [swap('x', 'y', { move_to: 'b' }), swap('y', 'z', { path: 'b' })],
      { a: null, b: 'z' },
    ],
    ['a move over a file', { a: 'x', b: 'y' }, [{ path: 'a', move_to: 'b', base: version('y') }], { a: null, b: 'x' }],
    [
      'a move over a file that the patch made',
      { a: 'x', b: null },
      [
        { path: 'b', content: 'y' },
        { path: 'a', move_to: 'b' },
      ],
      { a: null, b: 'x' },
    ],
    [
      'there and back',
      { a: 'x', b: null },
      [
        { path: 'a', move_to: 'b' },
        { path: 'b', move_to: 'a' },
      ],
      { a: 'x' },
    ],
    [
      'two files trade places',
      { a: 'x', b: 'y', c: null },
      [
        { path: 'a', move_to: 'c' },
        { path: 'b', move_to: 'a' },
        { path: 'c', move_to: 'b' },
      ],
      { a: 'y', b: 'x' },
    ],
    ['CRLF', { a: '1\r\n2\r\n' }, [swap('1\n2', '1\nx\n2')], { a: '1\r\nx\r\n2\r\n' }],
  ])('%s', (_, files, edits, result) => {
    expect(made(files, edits)).toEqual(result);
  });

  test('each outcome names the version on disk that it was made from, and where its permission bits come from', () => {
    expect(
      answer({ a: 'x', b: 'y', c: null }, [
        { path: 'a', move_to: 'b', base: version('y') },
        { path: 'c', content: '' },
      ]),
    ).toEqual([
      { path: 'a', bytes: null, base: version('x') },
      { path: 'b', bytes: encodeText('x'), base: version('y'), from: 'a' },
      { path: 'c', bytes: Uint8Array.of(), base: null },
    ]);
  });

  test('a moved binary keeps its bytes', () => {
    const bytes = Uint8Array.of(0, 255);
    expect(answer({ a: bytes, b: null }, [{ path: 'a', move_to: 'b' }])).toMatchObject([{ bytes: null }, { bytes }]);
  });

  test('a path that nobody looked for is a broken promise of the caller', () => {
    expect(() => answer({}, [swap('x', 'y')])).toThrow('nobody looked');
  });
});

describe('refusals', () => {
  test.each<[string, Files, Edit[], object]>([
    ['an edit of no file', { a: null }, [swap('x', 'y')], { code: 'NOT_FOUND', facts: { edit: 1, path: 'a' } }],
    ['a deletion of no file', { a: null }, [{ path: 'a', delete: true, base: version('x') }], { code: 'NOT_FOUND' }],
    ['a move of no file', { a: null, b: null }, [{ path: 'a', move_to: 'b' }], { code: 'NOT_FOUND' }],
    [
      'an edit where a file was moved away',
      { a: 'x', b: null },
      [{ path: 'a', move_to: 'b' }, swap('x', 'y')],
      { code: 'NOT_FOUND', facts: { edit: 2 } },
    ],
    [
      'a move onto itself',
      { a: 'x' },
      [{ path: 'a', move_to: 'a' }],
      { code: 'INVALID', facts: { argument: 'move_to' } },
    ],
    [
      'hostile input 23: a NUL',
      { a: Uint8Array.of(97, 0) },
      [swap('a', 'b')],
      { code: 'BINARY', facts: { path: 'a', edit: 1 } },
    ],
    ['hostile input 23: invalid UTF-8', { a: Uint8Array.of(97, 255) }, [swap('a', 'b')], { code: 'BINARY' }],
    [
      'no match',
      { a: 'one\ntwo' },
      [swap('  one', 'x')],
      {
        code: 'NO_MATCH',
        facts: { edit: 1, path: 'a', cause: 'white_space', closest: { from: 1, to: 2, text: 'one\ntwo' } },
      },
    ],
    [
      'no match and nothing like it',
      { a: 'one' },
      [swap('x', 'y')],
      { code: 'NO_MATCH', sentence: 'old_string of edit 1 is not in a.' },
    ],
    [
      'several matches',
      { a: 'x\nx' },
      [swap('x', 'y')],
      { code: 'NO_MATCH', facts: { lines: [1, 2] }, next: expect.stringContaining('replace_all') },
    ],
    [
      'many matches',
      { a: 'x\n'.repeat(30) },
      [swap('x', 'y')],
      { code: 'NO_MATCH', sentence: expect.stringMatching(/more than 20 times.* and others/) },
    ],
  ])('%s', (_, files, edits, refusal) => {
    expect(answer(files, edits)).toMatchObject(refusal);
  });
});

describe('promise 5: base', () => {
  test.each<[string, Files, Edit]>([
    ['content', { a: 'x' }, { path: 'a', content: 'y' }],
    ['delete', { a: 'x' }, { path: 'a', delete: true }],
    ['move_to over a file', { a: 'y', b: 'x' }, { path: 'a', move_to: 'b' }],
    ['an edit with move_to over a file', { a: 'y', b: 'x' }, swap('y', 'z', { move_to: 'b' })],
  ])('%s needs it, without being told which it is', (_, files, edit) => {
    const refusal = answer(files, [edit]);
    expect(refusal).toMatchObject({
      code: 'INVALID',
      facts: { argument: 'base', path: 'a' },
      next: expect.stringMatching(/^Call read/),
    });
    expect(JSON.stringify(refusal)).not.toContain(version('x'));
  });

  test.each<[string, Files, Edit, object]>([
    ['content', { a: 'new\n' }, { path: 'a', content: 'y' }, { a: 'old\n' }],
    ['delete', { a: 'new\n' }, { path: 'a', delete: true }, { a: 'old\n' }],
    ['move_to over a file', { a: 'x', b: 'new\n' }, { path: 'a', move_to: 'b' }, { b: 'old\n' }],
    ['an edit of the same line', { a: 'new\n' }, swap('old', 'own'), { a: 'old\n' }],
  ])('%s with a stale one is refused, with the difference', (_, files, edit, formers) => {
    expect(answer(files, [{ ...edit, base: version('old\n') }], formers as Files)).toMatchObject({
      code: 'STALE_BASE',
      facts: {
        edit: 1,
        base: version('old\n'),
        version: '0000000000',
        difference: expect.stringContaining('-old\n+new\n'),
      },
    });
  });

  test('without the contents of the stale version nothing is rebased or shown', () => {
    const refusal = answer({ a: 'new\n' }, [swap('new', 'x', { base: version('old\n') })]);
    expect(refusal).toMatchObject({ code: 'STALE_BASE', facts: { path: 'a' } });
    expect(isRefusal(refusal) && refusal.facts).not.toHaveProperty('difference');
    expect(
      answer({ a: 'new\n' }, [swap('new', 'x', { base: version('old\n') })], { a: Uint8Array.of(0) }),
    ).toMatchObject({ code: 'STALE_BASE' });
  });

  test('content with a base for a file that is gone', () => {
    expect(answer({ a: null }, [{ path: 'a', content: 'x', base: version('old') }])).toMatchObject({
      code: 'STALE_BASE',
      facts: { version: null },
    });
  });

  test('disjoint edits from a stale version are rebased, and said so', () => {
    const former = '1\n2\n3\n4\n5\n6\n';
    const files = { a: '1\n2\n3\n4\n5\nsix\n0\n', b: null };
    const base = version(former);
    const result = 'I\n2\n3\n4\n5\nsix\n0\n';
    expect(answer(files, [swap('1\n', 'I\n', { base })], { a: former })).toEqual([
      { path: 'a', bytes: encodeText(result), base: version(files.a), rebased: true },
    ]);
    // The base of one edit holds for the others, before and after it; they see one another in the older version.
    const several = [swap('1\n2', 'x\n2'), swap('x\n', 'y\n', { base: '00000000001\n' }), swap('y\n', 'I\n', { base })];
    expect(made(files, several, { a: former })).toEqual({ a: result });
    expect(answer(files, [swap('1\n', 'I\n', { base }), { path: 'a', move_to: 'b' }], { a: former })).toMatchObject([
      { path: 'a', bytes: null },
      { path: 'b', bytes: encodeText(result), rebased: true, from: 'a' },
    ]);
    expect(answer(files, [swap('six', 'VI', { base })], { a: former })).toMatchObject({ code: 'NO_MATCH' });
  });

  test('a stale version of what has become a binary', () => {
    expect(answer({ a: Uint8Array.of(0) }, [swap('x', 'y', { base: version('xx') })], { a: 'x' })).toMatchObject({
      code: 'BINARY',
    });
  });

  test('a move to a free path needs none; with a stale one it takes the present file along', () => {
    expect(answer({ a: 'new', b: null }, [{ path: 'a', move_to: 'b', base: version('old') }])).toMatchObject([
      {},
      { bytes: encodeText('new'), rebased: true },
    ]);
    expect(answer({ a: 'new', b: null }, [{ path: 'a', move_to: 'b', base: version('new') }])).toEqual([
      { path: 'a', bytes: null, base: version('new') },
      { path: 'b', bytes: encodeText('new'), base: null, from: 'a' },
    ]);
    expect(
      made({ a: null, b: null }, [
        { path: 'a', content: 'x' },
        { path: 'a', move_to: 'b', base: version('old') },
      ]),
    ).toEqual({ b: 'x' });
  });

  test('two versions of one file are INVALID', () => {
    const edits = [swap('x', 'y', { base: version('x1') }), swap('y', 'z', { base: version('x2') })];
    expect(answer({ a: 'x' }, edits)).toMatchObject({
      code: 'INVALID',
      facts: { argument: 'base', edit: 2, got: version('x2') },
    });
    expect(
      staleBases(
        edits.map((edit) => ({ source: { edit: 1 }, path: edit.path, base: String(edit.base) })),
        present({ a: 'x' }),
      ),
    ).toEqual([]);
  });

  test('staleBases names the versions whose contents are wanted', () => {
    const operations = parseEdits([
      { path: 'a', move_to: 'c' },
      swap('x', 'y', { path: 'c', base: version('old a') }),
      swap('x', 'y', { path: 'b', base: version('b') }),
      { path: 'b', move_to: 'd', base: version('old d') },
      { path: 'e', content: '', base: version('old e') },
    ]) as Operation[];
    expect(staleBases(operations, present({ a: 'a', b: 'b', c: null, d: 'd', e: null }))).toEqual([
      { path: 'a', base: version('old a') },
      { path: 'd', base: version('old d') },
    ]);
  });
});

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
    ['several matches', { a: 'x\nx\n' }, '--- a/a\n+++ b/a\n@@\n-x\n', { code: 'NO_MATCH', facts: { lines: [1, 2] } }],
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

describe('promise 12, hostile input 25: bounds', () => {
  const MB = 1024 * 1024;
  const large = 'x'.repeat(49 * MB);

  test('a result over 50 MB', () => {
    expect(answer({ a: 'ab' }, [swap('a', 'x'.repeat(50 * MB))])).toMatchObject({ code: 'LIMIT' });
    expect(answer({ a: null }, [{ path: 'a', content: 'é'.repeat(26 * MB) }])).toMatchObject({ code: 'LIMIT' });
  });

  test('results over 200 MB together', () => {
    const edits = ['a', 'b', 'c', 'd', 'e'].map((path) => ({ path, content: large }));
    const refusal = answer({ a: null, b: null, c: null, d: null, e: null }, edits);
    // Compared by its code alone: a failure would otherwise print all results.
    expect(isRefusal(refusal) && refusal.code).toBe('LIMIT');
  });

  test('too much searching', () => {
    const edits = Array.from({ length: 25 }, (_, i) => swap(`${i}:`, `${i + 1}:`));
    expect(answer({ a: `0:${large}` }, edits)).toMatchObject({ code: 'LIMIT', facts: { edit: 20 } });
    const hunks = Array.from({ length: 3 }, (_, i) => `--- a/a\n+++ b/a\n@@\n-${i}\n+${i + 1}\n`).join('');
    expect(answer({ a: `0\n${large.slice(0, 20 * MB)}` }, hunks)).toMatchObject({ code: 'LIMIT' });
  });

  test('too much merging, and texts too large for it', () => {
    const former = `1\n${'x\n'.repeat(15_000)}z`;
    const names = Array.from({ length: 300 }, (_, i) => `f${i}`);
    const all = <T>(value: T): { [path: string]: T } => Object.fromEntries(names.map((path) => [path, value]));
    const edits = names.map((path) => swap('1', '2', { path, base: version(former) }));
    expect(answer(all(`${former.slice(0, -1)}y`), edits, all(former))).toMatchObject({ code: 'LIMIT' });
    const huge = `1\n${'x\n'.repeat(60_000)}z`;
    expect(
      answer({ a: `${huge.slice(0, -1)}y` }, [swap('1', '2', { base: version(huge) })], { a: huge }),
    ).toMatchObject({
      code: 'STALE_BASE',
      sentence: expect.stringContaining('too large'),
    });
  });
});

test('random edits never throw, and a refused patch leaves no outcome', () => {
  const path = fc.constantFrom('a', 'b', 'c');
  const text = fc.constantFrom('', 'x', 'y', 'x\ny\n', 'x\r\ny');
  const base = fc.constantFrom(version('x'), version('x\ny\n'), '0000000000');
  const edit = fc.record(
    {
      path,
      old_string: text,
      new_string: text,
      content: text,
      delete: fc.boolean(),
      move_to: path,
      base,
      replace_all: fc.boolean(),
    },
    { requiredKeys: ['path'] },
  );
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 6 }), text, fc.option(text), (edits, a, b) => {
      const result = answer({ a, b, c: null }, edits as Edit[], { a: 'x\nq\n', b: 'x' });
      expect(isRefusal(result) || result.every(({ path: each }) => ['a', 'b', 'c'].includes(each))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
