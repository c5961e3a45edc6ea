import { expect, test } from 'vitest';
import { isRefusal } from '../domain/refusal.js';
import { patchInput } from './inputs.js';
import { amendBody, declareBody, scopeParams, scopesQuery } from './rest-inputs.js';
import { parseStrict } from './strict.js';

/** The field that a refusal names, and what it says of it. */
function refused(schema: Parameters<typeof parseStrict>[0], value: unknown): unknown[] {
  const answer = parseStrict(schema, value);
  if (!isRefusal(answer)) return ['accepted'];
  expect(answer.code).toMatch(/^(INVALID|LIMIT)$/);
  return [answer.facts.argument, answer.sentence];
}

test.each([
  [{ titel: 'x' }, 'titel', 'There is no field "titel"; it looks like title.'],
  [{ title: 'x', units: 'src/' }, 'units', 'units does not fit: expected a list, got the text "src/".'],
  [{ title: 7 }, 'title', 'title does not fit: expected text, got 7.'],
  [{}, 'title', 'title does not fit: expected text, got nothing.'],
  [{ title: 'x', key: 'a' }, 'key', 'There is no field "key".'],
  [{ scopes: [] }, 'scopes', 'scopes does not fit: expected a list that is not empty, got a list of 0.'],
  [{ scopes: [{ title: 'x' }, { title: '' }] }, 'scopes[1].title', expect.stringContaining('text that is not empty')],
  [{ scopes: [{ title: 'x', phrase: 'build' }] }, 'scopes[0].phrase', expect.stringContaining('looks like phase')],
  [{ scopes: [{ title: 'x', produces: [{ path: 'a' }] }] }, 'scopes[0].produces[0].type', expect.anything()],
  [[], 'body', expect.stringContaining('an object')],
  [null, 'body', expect.anything()],
  [JSON.parse('{"title":"x","__proto__":{}}'), '__proto__', expect.stringContaining('no field')],
])('a declaration %j is refused by the field %s', (value, field, sentence) => {
  expect(refused(declareBody, value)).toEqual([field, sentence]);
});

test('promise 12: a list that is too long is refused by its length, before anything in it is looked at', () => {
  const scopes = new Proxy(Array.from({ length: 100_000 }), {
    get(list, name) {
      if (name !== 'length') throw new Error(`looked at ${String(name)}`);
      return list.length;
    },
  });
  expect(parseStrict(declareBody, { scopes })).toMatchObject({
    code: 'LIMIT',
    facts: { argument: 'scopes', expected: 'a list of at most 10000 items', got: 'a list of 100000' },
  });
});

test('a list that is too long is a LIMIT wherever it is', () => {
  const scopes = [{ title: 'x' }, { title: 'y', units: Array.from({ length: 1_001 }, () => 'a') }];
  expect(parseStrict(declareBody, { scopes })).toMatchObject({ code: 'LIMIT', facts: { argument: 'scopes[1].units' } });
});

test('fields inside of lists are strict too, and nothing is mended', () => {
  expect(refused(patchInput, { edits: [{ path: 'a', contents: 'x' }] })).toEqual([
    'edits[0].contents',
    'There is no field "edits[0].contents"; it looks like content.',
  ]);
  expect(refused(patchInput, { edits: '[]' })[0]).toBe('edits');
});

test('a scope is amended, or has its status changed', () => {
  expect(refused(amendBody, { title: 'x', status: 'open' })[0]).toBe('body');
  expect(refused(amendBody, {})[0]).toBe('body');
  expect(refused(amendBody, { reason: 'x' })[0]).toBe('body');
  expect(refused(amendBody, { status: 'done' })[0]).toBe('status');
  expect(refused(amendBody, { status: 'paused', reason: 'x' })).toEqual(['accepted']);
  expect(refused(amendBody, { priority: 3 })).toEqual(['accepted']);
});

test('the handle of a scope does not belong in a path', () => {
  expect(refused(scopeParams, { id: 'S001-abcdef' })[1]).toContain('belongs in the body');
});

test('numbers in a query are read, and no others', () => {
  expect(parseStrict(scopesQuery, { limit: '5' })).toEqual({ input: { limit: 5 } });
  for (const limit of ['0', '501', '1.5', 'ten', '']) expect(refused(scopesQuery, { limit })[0]).toBe('limit');
});
