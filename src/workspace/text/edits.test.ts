import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import { answer, type Files, made, swap, version } from './edits.testsuite.js';
import type { Edit } from './parse-edits.js';
import { encodeText } from './text.js';

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
