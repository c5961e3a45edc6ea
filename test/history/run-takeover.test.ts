import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDriver } from '../../src/store/sqlite/driver.js';
import { type Agent, stdioAgent } from '../support/agents.js';
import { runCli, startCli } from '../support/cli.js';
import { GATES_IGNORED, gate, pulse } from '../support/gates.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';
import { judge } from './checker.js';
import { until } from './moments.js';

const FILES = { 'src/a.txt': 'whole\n', '.gitignore': GATES_IGNORED };
const SHORT_LEASE = 'lease_seconds: 6\n';
const LIVE = 'processes:\n  live:\n    match: ["true live*"]\n    live: true\n';

/** Whether its server has noted how a run ended. */
function hasEnded(root: string, run: string): boolean {
  const path = join(root, `.signalbox/runs/${run}/ended`);
  return existsSync(path) && readFileSync(path, 'utf8').endsWith('}');
}

async function told(workspace: TestWorkspace, ...types: string[]): Promise<string[]> {
  const events = await workspace.events();
  expect(judge(events).faults).toEqual([]);
  return events.flatMap(({ body }) => (types.includes(body.type) ? [body.type] : []));
}

describe.each([
  ['in a layer', 'true', []],
  ['directly', 'true live', [{ path: 'src/a.txt' }]],
])('a server that is stopped past its lease while its command writes %s', (_, kind, changed) => {
  test('promise 2: lets nobody have its units before the command is dead, and commits nothing when it goes on', async () => {
    const workspace = newWorkspace({ ...FILES, 'signalbox.yaml': SHORT_LEASE + LIVE });
    const { root, text } = workspace;
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    const { scope } = await ada.ok('claim_scope', { title: 'Work', units: ['src/'] });
    const { hold, begun, dead } = pulse(root);
    const command = `${kind}; ${hold}; echo said; setsid sleep 1000 & while :; do echo half > src/a.txt; done`;
    const call = ada.call('run', { scope, command });
    await begun;
    while (!(await ada.ok('run', { run: 'R001', wait_s: 0 })).output.includes('said'));
    ada.signal('SIGSTOP');
    let isDead = false;
    void dead.then(() => {
      isDead = true;
    });
    const taken = await ben.ok('claim_scope', { title: 'Mine now', units: ['src/'] });
    expect([taken.status, isDead]).toEqual(['active', true]);
    const { files } = await ben.ok('read', { paths: ['src/a.txt'] });
    const patch = { path: 'src/a.txt', content: 'bens\n', base: files[0].version };
    await ben.ok('patch', { scope: taken.scope, edits: [patch] });
    ada.signal('SIGCONT');
    expect((await call).data).toMatchObject({ state: 'lease_lost', changed });
    expect(text('src/a.txt')).toBe('bens\n');
    const order = ['scope.stopping', 'run.ended', 'scope.expired'];
    // A named process has a scope of its own, which goes the same way.
    expect([...new Set(await told(workspace, ...order))]).toEqual(order);
    expect(await ben.ok('run', { run: 'R001' })).toMatchObject({ state: 'lease_lost', output: 'said\n' });
  });
});

test('promise 2: a process is free for the next command only when the one of a stopped server is dead', async () => {
  const config = `${SHORT_LEASE}processes:\n  build:\n    match: ["true build*"]\n`;
  const { root } = newWorkspace({ ...FILES, 'signalbox.yaml': config });
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
  const { hold, begun, dead } = pulse(root);
  const call = ada.call('run', { command: `true build; ${hold}; exec sleep 1000` });
  await begun;
  ada.signal('SIGSTOP');
  let isDead = false;
  void dead.then(() => {
    isDead = true;
  });
  expect(await ben.ok('run', { command: 'true build; echo mine' })).toMatchObject({ output: 'mine\n' });
  expect(isDead).toBe(true);
  ada.signal('SIGCONT');
  expect((await call).data).toMatchObject({ state: 'lease_lost' });
});

describe('a scope that the operator releases from another process', () => {
  async function writing(): Promise<{ workspace: TestWorkspace; ada: Agent; ben: Agent; dead: Promise<unknown> }> {
    const workspace = newWorkspace({ ...FILES, 'signalbox.yaml': LIVE });
    const { root } = workspace;
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    const { scope } = await ada.ok('claim_scope', { title: 'Work', units: ['src/'] });
    const { hold, begun, dead } = pulse(root);
    const command = `true live; ${hold}; trap '' TERM; while :; do echo half > src/a.txt; done`;
    await ada.ok('run', { scope, command, background: true });
    await begun;
    return { workspace, ada, ben, dead };
  }

  test('promise 2: keeps its units until its direct writer is dead', async () => {
    const { workspace, ben, dead } = await writing();
    const waiting = ben.ok('claim_scope', { title: 'Next', units: ['src/a.txt'] });
    const released = await runCli(['release', 'S001'], { cwd: workspace.root });
    expect(released).toMatchObject({ code: 0, out: 'S001 is open.\n' });
    await dead;
    expect((await waiting).status).toBe('active');
    const order = ['scope.stopping', 'run.ended', 'scope.released'];
    expect((await told(workspace, ...order)).slice(0, order.length)).toEqual(order);
  });

  test('and the queue says why; where its server is stopped, the command is killed from outside', async () => {
    const { workspace, ada, ben, dead } = await writing();
    ada.signal('SIGSTOP');
    const releasing = startCli(['release', 'S001'], { cwd: workspace.root });
    while ((await told(workspace, 'scope.stopping')).length === 0);
    process.kill(releasing.pid, 'SIGSTOP');
    const held = await ben.refused('HELD', 'patch', { edits: [{ path: 'src/n.txt', content: 'n\n' }] });
    expect(held.text).toMatch(/src\/ is held by S001 \(ada: Work\) until R001 has ended\./);
    const { scopes } = await ben.ok('list_scopes', { id: 'S001' });
    expect(scopes[0]).toMatchObject({ stopping: expect.stringContaining('operator'), runs: [{ run: 'R001' }] });
    expect((await runCli(['status'], { cwd: workspace.root })).out).toMatch(/S001 +stopping \(R001\) +ada +src\//);
    expect((await ben.ok('claim_scope', { title: 'Next', units: ['src/a.txt'] })).status).toBe('active');
    await dead;
    process.kill(releasing.pid, 'SIGCONT');
    await releasing.shows(/^S001 is open\.$/m);
    ada.signal('SIGCONT');
    expect(await ada.ok('run', { run: 'R001' })).toMatchObject({ state: 'lease_lost' });
  });
});

describe('a run that had ended when its server was killed, before its changes were committed', () => {
  /** The write lock is held from here, so that the server ends the run and cannot commit it. */
  async function cutOff(config = ''): Promise<{ workspace: TestWorkspace; run: string; scope: string }> {
    const workspace = newWorkspace({ ...FILES, 'signalbox.yaml': config });
    const { root } = workspace;
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Work', units: ['src/'] });
    const { wait, open } = gate(root, 'gate');
    const { hold, begun } = pulse(root);
    const write = 'echo done > src/a.txt; mkdir src/new; echo n > src/new/n.txt; echo said; exit 3';
    const command = `true live; ${hold}; ${wait}; ${write}`;
    const { run } = await ada.ok('run', { scope, command, background: true });
    await begun;
    const driver = openDriver(join(root, '.signalbox/signalbox.db'));
    driver.exec('BEGIN IMMEDIATE');
    open();
    await until(() => hasEnded(root, run));
    ada.signal('SIGKILL');
    await ada.closed;
    driver.exec('ROLLBACK');
    driver.close();
    return { workspace, run, scope };
  }

  const RESULT = { state: 'exited', exit_code: 3, output: 'said\n' };
  const paths = ({ changed }: { changed: { path: string }[] }) => changed.map(({ path }) => path).sort();

  test('promise 8: is committed by the next server, once, though two start at the same time', async () => {
    const { workspace, run, scope } = await cutOff();
    const { root, text } = workspace;
    const agents = await Promise.all(['ben', 'cleo', 'dan'].map((name) => stdioAgent(root, name)));
    const seen = await Promise.all(agents.map((agent) => agent.ok('run', { run })));
    for (const one of seen) {
      expect(one).toMatchObject(RESULT);
      expect(paths(one)).toEqual(['src/a.txt', 'src/new/n.txt']);
    }
    expect([text('src/a.txt'), text('src/new/n.txt')]).toEqual(['done\n', 'n\n']);
    expect(await told(workspace, 'files.changed', 'run.ended')).toEqual(['files.changed', 'run.ended']);
    const [ben] = agents;
    await ben?.ok('publish_output', { scope, summary: 'Handed on with its handle' });
    expect(workspace.git('show', 'HEAD:src/a.txt')).toBe('done\n');
    expect(existsSync(join(root, '.signalbox/runs', run))).toBe(false);
  });

  test('promise 2: is rejected where its scope was taken away meanwhile', async () => {
    const { workspace, run } = await cutOff();
    const { root, text } = workspace;
    expect((await runCli(['release', 'S001'], { cwd: root })).out).toBe('S001 is cancelled.\n');
    const ben = await stdioAgent(root, 'ben');
    const later = await ben.ok('run', { run });
    expect(later).toMatchObject({ ...RESULT, changed: [] });
    const reasons: string[] = later.rejected.map(({ reason }: { reason: string }) => reason);
    expect(reasons).toEqual([expect.stringMatching(/^LEASE_LOST: /), expect.stringMatching(/^LEASE_LOST: /)]);
    expect(text('src/a.txt')).toBe('whole\n');
  });

  test('promise 8: what it had written directly is on record as its scope’s', async () => {
    const { workspace, run } = await cutOff(LIVE);
    const ben = await stdioAgent(workspace.root, 'ben');
    const later = await ben.ok('run', { run });
    expect(later).toMatchObject({ ...RESULT, containment: 'confined' });
    expect(paths(later)).toEqual(['src/a.txt', 'src/new/n.txt']);
    expect(await told(workspace, 'files.changed', 'files.outside')).toEqual(['files.changed']);
  });
});

test('promise 11: a result waits while the store is busy, and is not lost', async () => {
  const workspace = newWorkspace(FILES);
  const { root, text } = workspace;
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Work', units: ['src/'] });
  const { wait, open } = gate(root, 'gate');
  const { hold, begun } = pulse(root);
  const { run } = await ada.ok('run', { scope, command: `${hold}; ${wait}; echo done > src/a.txt`, background: true });
  await begun;
  const driver = openDriver(join(root, '.signalbox/signalbox.db'));
  driver.exec('BEGIN IMMEDIATE');
  open();
  await until(() => hasEnded(root, run));
  // A call of its own gives up before the lock is free.
  const ben = await stdioAgent(root, 'ben');
  await ben.refused('BUSY', 'claim_scope', { title: 'Too late', units: ['b.txt'] });
  driver.exec('ROLLBACK');
  driver.close();
  expect(await ada.ok('run', { run })).toMatchObject({
    state: 'exited',
    exit_code: 0,
    changed: [{ path: 'src/a.txt' }],
  });
  expect(text('src/a.txt')).toBe('done\n');
});
