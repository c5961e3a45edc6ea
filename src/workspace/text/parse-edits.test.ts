import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import { type Edit, parseEdits } from './parse-edits.js';

describe('edits become operations', () => {
  test.each<[Edit, object]>([
    [{ path: 'a', old_string: 'x', new_string: '' }, { change: { kind: 'replace', old: 'x', new: '', all: false } }],
    [
      { path: 'a', old_string: 'x', new_string: 'y', replace_all: true, base: '0123456789' },
      { change: { kind: 'replace', old: 'x', new: 'y', all: true }, base: '0123456789' },
    ],
    [{ path: 'a', content: '', delete: false, replace_all: false }, { change: { kind: 'content', text: '' } }],
    [{ path: 'a', delete: true, replace_all: false }, { delete: true }],
    [{ path: 'a', move_to: 'b' }, { moveTo: 'b' }],
    [
      { path: 'a', old_string: 'x', new_string: 'y', move_to: 'b' },
      { change: { kind: 'replace', old: 'x', new: 'y', all: false }, moveTo: 'b' },
    ],
  ])('%j', (edit, operation) => {
    expect(parseEdits([edit])).toEqual([{ source: { edit: 1 }, path: 'a', ...operation }]);
  });
});

describe('contradictions are INVALID and name the argument, what was expected and what came', () => {
  test.each<[string, string, Omit<Edit, 'path'>]>([
    ['edit', 'a path alone', {}],
    ['edit', 'a path alone', { base: '0123456789', delete: false, replace_all: false }],
    ['old_string', 'content and old_string', { content: 'x', old_string: 'a', new_string: 'b' }],
    ['new_string', 'content and new_string', { content: 'x', new_string: 'b' }],
    ['move_to', 'content and move_to', { content: 'x', move_to: 'b' }],
    ['delete', 'content', { delete: true, content: '' }],
    ['delete', 'old_string, new_string', { delete: true, old_string: 'a', new_string: 'b' }],
    ['delete', 'move_to', { delete: true, move_to: 'b' }],
    ['old_string', 'new_string alone', { new_string: 'b' }],
    ['old_string', 'replace_all alone', { replace_all: true, move_to: 'b' }],
    ['edit', 'a path alone', { replace_all: true }],
    ['new_string', 'nothing', { old_string: 'a' }],
    ['old_string', 'an empty one', { old_string: '', new_string: 'b' }],
    ['new_string', 'the same', { old_string: 'a', new_string: 'a' }],
    ['new_string', 'half a surrogate pair', { old_string: 'a', new_string: '\ud800' }],
    ['content', 'half a surrogate pair', { content: '\udc00' }],
    ['base', '9', { content: 'x', base: '123456789' }],
    ['base', '0', { delete: true, base: '' }],
  ])('%s: %s', (argument, got, edit) => {
    const refusal = parseEdits([
      { path: 'ok', content: '' },
      { path: 'a', ...edit },
    ]);
    expect(refusal).toMatchObject({ code: 'INVALID', facts: { edit: 2, path: 'a', argument, got } });
    expect(isRefusal(refusal) && refusal.sentence).toMatch(/^\w+ in edit 2 \(a\): expected .+, got .+\.$/);
  });

  test('no edits', () => {
    expect(parseEdits([])).toMatchObject({ code: 'INVALID', facts: { argument: 'edits' } });
  });
});

test('promise 12: at most 1,000 edits', () => {
  const edits = (count: number): Edit[] => Array.from({ length: count }, () => ({ path: 'a', content: '' }));
  expect(parseEdits(edits(1_000))).toHaveLength(1_000);
  expect(parseEdits(edits(1_001))).toMatchObject({ code: 'LIMIT' });
});
