import { expect, onTestFinished, test } from 'vitest';
import { assemble } from '../../src/cli/assemble.js';
import { liveScope } from '../../src/domain/blockers.js';
import { lost } from '../../src/domain/leases.js';
import { isRefusal } from '../../src/domain/refusal.js';
import { DEFAULTS } from '../../src/domain/settings.js';
import { type Agent, httpAgent, serve, stdioAgent } from '../support/agents.js';
import { runCli, startCli } from '../support/cli.js';
import { lapseTickets } from '../support/lapse.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n' };
const EDITS = [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }];

const DOORS: readonly (readonly [door: string, open: (root: string, name: string) => Promise<Agent>])[] = [
  ['stdio', (root, name) => stdioAgent(root, name)],
  ['HTTP with a session', async (root, name) => httpAgent(await serve(root), name)],
  ['HTTP without one', async (root, name) => httpAgent(await serve(root), name, 'modern')],
];

test.each(DOORS)('promise 3: a claim that its client gives up ends, and keeps its place, over %s', async (_, open) => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await open(root, 'ben');
  const cleo = await stdioAgent(root, 'cleo');
  const { scope: holder } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const given = await ben.ok('claim_scope', { title: 'First', units: ['src/a.txt'], wait_s: 0 });
  const cancel = new AbortController();
  const status = startCli(['events', '--follow', '--json'], { cwd: root });
  const waits = ben.call('claim_scope', { scope: given.scope, units: ['src/b.txt'] }, { signal: cancel.signal });
  await status.shows(/"scope.queued".*src\/b\.txt/);
  cancel.abort();
  await expect(waits).rejects.toThrow();
  const second = cleo.ok('claim_scope', { title: 'Second', units: ['src/a.txt'] });
  await status.shows(/"S003".*"scope.queued"|"scope.queued".*"S003"/);
  await ada.ok('release_scope', { scope: holder });
  expect(await ben.ok('claim_scope', { scope: given.scope })).toMatchObject({
    status: 'active',
    units: ['src/a.txt', 'src/b.txt'],
  });
  await ben.ok('patch', { scope: given.scope, edits: EDITS });
  await ben.ok('publish_output', { scope: given.scope, summary: 's' });
  expect(await second).toMatchObject({ status: 'active' });
});

test('promise 3: after a cancellation nobody waits any more, so the grant is held until it is fetched', async () => {
  const workspace = newWorkspace({ ...FILES, 'signalbox.yaml': 'lease_seconds: 6\n' });
  const ada = await stdioAgent(workspace.root, 'ada');
  const ben = await stdioAgent(workspace.root, 'ben');
  const store = await workspace.store();
  await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const cancel = new AbortController();
  const waits = ben.call('claim_scope', { title: 'Next', units: ['src/a.txt'] }, { signal: cancel.signal });
  const owner = await until(ada, () => store.view({}, ({ state }) => state.scopes.get('S002')?.owner?.connection));
  cancel.abort();
  await expect(waits).rejects.toThrow();
  // Its server reads in order: with this answer it has heard of the cancellation.
  await ben.ok('list_scopes');
  await ada.ok('release_scope', {});
  // With the beat that follows, a server forgets the tickets of grants that were fetched.
  for (let beat = 0; beat < 2; beat++) {
    const before = await store.view({}, (view) => view.life(owner)?.seen);
    await until(ada, () => store.view({}, (view) => view.life(owner)?.seen !== before || undefined));
  }
  expect(await store.view({}, (view) => view.life('ticket:S002'))).toBeDefined();
  expect(await ben.ok('claim_scope', { scope: 'S002' })).toMatchObject({ status: 'active' });
});

test.each([
  ['claimed again', 'claim_scope', {}],
  ['used for a command', 'run', { command: 'true' }],
])('promise 7: a grant that is %s is fetched: its agent may think as long as it likes', async (_, tool, args) => {
  const workspace = newWorkspace(FILES);
  const ada = await stdioAgent(workspace.root, 'ada');
  const ben = await stdioAgent(workspace.root, 'ben');
  await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const { scope } = await ben.ok('claim_scope', { title: 'Next', units: ['src/a.txt'], wait_s: 0 });
  await ada.ok('release_scope', {});
  const store = await workspace.store();
  const settings = { ...DEFAULTS, lease: 60 * DEFAULTS.collect };
  const thinking = () =>
    store.view({}, (view) =>
      lost({ ...view, settings, now: view.now + DEFAULTS.collect + 1 }, liveScope(view, 'S002')),
    );
  expect(await thinking()).toBe('its grant was not collected');
  await ben.ok(tool, { scope, ...args });
  expect(await thinking()).toBeUndefined();
});

test('promise 2: a waiter whose scope was given to somebody else meanwhile does not get the new handle', async () => {
  const { root } = newWorkspace(FILES);
  const [ada, ben, cleo] = await Promise.all(['ada', 'ben', 'cleo'].map((name) => stdioAgent(root, name)));
  if (ada === undefined || ben === undefined || cleo === undefined) throw new Error('three agents were started');
  const { scope: held } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const { id } = await ada.ok('open_scope', { title: 'Later', units: ['src/a.txt'] });
  const waits = ben.call('claim_scope', { scope: id });
  const status = startCli(['status', '--watch'], { cwd: root });
  await status.shows(/S002 +waiting +ben/);
  ben.signal('SIGSTOP');
  expect((await runCli(['release', id], { cwd: root })).code).toBe(0);
  await ada.ok('release_scope', { scope: held });
  const taken = await cleo.ok('claim_scope', { scope: id });
  ben.signal('SIGCONT');
  const answer = await waits;
  expect(answer.text).toMatch(/^LEASE_LOST: S002 is active: it is no longer yours/);
  expect(answer.text + JSON.stringify(answer.data)).not.toContain(taken.scope);
});

/** Looks again with every answer that an agent gets. */
async function until<T>(agent: Agent, look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await agent.ok('list_scopes');
  }
}

test('promise 3: with wait_s the call answers in time, and its place is told', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const cleo = await stdioAgent(root, 'cleo');
  await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const first = await ben.ok('claim_scope', { title: 'First', units: ['src/'], wait_s: 0 });
  expect(first).toMatchObject({
    status: 'waiting',
    units: ['src/'],
    queue: { position: 1, ahead: [{ id: 'S001', agent: 'ada', title: 'Mine', units: ['src/a.txt'] }] },
  });
  const second = await cleo.ok('claim_scope', { title: 'Second', units: ['src/b.txt'], wait_s: 0.2 });
  expect(second).toMatchObject({ status: 'waiting', queue: { position: 2, ahead: [{ id: 'S002', agent: 'ben' }] } });
  expect(await cleo.ok('claim_scope', { scope: second.scope, wait_s: 0 })).toMatchObject({ status: 'waiting' });
});

test('promise 3: a reader waits for a writer, readers share, and an upgrade waits for the others', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const units = ['src/a.txt'];
  const a = await ada.ok('claim_scope', { title: 'Read', units, mode: 'read' });
  const b = await ben.ok('claim_scope', { title: 'Read', units, mode: 'read' });
  expect([a.status, b.status]).toEqual(['active', 'active']);
  await ada.refused('HELD', 'patch', { edits: EDITS });
  const upgrade = ada.ok('claim_scope', { scope: a.scope, units });
  const status = startCli(['status', '--watch'], { cwd: root });
  await status.shows(/S001.*src\/a\.txt +src\/a\.txt/);
  await ben.ok('release_scope', { scope: b.scope });
  expect(await upgrade).toMatchObject({ status: 'active' });
  await ada.ok('patch', { edits: EDITS });
});

test('a scope that consumes another waits for its output, and is granted with its inputs', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const { id: spec } = await ada.ok('open_scope', {
    title: 'Write the spec',
    units: ['docs/'],
    produces: ['docs/spec.md'],
    phase: 'design',
    note: 'Two lines\nare enough.',
  });
  const waits = ben.ok('claim_scope', { title: 'Build it', units: ['src/'], consumes: [spec] });
  const status = startCli(['events', '--follow', '--json'], { cwd: root });
  await status.shows(/"scope.queued"/);
  const { scopes } = await ada.ok('list_scopes', { status: 'waiting' });
  expect(scopes).toMatchObject([{ id: 'S002', blocked_on: [spec], consumes: [spec] }]);
  expect((await ada.ok('list_scopes', { id: spec })).scopes[0]).toMatchObject({ note: 'Two lines\nare enough.' });
  const { scope } = await ada.ok('claim_scope', { scope: spec });
  // What waits for outputs holds nobody back.
  const cleo = await stdioAgent(root, 'cleo');
  await cleo.ok('patch', { edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
  await cleo.ok('publish_output', { summary: 's' });
  await ada.refused('INCOMPLETE', 'publish_output', { scope, summary: 'Spec' });
  await ada.ok('patch', { scope, edits: [{ path: 'docs/spec.md', content: '# Spec\n' }] });
  const artifacts = [{ type: 'decision', content: 'We use text.' }];
  const published = await ada.ok('publish_output', { scope, summary: 'The spec', artifacts });
  expect(published.unblocked).toEqual(['S002']);
  const granted = await waits;
  expect(granted).toMatchObject({ status: 'active', units: ['src/'] });
  expect(granted.inputs).toMatchObject([
    { type: 'decision', scope: spec, summary: 'The spec' },
    { type: 'file', path: 'docs/spec.md', scope: spec },
  ]);
  const paths = granted.inputs.map((input: { hash: string }) => `artifact:${input.hash}`);
  const { files } = await ben.ok('read', { paths });
  expect(files.map((file: { text: string }) => file.text)).toEqual(['We use text.', '# Spec\n']);
});

test('work that was put up is taken by another agent, once', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const { id } = await ada.ok('open_scope', { title: 'Later', units: ['src/'] });
  expect((await ben.ok('list_scopes', { status: 'open' })).scopes).toMatchObject([{ id, title: 'Later' }]);
  const taken = await ben.ok('claim_scope', { scope: id });
  expect(taken).toMatchObject({ id, status: 'active', units: ['src/'] });
  await ada.refused('NOT_YOURS', 'claim_scope', { scope: id });
  expect(await ben.ok('release_scope', { scope: taken.scope, reason: 'no time' })).toMatchObject({ status: 'open' });
  expect(await ada.ok('claim_scope', { scope: id })).toMatchObject({ id, handover: { from: 'ben', note: 'no time' } });
});

test('a failed input is told, with the choice to wait, to go on without, or to give up', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const { scope, id } = await ada.ok('claim_scope', { title: 'Spec', units: ['docs/'] });
  const waits = ben.call('claim_scope', { title: 'Build', units: ['src/'], consumes: [id] });
  const status = startCli(['status', '--watch'], { cwd: root });
  await status.shows(/S002 +waiting/);
  await ada.ok('publish_output', { scope, summary: 'It cannot be done', status: 'failed' });
  const answer = await waits;
  expect(answer.data).toMatchObject({
    status: 'waiting',
    failed: [{ id, title: 'Spec', status: 'open', attempts: 1, reason: 'It cannot be done' }],
  });
  expect(answer.text).toContain('or go on without: claim_scope {"scope":"S002-');
  const own = answer.data.scope;
  // What was told once does not end the next wait.
  expect(await ben.ok('claim_scope', { scope: own, wait_s: 0 })).toMatchObject({ status: 'waiting' });
  expect(await ben.ok('claim_scope', { scope: own, consumes: [] })).toMatchObject({
    status: 'active',
    units: ['src/'],
  });
});

test('the next open scope is taken up by phase, and waited for', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  await ben.refused('NOT_FOUND', 'claim_scope', { phase: 'test' });
  const first = await ada.ok('open_scope', { title: 'Write', units: ['src/'], phase: 'build' });
  const second = await ada.ok('open_scope', { title: 'Test', units: ['test/'], phase: 'test', consumes: [first.id] });
  await ben.refused('WAITING', 'claim_scope', { phase: 'test', wait_s: 0 });
  const waits = ben.ok('claim_scope', { phase: 'test' });
  const taken = await ada.ok('claim_scope', {});
  expect(taken).toMatchObject({ id: first.id, status: 'active' });
  await ada.ok('publish_output', { scope: taken.scope, summary: 'Written' });
  expect(await waits).toMatchObject({ id: second.id, status: 'active' });
});

test('a claim of work whose commands have not ended yet waits for as long as its caller bears, once', async () => {
  const { root } = newWorkspace(FILES);
  const assembled = await assemble({ from: root, log: () => undefined });
  if (isRefusal(assembled)) throw new Error(assembled.sentence);
  const { parts, coordinator, plane } = assembled;
  onTestFinished(() => coordinator.close());
  const caller = { connection: 'c1', agent: 'ada', patience: 60_000, signal: new AbortController().signal };
  await coordinator.connected('c1');
  const held = await coordinator.claim(caller, { title: 'Mine', units: ['src/'] });
  if (isRefusal(held)) throw new Error(held.sentence);
  // A command of another server, of which nobody knows yet how it stands.
  const { id: scope, generation: tenure } = held;
  const run = { run: 'R001', command: 'sleep', cwd: '.', containment: 'transactional', scope, tenure };
  const author = { agent: 'ada', connection: 'c2' };
  await parts.store.transact(author, {}, () => ({ events: [{ type: 'run.started', ...run }], answer: undefined }));
  const hasty = { ...caller, signal: AbortSignal.abort() };
  expect(await plane.release(hasty, scope, {})).toMatchObject({ stopping: expect.any(String) });
  const longer = coordinator.claim({ ...caller, patience: 1_500 }, { title: 'Next', units: ['src/'] });
  const asked = coordinator.claim({ ...caller, patience: 1_000 }, { scope });
  expect(await Promise.race([asked, longer])).toMatchObject({ code: 'BUSY' });
  expect(await longer).toMatchObject({ status: 'waiting' });
});

test('promise 3: whoever goes on waiting for further units is told that the place was lost, and how to claim again', async () => {
  const workspace = newWorkspace(FILES);
  const ada = await stdioAgent(workspace.root, 'ada');
  const ben = await stdioAgent(workspace.root, 'ben');
  const { scope } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const theirs = await ben.ok('claim_scope', { title: 'Theirs', units: ['src/b.txt'] });
  await ada.ok('claim_scope', { scope, units: ['src/b.txt'], wait_s: 0 });
  await lapseTickets(workspace.root);
  // What it claims in between does not make it forgotten.
  await ada.ok('patch', { scope, edits: [{ path: 'src/new.txt', content: 'x' }] });
  const { text, data } = await ada.refused('NOT_CLAIMED', 'claim_scope', { scope });
  expect(text).toContain('lost its place in the queue for src/b.txt (no claim call for');
  expect(data.next).toContain(`claim_scope {"scope":"${scope}","units":["src/b.txt"]}`);
  await ben.ok('release_scope', { scope: theirs.scope });
  const again = await ada.ok('claim_scope', { scope, units: ['src/b.txt'] });
  expect(again).toMatchObject({ status: 'active', units: expect.arrayContaining(['src/a.txt', 'src/b.txt']) });
  expect(await ada.ok('claim_scope', { scope })).toMatchObject({ status: 'active' });
});
