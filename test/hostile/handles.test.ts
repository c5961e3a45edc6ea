import { expect, test } from 'vitest';
import { type Agent, httpAgent, serve, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { watch } from '../support/refusals.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n', 'src/c.txt': 'c\n' };
const EDITS = [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }];

/** Each call that acts under a handle. */
function acting(scope: string): readonly (readonly [tool: string, args: object])[] {
  return [
    ['patch', { scope, edits: EDITS }],
    ['run', { scope, command: 'echo evil > src/a.txt' }],
    ['publish_output', { scope, summary: 's' }],
    ['release_scope', { scope }],
    ['release_scope', { scope, changes: 'revert' }],
    ['claim_scope', { scope, units: ['src/c.txt'] }],
  ];
}

function another(handle: string): string {
  const last = handle.endsWith('a') ? 'b' : 'a';
  return handle.slice(0, -1) + last;
}

test('promise 2: a handle that is forged, of another agent or not whole opens nothing', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const ben = await stdioAgent(workspace.root, 'ben');
  const { scope } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const tries: readonly (readonly [handle: string, code: string, claim: string])[] = [
    ['S001', 'NOT_YOURS', 'NOT_YOURS'],
    [another(scope), 'LEASE_LOST', 'NOT_YOURS'],
    ['S001-aaaaaa', 'LEASE_LOST', 'NOT_YOURS'],
    [scope.toUpperCase(), 'UNKNOWN_SCOPE', 'UNKNOWN_SCOPE'],
    [scope.slice(0, -1), 'UNKNOWN_SCOPE', 'UNKNOWN_SCOPE'],
    [`${scope}a`, 'UNKNOWN_SCOPE', 'UNKNOWN_SCOPE'],
    ['S1', 'UNKNOWN_SCOPE', 'UNKNOWN_SCOPE'],
    ['S999', 'UNKNOWN_SCOPE', 'UNKNOWN_SCOPE'],
    ['S999-aaaaaa', 'UNKNOWN_SCOPE', 'UNKNOWN_SCOPE'],
    ['../S001', 'UNKNOWN_SCOPE', 'UNKNOWN_SCOPE'],
    ["' OR 1=1 --", 'UNKNOWN_SCOPE', 'UNKNOWN_SCOPE'],
    ['%', 'UNKNOWN_SCOPE', 'UNKNOWN_SCOPE'],
  ];
  for (const [handle, code, claim] of tries) {
    for (const [tool, args] of acting(handle)) {
      await refused(ben, tool === 'claim_scope' ? claim : code, tool, args);
    }
  }
  await refused(ben, 'UNKNOWN_SCOPE', 'claim_scope', { title: 't', consumes: ['S999'] });
  await refused(ben, 'UNKNOWN_SCOPE', 'open_scope', { title: 't', consumes: ['%'] });
  await refused(ben, 'UNKNOWN_SCOPE', 'list_scopes', { id: 'S999' });
  await ada.ok('patch', { scope, edits: EDITS });
});

test('promise 2: a scope that has ended takes nothing more', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const claim = async () => (await ada.ok('claim_scope', { title: 't', units: ['src/a.txt'] })).scope;
  const endings: readonly ((scope: string) => Promise<unknown>)[] = [
    (scope) => ada.ok('publish_output', { scope, summary: 's' }),
    (scope) => ada.ok('publish_output', { scope, summary: 's', status: 'failed' }),
    (scope) => ada.ok('release_scope', { scope }),
  ];
  for (const end of endings) {
    const scope = await claim();
    await end(scope);
    for (const [tool, args] of acting(scope)) await refused(ada, 'UNKNOWN_SCOPE', tool, args);
  }
});

test('promise 2: the handle of a former tenure is worthless, whoever has the scope now', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const { scope, id } = await ada.ok('claim_scope', { title: 't', units: ['src/a.txt'] });
  await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei' }] });
  expect((await runCli(['release', id, '--root', workspace.root])).code).toBe(0);
  const lost = acting(scope).filter(([tool]) => tool !== 'claim_scope');
  for (const [tool, args] of lost) await refused(ada, 'LEASE_LOST', tool, args);
  const ben = await stdioAgent(workspace.root, 'ben');
  const taken = await ben.ok('claim_scope', { scope: id });
  expect(taken.scope).not.toBe(scope);
  for (const [tool, args] of lost) await refused(ada, 'LEASE_LOST', tool, args);
  await ben.ok('release_scope', { scope: taken.scope });
  const again = await ada.ok('claim_scope', { scope: id });
  expect(again.scope).not.toBe(scope);
  for (const [tool, args] of lost) await refused(ada, 'LEASE_LOST', tool, args);
});

test('promise 2: a handle that is no good is said before what is wrong with the text, or nothing at all', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const { scope, id } = await ada.ok('claim_scope', { title: 't', units: ['src/a.txt'] });
  await ada.ok('patch', { scope, edits: EDITS });
  expect((await runCli(['release', id, '--root', workspace.root])).code).toBe(0);
  const faulty = [
    { edits: [{ path: 'src/a.txt', old_string: 'no such line', new_string: 'x' }] },
    { edits: [{ path: 'src/a.txt', content: 'x', base: '0123456789' }] },
    { edits: [{ path: '.git/config', content: 'x' }] },
    { edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'two' }] },
    { diff: 'no diff' },
  ];
  for (const args of faulty) await refused(ada, 'LEASE_LOST', 'patch', { scope, ...args });
});

test('with two active scopes a call has to say which', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  await ada.ok('claim_scope', { title: 'first', units: ['src/a.txt'] });
  await ada.ok('claim_scope', { title: 'second', units: ['src/b.txt'] });
  const without = [
    ['patch', { edits: EDITS }],
    ['run', { command: 'true' }],
    ['publish_output', { summary: 's' }],
    ['release_scope', {}],
  ] as const;
  for (const [tool, args] of without) {
    const { data } = await refused(ada, 'INVALID', tool, args);
    expect.soft(data.facts).toMatchObject({ argument: 'scope', scopes: ['S001', 'S002'] });
  }
});

test('without an active scope there is nothing to publish or release', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  for (const [tool, args] of [
    ['publish_output', { summary: 's' }],
    ['release_scope', {}],
  ] as const) {
    await refused(ada, 'NOT_CLAIMED', tool, args);
  }
  const { id } = await ada.ok('open_scope', { title: 't', units: ['src/a.txt'] });
  for (const [tool, args] of acting(id).slice(0, 4)) await refused(ada, 'NOT_CLAIMED', tool, args);
});

test('a sibling on the same connection does not act under a scope without its handle', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const parent = await stdioAgent(workspace.root, 'ada');
  const child = subagent(parent, 'sub-1');
  const { scope } = await parent.ok('claim_scope', { title: 'Parent', units: ['src/a.txt'] });
  await refused(child, 'HELD', 'claim_scope', { title: 'Child', units: ['src/'] });
  await refused(child, 'HELD', 'patch', { edits: EDITS });
  await refused(child, 'NOT_CLAIMED', 'publish_output', { summary: 's' });
  await refused(child, 'NOT_YOURS', 'patch', { scope: 'S001', edits: EDITS });
  await refused(child, 'NOT_YOURS', 'release_scope', { scope: 'S001' });
  await refused(parent, 'HELD', 'claim_scope', { title: 'For a child', units: ['src/a.txt'], agent: 'sub-2' });
  const own = await child.ok('claim_scope', { title: 'Child', units: ['src/b.txt'] });
  await refused(parent, 'HELD', 'claim_scope', { scope, units: ['src/b.txt'] });
  expect((await child.ok('list_scopes', { mine: true })).scopes).toMatchObject([{ id: own.id, scope: own.scope }]);
  await child.ok('patch', { scope, edits: EDITS });
});

test('a caller gets back what it claimed for agents that it named itself, and never what a reported one has', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const parent = await stdioAgent(workspace.root, 'ada');
  const child = subagent(parent, 'sub-1');
  const { scope } = await parent.ok('claim_scope', { title: 'Fix', units: ['src/a.txt'], agent: 'fixer' });
  const own = await child.ok('claim_scope', { title: 'Child', units: ['src/b.txt'] });
  const helped = await child.ok('claim_scope', { title: 'Help', units: ['src/c.txt'], agent: 'helper' });
  const mine = async (agent: Agent) => (await agent.ok('list_scopes', { mine: true })).scopes;
  expect(await mine(parent)).toMatchObject([{ agent: 'fixer', scope }]);
  const childs = [
    { agent: 'helper', scope: helped.scope },
    { agent: 'ada/sub-1', scope: own.scope },
  ];
  expect(await mine(child)).toHaveLength(2);
  expect(await mine(child)).toEqual(expect.arrayContaining(childs.map((row) => expect.objectContaining(row))));
  // To give an agent the name of a sibling opens nothing.
  for (const agent of ['ada/sub-1', 'helper']) {
    await refused(parent, 'NOT_YOURS', 'claim_scope', { scope: own.id, agent });
    await refused(parent, 'NOT_YOURS', 'claim_scope', { scope: helped.id, units: ['docs/'], agent });
    await refused(parent, 'HELD', 'claim_scope', { title: 'Over it', units: ['src/b.txt'], agent });
  }
  expect(await mine(parent)).toHaveLength(1);
  // The only active scope of a caller, whatever the name in it.
  expect((await parent.ok('patch', { edits: EDITS })).claimed).toBeUndefined();
  await parent.ok('claim_scope', { title: 'Own', units: ['docs/'] });
  const { data } = await refused(parent, 'INVALID', 'publish_output', { summary: 's' });
  expect(data.facts.scopes).toEqual(['S001', 'S004']);
  expect((await parent.ok('publish_output', { scope: 'S001', summary: 'Fixed' })).status).toBe('done');
});

function subagent(parent: Agent, id: string): Agent {
  const meta = { 'claudecode/agentId': id };
  const call: Agent['call'] = (tool, args) => parent.call(tool, args, { meta });
  const ok: Agent['ok'] = async (tool, args) => {
    const answer = await call(tool, args);
    if (answer.isError) throw new Error(answer.text);
    return answer.data;
  };
  return { ...parent, call, ok };
}

test('what others hold or queue for is neither written nor published over', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const ben = await stdioAgent(workspace.root, 'ben');
  const cleo = await stdioAgent(workspace.root, 'cleo');
  await ada.ok('claim_scope', { title: 'Read it', units: ['src/a.txt'], mode: 'read' });
  const queued = await ben.ok('claim_scope', { title: 'Next', units: ['src/'], wait_s: 0 });
  expect(queued.status).toBe('waiting');
  const others = [
    ['patch', { edits: EDITS }],
    ['patch', { edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] }],
    ['patch', { edits: [{ path: 'src/new.txt', content: 'x' }] }],
    ['patch', { diff: 'diff --git a/src/c.txt b/docs/c.txt\nrename from src/c.txt\nrename to docs/c.txt\n' }],
  ] as const;
  for (const [tool, args] of others) await refused(cleo, 'HELD', tool, args);
  for (const [tool, args] of acting(queued.scope).slice(0, 3)) await refused(ben, 'WAITING', tool, args);
  // A ticket that waits for the claimer itself is not ahead of it.
  await ada.ok('patch', { edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
});

test('promise 4: a claim that would wait for ever is refused, naming the cycle', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const ben = await stdioAgent(workspace.root, 'ben');
  const a = await ada.ok('claim_scope', { title: 'a', units: ['src/a.txt'] });
  const b = await ben.ok('claim_scope', { title: 'b', units: ['src/b.txt'] });
  await ada.ok('claim_scope', { scope: a.scope, units: ['src/b.txt'], wait_s: 0 });
  const { data } = await refused(ben, 'DEADLOCK', 'claim_scope', { scope: b.scope, units: ['src/a.txt'] });
  expect(data.facts.cycle).toEqual(['S002', 'S001']);
  expect(data.sentence).toContain('S001 (ada)');
});

test('agents without a connection act under their handles, and under nothing else', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const server = await serve(workspace.root);
  const ada = await httpAgent(server, 'ada', 'modern');
  const ben = await httpAgent(server, 'ben', 'modern');
  const { scope, id } = await ada.ok('claim_scope', { title: 't', units: ['src/a.txt'] });
  for (const [tool, args] of acting(id)) await refused(ada, 'NOT_YOURS', tool, args);
  await refused(ada, 'HELD', 'patch', { edits: EDITS });
  await refused(ben, 'HELD', 'patch', { edits: EDITS });
  expect((await ben.ok('list_scopes', { mine: true })).scopes).toEqual([]);
  await ada.ok('patch', { scope, edits: EDITS });
});

test('siblings without a connection do not get at each other: no handle is shown, no run is stopped', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const server = await serve(workspace.root);
  const ada = await httpAgent(server, 'opencode', 'modern');
  const sibling = await httpAgent(server, 'opencode', 'modern');
  const { scope, id } = await ada.ok('claim_scope', { title: 't', units: ['src/a.txt'] });
  const mine = await sibling.call('list_scopes', { mine: true });
  expect(mine.data.scopes).toMatchObject([{ id, units: ['src/a.txt'] }]);
  expect(mine.text + JSON.stringify(mine.data)).not.toContain(scope);
  expect(mine.text).toContain('Handles are not shown');
  expect((await sibling.ok('read', { paths: ['src/a.txt'] })).files).toMatchObject([{ held_by: { id } }]);
  const { run } = await ada.ok('run', { command: 'sleep 60', scope, background: true });
  await refused(sibling, 'NOT_YOURS', 'run', { run, stop: true });
  expect(await ada.ok('run', { run, stop: true, scope })).toMatchObject({ state: 'stopped' });
  const { run: free } = await ada.ok('run', { command: 'sleep 60', background: true });
  expect(await ada.ok('run', { run: free, stop: true })).toMatchObject({ state: 'stopped' });
});

test('a run is stopped by its own agent or under the handle of its scope, by nobody else', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const server = await serve(workspace.root);
  const ada = await httpAgent(server, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/a.txt'] });
  const { run } = await ada.ok('run', { command: 'sleep 60', background: true });
  const ben = await httpAgent(server, 'ben');
  await refused(ben, 'NOT_YOURS', 'run', { run, stop: true });
  await refused(ben, 'LEASE_LOST', 'run', { run, stop: true, scope: another(scope) });
  const far = await stdioAgent(workspace.root, 'far');
  await refused(far, 'NOT_YOURS', 'run', { run, stop: true });
  expect(await far.ok('run', { run, wait_s: 0 })).toMatchObject({ state: 'running' });
  await refused(ben, 'NOT_FOUND', 'run', { run: 'R999' });
  await refused(ben, 'NOT_FOUND', 'run', { run: '../R001', stop: true });
  expect(await ben.ok('run', { run, stop: true, scope })).toMatchObject({ state: 'stopped' });
});
