import { expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type {
  ClaimInput,
  ListInput,
  OpenInput,
  PatchInput,
  PublishInput,
  ReadInput,
  ReleaseInput,
  RunInput,
} from '../coordinator/contract.js';
import { isRefusal } from '../domain/refusal.js';
import {
  claimInput,
  listInput,
  openInput,
  patchInput,
  publishInput,
  readInput,
  releaseInput,
  runInput,
} from './inputs.js';
import { parse } from './parse.js';

function accepted(schema: z.ZodType, args: unknown) {
  const parsed = parse('tool', schema, args);
  if (isRefusal(parsed)) throw new Error(parsed.sentence);
  return parsed;
}

function refusal(schema: z.ZodType, args: unknown) {
  const parsed = parse('tool', schema, args);
  if (!isRefusal(parsed)) throw new Error(`accepted as ${JSON.stringify(parsed)}`);
  return parsed;
}

test('what the schemas give is what the coordinator takes', () => {
  expectTypeOf<z.infer<typeof readInput>>().toExtend<ReadInput>();
  expectTypeOf<z.infer<typeof patchInput>>().toExtend<PatchInput>();
  expectTypeOf<z.infer<typeof runInput>>().toExtend<RunInput>();
  expectTypeOf<z.infer<typeof claimInput>>().toExtend<ClaimInput>();
  expectTypeOf<z.infer<typeof publishInput>>().toExtend<PublishInput>();
  expectTypeOf<z.infer<typeof openInput>>().toExtend<OpenInput>();
  expectTypeOf<z.infer<typeof releaseInput>>().toExtend<ReleaseInput>();
  expectTypeOf<z.infer<typeof listInput>>().toExtend<ListInput>();
});

test.each([
  ['JSON text where a list belongs', readInput, { paths: '["a.ts","b.ts"]' }, { paths: ['a.ts', 'b.ts'] }],
  ['one text where a list of texts belongs', readInput, { paths: 'a.ts' }, { paths: ['a.ts'] }],
  ['a path that begins with a bracket', readInput, { paths: '[id].ts' }, { paths: ['[id].ts'] }],
  ['JSON text in a list of objects', patchInput, { edits: ['{"path":"a"}'] }, { edits: [{ path: 'a' }] }],
  ['JSON text as a list of objects', patchInput, { edits: '[{"path":"a"}]' }, { edits: [{ path: 'a' }] }],
  ['one object where a list belongs', patchInput, { edits: { path: 'a' } }, { edits: [{ path: 'a' }] }],
  ['JSON text as one object where a list belongs', patchInput, { edits: '{"path":"a"}' }, { edits: [{ path: 'a' }] }],
  ['a numeric text', runInput, { command: 'ls', wait_s: '2.5', from: ' 7 ' }, { command: 'ls', wait_s: 2.5, from: 7 }],
  ['a truth value as text', runInput, { command: 'ls', background: 'false' }, { command: 'ls', background: false }],
  ['null for an optional argument', runInput, { command: 'ls', scope: null }, { command: 'ls' }],
  [
    'JSON text that is a content',
    patchInput,
    { edits: [{ path: 'a', content: '[1]' }] },
    { edits: [{ path: 'a', content: '[1]' }] },
  ],
  ['all arguments as JSON text', readInput, '{"paths":["a"]}', { paths: ['a'] }],
  ['no arguments at all', listInput, undefined, {}],
])('forgives %s', (_, schema, args, input) => {
  expect(accepted(schema, args)).toEqual({ input, ignored: [] });
});

test('unknown arguments are left aside and named, in edits too', () => {
  const args = { edits: [{ path: 'a', content: '', why: 'because' }], wait_for_previous: true };
  expect(accepted(patchInput, args)).toEqual({
    input: { edits: [{ path: 'a', content: '' }] },
    ignored: ['edits[0].why', 'wait_for_previous'],
  });
});

test('the argument that Gemini adds to every call is near to no argument of any tool', () => {
  const schemas = [readInput, patchInput, runInput, claimInput, publishInput, openInput, releaseInput, listInput];
  const needed = { paths: ['a'], summary: 's', title: 't' };
  for (const schema of schemas) {
    const { ignored } = accepted(schema, { wait_for_previous: true, ...pick(needed, Object.keys(schema.shape)) });
    expect(ignored).toEqual(['wait_for_previous']);
  }
});

function pick(values: { [name: string]: unknown }, names: readonly string[]) {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

test.each([
  [patchInput, { edits: [{ path: 'a', oldString: 'x' }] }, 'edits[0].oldString', 'edits[0].old_string'],
  [patchInput, { edits: [{ file_path: 'a' }] }, 'edits[0].file_path', 'edits[0].path'],
  [patchInput, { edits: [{ path: 'a', old_str: 'x' }] }, 'edits[0].old_str', 'edits[0].old_string'],
  [readInput, { path: 'a' }, 'path', 'paths'],
  [listInput, { paths: 'a' }, 'paths', 'path'],
  [runInput, { command: 'ls', timeout: 5 }, 'timeout', 'timeout_s'],
  [runInput, { command: 'ls', run_in_background: true }, 'run_in_background', 'background'],
  [claimInput, { titel: 'x' }, 'titel', 'title'],
])('an unknown argument near to a real one is refused, naming both: %#', (schema, args, given, meant) => {
  expect(refusal(schema, args)).toMatchObject({ code: 'INVALID', facts: { argument: given, expected: meant } });
  expect(refusal(schema, args).next).toContain(meant);
});

test.each([
  [readInput, {}, 'paths', 'a list', 'nothing'],
  [readInput, { paths: [] }, 'paths', 'a list that is not empty', 'a list of 0'],
  [readInput, { paths: [5] }, 'paths[0]', 'text', '5'],
  [readInput, { paths: null }, 'paths', 'a list', 'null'],
  [readInput, { paths: ['a\0b'] }, 'paths[0]', 'text without NUL characters', 'the text "a\\u0000b"'],
  [readInput, { paths: ['a'.repeat(4_097)] }, 'paths[0]', 'text of at most 4096 characters', 'text of 4097 characters'],
  [patchInput, { edits: [{ content: 'x' }] }, 'edits[0].path', 'text', 'nothing'],
  [patchInput, { edits: ['no JSON'] }, 'edits[0]', 'an object', 'the text "no JSON"'],
  [claimInput, { mode: 'exclusive' }, 'mode', 'one of write, read', 'the text "exclusive"'],
  [
    claimInput,
    { title: 'a\u202eb' },
    'title',
    'one line without control or invisible characters',
    'the text "a\u202eb"',
  ],
  [openInput, { title: ' ' }, 'title', 'text that is not empty', 'the text " "'],
  [publishInput, { summary: ' ' }, 'summary', 'text that is not empty', 'the text " "'],
  [
    claimInput,
    { title: 'a\u001b[31m' },
    'title',
    'one line without control or invisible characters',
    'the text "a\\u001b[31m"',
  ],
  [runInput, { command: 'ls', wait_s: -1 }, 'wait_s', 'a number of at least 0', '-1'],
  [runInput, { command: 'ls', wait_s: '1e308' }, 'wait_s', 'a number', 'the text "1e308"'],
  [runInput, { command: 'ls', wait_s: Number.POSITIVE_INFINITY }, 'wait_s', 'a number', 'Infinity'],
  [runInput, { command: 'ls', from: 1.5 }, 'from', 'a whole number', '1.5'],
  [readInput, [], 'arguments', 'an object', 'a list of 0'],
])('a wrong value is refused with argument, expected, got: %#', (schema, args, argument, expected, got) => {
  expect(refusal(schema, args)).toMatchObject({ code: 'INVALID', facts: { argument, expected, got } });
});

test.each(['a\u2028b', 'a\u{e0041}b', 'a\ud800b', 'a\ufeffb', 'a\nb', 'a\u061cb'])(
  'a title hides nothing: %j',
  (title) => {
    expect(refusal(openInput, { title }).facts).toMatchObject({ argument: 'title' });
    expect(refusal(claimInput, { title: 'a', agent: title }).facts).toMatchObject({ argument: 'agent' });
  },
);

test('scripts and emoji that need joiners may stand in a title', () => {
  accepted(openInput, { title: 'می\u200cخواهم 👩\u200d💻' });
});

test('a refusal names the unknown arguments too: one of them may be what was meant', () => {
  expect(refusal(publishInput, { message: 'done' }).facts).toMatchObject({ argument: 'summary', unknown: ['message'] });
});

test('names of the language itself are unknown arguments like any other', () => {
  const args = JSON.parse('{"paths":["a"],"__proto__":{"polluted":1},"constructor":{},"toString":1}');
  const { input, ignored } = accepted(readInput, args);
  expect(input).toEqual({ paths: ['a'] });
  expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
  expect(ignored).toEqual(['__proto__', 'constructor', 'toString']);
  const edit = JSON.parse('{"edits":[{"path":"a","__proto__":{"delete":true}}]}');
  expect(accepted(patchInput, edit).input).toEqual({ edits: [{ path: 'a' }] });
  expect(accepted(patchInput, { edits: '[{"path":"a","__proto__":{"delete":true}}]' }).input).toEqual({
    edits: [{ path: 'a' }],
  });
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});

test('arguments nested beyond all reason are refused, not followed', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  expect(refusal(readInput, { paths: deep }).facts).toMatchObject({ argument: 'paths[0]', got: 'a list of 1' });
});
