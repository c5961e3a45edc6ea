import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import { staleBases } from './bases.js';
import { answer, type Files, made, present, swap, version } from './edits.testsuite.js';
import type { Operation } from './operation.js';
import { type Edit, parseEdits } from './parse-edits.js';
import { encodeText } from './text.js';

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

  test.each<[string, Edit[], Files]>([
    ['content', [swap('x', 'y', { base: version('x') }), { path: 'a', content: 'z' }], { a: 'z' }],
    ['content before it', [{ path: 'a', content: 'z' }, swap('z', 'y', { base: version('x') })], { a: 'y' }],
    ['delete', [swap('x', 'y', { base: version('x') }), { path: 'a', delete: true }], { a: null }],
    ['move_to over it', [swap('x', 'y', { base: version('x') }), { path: 'b', move_to: 'a' }], { a: 'b', b: null }],
  ])('of one edit holds for the others of the file: %s', (_, edits, result) => {
    expect(made({ a: 'x', b: 'b' }, edits)).toEqual(result);
    expect(answer({ a: 'new', b: 'b' }, edits, { a: 'x' })).toMatchObject({ code: 'STALE_BASE', facts: { path: 'a' } });
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
