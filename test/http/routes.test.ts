import { expect, test } from 'vitest';
import { OPERATIONS } from '../../src/wire/operations.js';
import { serve } from '../support/agents.js';
import { CALLED, program, tokenFor } from '../support/rest.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\n', 'src/b.txt': 'two\n' };
const TRACE = '0af7651916cd43dd8448eb211c80319c';

test('every route does what its description says', async () => {
  const workspace = newWorkspace(FILES);
  const served = await serve(workspace.root);
  const [olga, ada, ben] = [program(served), program(served, { agent: 'ada' }), program(served, { agent: 'ben' })];
  const plan = {
    scopes: [
      { key: 'parent', title: 'All of it', priority: 2, inputs: ['REQ-003'], done: ['it works'], non_goals: ['more'] },
      {
        key: 'a',
        title: 'Change a',
        units: ['src/a.txt'],
        produces: ['src/a.txt'],
        parent: 'parent',
        inputs: ['REQ-004'],
      },
      { key: 'b', title: 'Change b', units: ['src/b.txt'], consumes: ['a'], phase: 'test', parent: 'parent' },
    ],
  };
  const declared = await olga.ok('declareScopes', { body: plan });
  expect(declared).toMatchObject({
    status: 201,
    headers: { location: '/control-plane/scopes/S001' },
    body: { ids: ['S001', 'S002', 'S003'] },
  });

  const { body: waiting } = await ben.ok('claimScope', { params: { id: 'S003' }, body: { wait_s: 0 } });
  expect(waiting).toMatchObject({ id: 'S003', status: 'waiting', blocked_on: ['S002'] });
  const { body: all } = await ada.ok('claimNextScope', {});
  expect(all).toMatchObject({ id: 'S001', status: 'active' });
  const released = await ada.ok('releaseScope', {
    params: { id: 'S001' },
    body: { scope: all.scope, reason: 'too wide' },
  });
  expect(released.body).toEqual({ id: 'S001', status: 'open', reverted: [] });
  const { body: own } = await ada.ok('claimScope', { params: { id: 'S002' } });

  await olga.ok('noteScope', { params: { id: 'S002' }, body: { text: 'Mind the end of the line.' } });
  const edits = [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }];
  const { body: patched } = await ada.ok('patch', { body: { scope: own.scope, edits } });
  expect(patched.notes).toEqual([{ scope: 'S002', from: 'operator', text: 'Mind the end of the line.' }]);
  const { body: read } = await ada.ok('read', { body: { paths: ['src/a.txt', 'src/', 'nothing'] } });
  expect(read.files[0]).toMatchObject({ text: 'eins\n', held_by: { id: 'S002', agent: 'ada' } });
  const { body: ran } = await ada.ok('run', { body: { scope: own.scope, command: 'cat src/a.txt' } });
  expect(ran).toMatchObject({ state: 'exited', exit_code: 0, output: 'eins\n' });
  const { body: run } = await olga.ok('getRun', { params: { id: ran.run } });
  expect(run).toMatchObject({ run: ran.run, scope: 'S002', agent: 'ada', command: 'cat src/a.txt', exit_code: 0 });

  const { text: diff } = await olga.ok('diffScope', { params: { id: 'S002' } });
  expect(diff).toContain('-one\n+eins\n');
  const granting = ben.ok('claimScope', { params: { id: 'S003' }, body: { scope: waiting.scope } });
  const output = { scope: own.scope, summary: 'Changed a' };
  const { body: published } = await ada.ok('publishOutput', { params: { id: 'S002' }, body: output });
  expect(published).toMatchObject({ id: 'S002', status: 'done', unblocked: ['S003'], commit: expect.any(String) });
  const [artifact] = published.artifacts;
  expect((await granting).body).toMatchObject({ status: 'active', inputs: [{ hash: artifact.hash, scope: 'S002' }] });

  const { body: detail, headers } = await olga.ok('getScope', { params: { id: 'S002' } });
  expect(headers.etag).toBe(`"${detail.revision}"`);
  expect(detail).toMatchObject({
    status: 'done',
    parent: 'S001',
    inputs: ['REQ-004'],
    changes: [{ path: 'src/a.txt', before: expect.any(String), after: artifact.hash }],
    artifacts: [{ id: artifact.id, agent: 'ada', commit: published.commit, inputs: { references: ['REQ-004'] } }],
  });
  expect((await olga.ok('getScope', { params: { id: 'S001' } })).body.children).toEqual(['S002', 'S003']);
  const made = await olga.ok('listArtifacts', { query: { path: 'src/a.txt' } });
  expect(made.body.artifacts).toEqual(detail.artifacts);
  expect((await olga.ok('getArtifact', { params: { hash: artifact.hash } })).text).toBe('eins\n');

  const { body: blamed } = await olga.ok('blame', { query: { path: 'src/a.txt:1' } });
  expect(blamed).toMatchObject({
    total_lines: 1,
    ranges: [{ by: 'scope', scope: 'S002', agent: 'ada', text: 'eins\n' }],
  });

  const undone = await olga.ok('undoScope', { params: { id: 'S002' }, body: { reason: 'too early' } });
  expect(undone.body).toEqual({
    id: 'S002',
    status: 'undone',
    by: 'S004',
    paths: ['src/a.txt'],
    commit: expect.any(String),
  });
  expect(workspace.text('src/a.txt')).toBe('one\n');
  const { body: told } = await ben.ok('claimScope', { params: { id: 'S003' }, body: { scope: waiting.scope } });
  expect(told.notes).toMatchObject([
    { from: 'S004', text: expect.stringContaining('S002, whose outputs you consume') },
  ]);

  const amended = await olga.ok('amendScope', { params: { id: 'S001' }, body: { priority: 5 } });
  expect(amended.body).toMatchObject({ id: 'S001', priority: 5, status: 'open' });
  const listed = await olga.ok('listScopes', { query: { status: 'open' } });
  expect(listed.body.scopes).toMatchObject([{ id: 'S001', priority: 5 }]);
  expect([...CALLED].sort()).toEqual(Object.keys(OPERATIONS).sort());
});

test('a scope is paused, resumed, cancelled, opened again and taken away, each an event with the name of the token', async () => {
  const workspace = newWorkspace(FILES);
  const served = await serve(workspace.root);
  const token = await tokenFor(workspace.root, 'olga', '--role', 'operator');
  const olga = program(served, { token, agent: 'somebody else' });
  const ada = program(served, { agent: 'ada' });
  await olga.ok('declareScopes', { body: { title: 'Work', units: ['src/'] } });
  const set = async (status: string) =>
    (await olga.ok('amendScope', { params: { id: 'S001' }, body: { status, reason: `now ${status}` } })).body.status;
  expect([await set('paused'), await set('open'), await set('cancelled'), await set('open')]).toEqual([
    'paused',
    'open',
    'cancelled',
    'open',
  ]);
  const { body } = await ada.ok('claimScope', { params: { id: 'S001' } });
  const away = await olga.ok('releaseScope', { params: { id: 'S001' }, body: { reason: 'needed elsewhere' } });
  expect(away.body).toEqual({ id: 'S001', status: 'open', reverted: [] });
  const edits = [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }];
  await ada.refused(409, 'LEASE_LOST', 'patch', { body: { scope: body.scope, edits } });
  const acts = (await workspace.events()).filter(({ agent }) => agent === 'olga').map(({ body: { type } }) => type);
  const types = ['scope.paused', 'scope.resumed', 'scope.cancelled', 'scope.reopened', 'scope.released'];
  expect(acts).toEqual(types);
});

test('promise 5: a change of a scope that has changed since its ETag is refused, and changes nothing', async () => {
  const { root } = newWorkspace(FILES);
  const olga = program(await serve(root));
  await olga.ok('declareScopes', { body: { title: 'Work' } });
  const params = { id: 'S001' };
  const { etag = '' } = (await olga.ok('getScope', { params })).headers;
  const next = await olga.ok('amendScope', { params, body: { title: 'Other' }, headers: { 'if-match': etag } });
  await olga.refused(412, 'STALE_BASE', 'amendScope', {
    params,
    body: { title: 'Third' },
    headers: { 'if-match': etag },
  });
  await olga.refused(412, 'STALE_BASE', 'amendScope', {
    params,
    body: { status: 'paused' },
    headers: { 'if-match': 'W/"x"' },
  });
  expect((await olga.ok('getScope', { params })).body).toMatchObject({ title: 'Other', status: 'open' });
  const either = `"0000", ${next.headers.etag}`;
  await olga.ok('amendScope', { params, body: { status: 'paused' }, headers: { 'if-match': either } });
  await olga.ok('amendScope', { params, body: { status: 'open' }, headers: { 'if-match': '*' } });
});

test('lists come a page at a time, and lose nothing that was there when they began', async () => {
  const { root } = newWorkspace(FILES);
  const olga = program(await serve(root));
  const scopes = Array.from({ length: 7 }, (_, at) => ({
    title: `Work ${at}`,
    phase: at % 2 === 0 ? 'build' : 'test',
  }));
  await olga.ok('declareScopes', { body: { scopes } });
  const ids: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const query = { limit: '3', ...(cursor === '' ? {} : { cursor }) };
    const { body } = await olga.ok('listScopes', { query });
    ids.push(...body.scopes.map(({ id }: { id: string }) => id));
    if (cursor === '') await olga.ok('declareScopes', { body: { title: 'Meanwhile' } });
    cursor = body.next;
  }
  expect(ids).toEqual(['S007', 'S006', 'S005', 'S004', 'S003', 'S002', 'S001']);
  const { body } = await olga.ok('listScopes', { query: { phase: 'test' } });
  expect(body.scopes.map(({ id }: { id: string }) => id)).toEqual(['S006', 'S004', 'S002']);
});

test('lists are filtered by a scope by its id or its handle, and where there is none they are empty', async () => {
  const { root } = newWorkspace(FILES);
  const olga = program(await serve(root));
  await olga.ok('declareScopes', { body: { title: 'Whole', units: ['src/'] } });
  const part = { title: 'Part', parent: 'S001', units: ['lib/'] };
  await olga.ok('declareScopes', { body: part });
  const { body: claimed } = await olga.ok('claimScope', { params: { id: 'S001' } });
  const artifacts = [{ type: 'note', content: 'Hello' }];
  const output = { scope: claimed.scope, summary: 'Done', artifacts };
  const { body: published } = await olga.ok('publishOutput', { params: { id: 'S001' }, body: output });
  for (const scope of ['S001', claimed.scope]) {
    const parts = await olga.ok('listScopes', { query: { parent: scope } });
    expect(parts.body.scopes).toMatchObject([{ id: 'S002' }]);
    expect((await olga.ok('listScopes', { query: { parent: scope, path: 'lib' } })).body.scopes).toEqual([]);
    const made = await olga.ok('listArtifacts', { query: { scope } });
    expect(made.body.artifacts).toMatchObject([{ id: published.artifacts[0].id, scope: 'S001' }]);
  }
  const none = { parent: await olga.ok('listScopes', { query: { parent: 'S999' } }) };
  expect(none.parent.body).toEqual({ scopes: [] });
  expect((await olga.ok('listArtifacts', { query: { scope: 'S999' } })).body).toEqual({ artifacts: [] });
});

test('an artifact is known by its whole hash, and is not sent again to whoever has it', async () => {
  const { root } = newWorkspace(FILES);
  const served = await serve(root);
  const ada = program(served);
  const { body: claimed } = await ada.ok('claimScope', {
    params: { id: (await ada.ok('declareScopes', { body: { title: 'Tell' } })).body.ids[0] },
  });
  const output = { scope: claimed.scope, summary: 'Told', artifacts: [{ type: 'note', content: 'Hello' }] };
  const { body: published } = await ada.ok('publishOutput', { params: { id: claimed.id }, body: output });
  const { hash } = published.artifacts[0];
  for (const given of [hash, hash.slice(0, 10)]) {
    const { headers, text } = await ada.ok('getArtifact', { params: { hash: given } });
    expect([text, headers.etag, headers['cache-control']]).toEqual(['Hello', `"${hash}"`, 'private, no-cache']);
  }
  const ask = (tags: string) => ada.ok('getArtifact', { params: { hash }, headers: { 'if-none-match': tags } });
  for (const tags of [`"${hash}"`, `"0000", W/"${hash}"`, '*'])
    expect(await ask(tags)).toMatchObject({ status: 304, text: '', headers: { etag: `"${hash}"` } });
  expect((await ask('"0000"')).status).toBe(200);
});

test('what cannot be undone, and lines that nobody can be named for, are problems that say why', async () => {
  const { root, text } = newWorkspace(FILES);
  const served = await serve(root);
  const [olga, ada] = [program(served), program(served, { agent: 'ada' })];
  const work = async (title: string, from: string, to: string) => {
    const { body } = await ada.ok('patch', {
      body: { edits: [{ path: 'src/a.txt', old_string: from, new_string: to }] },
    });
    const params = { id: body.scope.slice(0, 4) };
    await olga.refused(409, 'BLOCKED', 'undoScope', { params });
    await ada.ok('publishOutput', { params, body: { scope: body.scope, summary: title } });
  };
  await work('First', 'one', 'eins');
  await work('Second', 'eins', 'uno');
  const params = { id: 'S001' };
  const { body } = await olga.refused(409, 'BLOCKED', 'undoScope', { params });
  expect(body.facts).toMatchObject({
    scope: 'S001',
    built_on: [{ scope: 'S002', agent: 'ada', paths: ['src/a.txt'] }],
  });
  await olga.refused(400, 'INVALID', 'undoScope', { params, body: { force: true } });
  await olga.refused(400, 'INVALID', 'undoScope', { params, body: { conflict: 'yes' } });
  await olga.refused(404, 'UNKNOWN_SCOPE', 'undoScope', { params: { id: 'S099' } });
  const conflict = await olga.ok('undoScope', { params, body: { conflict: true } });
  expect(conflict.body).toEqual({ id: 'S001', status: 'conflict', by: 'S003', paths: ['src/a.txt'] });
  expect(text('src/a.txt')).toBe('uno\n');
  await olga.refused(400, 'INVALID', 'blame', { query: {} });
  await olga.refused(400, 'INVALID', 'blame', { query: { path: 'src/' } });
  await olga.refused(404, 'NOT_FOUND', 'blame', { query: { path: 'src/none.txt' } });
  await olga.refused(403, 'OUTSIDE', 'blame', { query: { path: '../x' } });
});

test('a trace follows a change through every event of its calls, and comes back', async () => {
  const workspace = newWorkspace(FILES);
  const ada = program(await serve(workspace.root), { agent: 'ada' });
  const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
  const edits = [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }];
  const { body, headers } = await ada.ok('patch', { body: { edits }, headers: { traceparent } });
  expect(headers.traceparent).toBe(traceparent);
  await ada.ok('publishOutput', {
    params: { id: body.scope.slice(0, 4) },
    body: { scope: body.scope, summary: 'Done' },
    headers: { traceparent },
  });
  const traces = (await workspace.events()).map(({ trace }) => trace);
  expect(traces.length).toBeGreaterThan(3);
  expect(new Set(traces)).toEqual(new Set([TRACE]));
  const broken = await ada.ok('listScopes', { headers: { traceparent: `00-${TRACE}-xyz-01` } });
  expect(broken.headers.traceparent).toBeUndefined();
});

test('a role may what its table says: observers look, agents work, operators decide', async () => {
  const workspace = newWorkspace(FILES);
  const served = await serve(workspace.root);
  const as = async (role: string) => program(served, { token: await tokenFor(workspace.root, role, '--role', role) });
  const [agent, observer] = [await as('agent'), await as('observer')];
  await agent.ok('declareScopes', { body: { title: 'Work' } });
  const params = { id: 'S001' };
  await observer.ok('getScope', { params });
  await observer.ok('listScopes');
  await observer.ok('blame', { query: { path: 'src/a.txt' } });
  const before = await workspace.events();
  await observer.refused(403, 'DENIED', 'declareScopes', { body: { title: 'Work' } });
  await observer.refused(403, 'DENIED', 'claimScope', { params });
  await observer.refused(403, 'DENIED', 'run', { body: { command: 'true' } });
  await agent.refused(403, 'DENIED', 'declareScopes', { body: { title: 'Work', priority: 9 } });
  await agent.refused(403, 'DENIED', 'declareScopes', { body: { scopes: [{ title: 'Work', checks: ['true'] }] } });
  await agent.refused(403, 'DENIED', 'amendScope', { params, body: { title: 'Mine' } });
  await agent.refused(403, 'DENIED', 'noteScope', { params, body: { text: 'Hello' } });
  await agent.refused(403, 'DENIED', 'releaseScope', { params });
  await agent.refused(403, 'DENIED', 'undoScope', { params });
  expect(await workspace.events()).toEqual(before);
});
