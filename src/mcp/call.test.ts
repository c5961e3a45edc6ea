import { afterEach, expect, test, vi } from 'vitest';
import { call, type Request } from './call.js';
import { Connection, statelessDoor } from './connection.js';
import { listScopes } from './tools/list-scopes.js';
import { read } from './tools/read.js';
import { run } from './tools/run.js';
import { ToyWorkspace } from './toy-workspace.testsuite.js';

const errors: unknown[] = [];
const told: string[] = [];
const toy = new ToyWorkspace((line) => told.push(line));
const door = () => new Connection('stdio', 'c1', async () => toy);

afterEach(() => {
  vi.useRealTimers();
  errors.splice(0);
  told.splice(0);
});

function request(args: unknown, more: Partial<Request> = {}): Request {
  const signal = new AbortController().signal;
  return { args, meta: {}, client: 'cursor', signal, onerror: (error) => errors.push(error), ...more };
}

test('progress ends with the call, however it ends', async () => {
  vi.useFakeTimers();
  for (const command of ['fine', 'break']) await call(run, door(), request({ command }, { progress: () => undefined }));
  expect(vi.getTimerCount()).toBe(0);
});

test('a refusal that cannot be recorded is answered all the same, and told to the operator', async () => {
  const unwell = Object.assign(new ToyWorkspace(() => undefined), {
    refused: () => Promise.reject(new Error('the disk is full')),
  });
  const answer = await call(read, new Connection('stdio', 'c1', async () => unwell), request({ path: 'a' }));
  expect(answer.structuredContent).toMatchObject({ code: 'INVALID' });
  expect(errors).toEqual([new Error('the disk is full')]);
});

test('a provider that throws is a server that cannot work: it answers', async () => {
  for (const broken of [
    new Connection('stdio', 'c1', () => Promise.reject(new Error('no disk'))),
    statelessDoor({ name: 'ann', role: 'agent' }, () => Promise.reject(new Error('no disk'))),
  ]) {
    const answer = await call(listScopes, broken, request({}));
    expect(answer).toMatchObject({ isError: true, structuredContent: { code: 'UNAVAILABLE' } });
  }
});

test('a greeting that failed is made again with the next call', async () => {
  let failures = 1;
  const shy = Object.assign(new ToyWorkspace(() => undefined), {
    connected: async () => {
      if (failures-- > 0) throw new Error('busy');
    },
  });
  const connection = new Connection('stdio', 'c1', async () => shy);
  expect((await call(listScopes, connection, request({}))).isError).toBe(true);
  expect((await call(listScopes, connection, request({}))).isError).toBeUndefined();
});

test('calls that come together greet once, and a new coordinator is greeted anew', async () => {
  const others = [toy, new ToyWorkspace((line) => told.push(line))];
  let current = 0;
  const connection = new Connection('stdio', 'c1', async () => others[current] ?? toy);
  await Promise.all([call(listScopes, connection, request({})), call(listScopes, connection, request({}))]);
  expect(told.filter((line) => line.startsWith('connected'))).toHaveLength(1);
  current = 1;
  await call(listScopes, connection, request({}));
  expect(told.filter((line) => line.startsWith('connected'))).toHaveLength(2);
});

test('the names of ignored arguments are shown harmlessly, and not all of thousands', async () => {
  const strange = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`zz\n${'y'.repeat(100)}${i}`, 1]));
  const answer = await call(listScopes, door(), request(strange));
  const note = answer.content[1];
  expect(note?.type === 'text' && note.text).toMatch(/^Ignored, no such argument: zz\\ny+…, .*4980 more$/);
  expect(JSON.stringify(answer).length).toBeLessThan(10_000);
});
