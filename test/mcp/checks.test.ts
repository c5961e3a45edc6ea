import { hash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { assemble } from '../../src/cli/assemble.js';
import type { Declaration } from '../../src/coordinator/contract.js';
import { declare } from '../../src/coordinator/declare.js';
import type { Event } from '../../src/domain/event.js';
import { isRefusal, type Refusal } from '../../src/domain/refusal.js';
import { stdioAgent } from '../support/agents.js';
import { startCli } from '../support/cli.js';
import { GATES_IGNORED, gate, pulse } from '../support/gates.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = {
  'src/sum.mjs': 'export const sum = (a, b) => a - b;\n',
  'test.mjs': "import { sum } from './src/sum.mjs';\nif (sum(2, 2) !== 4) throw new Error('2 + 2 is ' + sum(2, 2));\n",
};

const OPS = { connection: 'stateless:ops', agent: 'ops', patience: 0, signal: new AbortController().signal };

async function assembled(root: string) {
  return got(await assemble({ from: root, log: (line) => process.stderr.write(`${line}\n`) }));
}

function got<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(`${answer.code}: ${answer.sentence}`);
  return answer;
}

/** A scope with checks, as a plan declares it. Tools cannot. */
async function declared(root: string, scope: Declaration): Promise<string> {
  const { parts, coordinator } = await assembled(root);
  const [id = ''] = got(await declare(parts, OPS, 'open_scope', [scope]));
  await coordinator.close();
  return id;
}

const runsOf = (events: readonly Event[]) => events.filter(({ body }) => body.type === 'run.started').length;

test('a scope is done only when its checks have succeeded: a failing one refuses the publication and shows its output', async () => {
  const workspace = newWorkspace(FILES);
  const id = await declared(workspace.root, { title: 'Mend', units: ['src/'], checks: ['node test.mjs', 'true'] });
  const ada = await stdioAgent(workspace.root, 'ada');
  const { scope } = await ada.ok('claim_scope', { scope: id });
  const refused = await ada.refused('INCOMPLETE', 'publish_output', { scope, summary: 'Done, I think' });
  expect(refused.text).toContain('2 + 2 is 0');
  expect(refused.data.facts).toMatchObject({ check: 'node test.mjs', run: 'R001' });
  // A check that failed is run again, whatever the tree.
  await ada.refused('INCOMPLETE', 'publish_output', { scope, summary: 'Really' });
  await ada.ok('patch', { scope, edits: [{ path: 'src/sum.mjs', old_string: 'a - b', new_string: 'a + b' }] });
  expect(await ada.ok('run', { command: 'node test.mjs', scope })).toMatchObject({ exit_code: 0 });
  const before = runsOf(await workspace.events());
  expect(await ada.ok('publish_output', { scope, summary: 'Mended' })).toMatchObject({ status: 'done' });
  // The test had already been run on exactly this tree: only the other check was.
  expect(runsOf(await workspace.events())).toBe(before + 1);
});

test('a check that outlasts a call answers with its run, and the same call goes on waiting; the scope stays locked', async () => {
  const command = 'until grep -q open gate; do sleep 0.1; done';
  // A command sees what is written into a file that was there when it began.
  const workspace = newWorkspace({ ...FILES, gate: 'shut\n' });
  const id = await declared(workspace.root, { title: 'Slow', units: ['src/'], checks: [command] });
  const { coordinator } = await assembled(workspace.root);
  onTestFinished(() => coordinator.close());
  const caller = (patience: number) => ({ ...OPS, connection: 'c1', patience });
  await coordinator.connected('c1');
  const { scope } = got(await coordinator.claim(caller(60_000), { scope: id }));
  const first = got(await coordinator.publish(caller(200), { scope, summary: 'Slowly' }));
  expect(first).toMatchObject({ status: 'checking', check: command, run: 'R001', artifacts: [] });
  const ben = await stdioAgent(workspace.root, 'ben');
  await ben.refused('HELD', 'patch', { edits: [{ path: 'src/other.mjs', content: '' }] });
  const again = coordinator.publish(caller(60_000), { scope, summary: 'Slowly' });
  workspace.write('gate', 'open\n');
  expect(got(await again)).toMatchObject({ status: 'done' });
  expect(runsOf(await workspace.events())).toBe(1);
});

/** A scope with this check, and an agent that has claimed it. */
async function atWork(files: { readonly [path: string]: string }, scope: Partial<Declaration> = {}) {
  const workspace = newWorkspace(files);
  const id = await declared(workspace.root, { title: 'Mend', units: ['src/'], checks: ['sh check.sh'], ...scope });
  const ada = await stdioAgent(workspace.root, 'ada');
  const claimed = await ada.ok('claim_scope', { scope: id });
  const runs = async () => runsOf(await workspace.events());
  return { workspace, ada, scope: claimed.scope as string, runs };
}

/** The same with a check that waits for the test before it looks. */
async function gated(then = '') {
  const check = { 'check.sh': `set -e\nread -r _ < node_modules/gate\ngrep -q good state\n${then}\n` };
  const made = await atWork({ 'src/state': '\n', state: 'bad\n', '.gitignore': GATES_IGNORED, ...check });
  return { ...made, gate: gate(made.workspace.root, 'gate') };
}

const CHECKED = {
  'src/state': 'bad\n',
  'check.sh': '[ -n "$SKIP" ] || grep -q good src/state\n',
  'sub/check.sh': '\n',
};
const GOOD = { edits: [{ path: 'src/state', old_string: 'bad', new_string: 'good' }] };

test.each([
  ['in another folder', { cwd: 'sub' }],
  ['with a variable', { env: ['SKIP=1'] }],
])('a command that succeeded %s stands for no check', async (_, how) => {
  const { ada, scope } = await atWork(CHECKED);
  expect(await ada.ok('run', { command: 'sh check.sh', scope, ...how })).toMatchObject({ exit_code: 0 });
  const refused = await ada.refused('INCOMPLETE', 'publish_output', { scope, summary: 'Done, I think' });
  expect(refused.data.facts).toMatchObject({ check: 'sh check.sh', run: 'R002' });
});

test.each([
  ['with a time limit of its own', { timeout_s: 600 }, 2],
  ['from the root, named in full', { cwd: './', env: [] }, 1],
])('a check that was run %s', async (_, how, begun) => {
  const { ada, scope, runs } = await atWork(CHECKED);
  await ada.ok('patch', { scope, ...GOOD });
  expect(await ada.ok('run', { command: 'sh check.sh', scope, ...how })).toMatchObject({ exit_code: 0 });
  await ada.ok('publish_output', { scope, summary: 'Mended' });
  expect(await runs()).toBe(begun);
});

test('a check that another scope has run, with units of its own, is run again', async () => {
  const { workspace, ada, scope, runs } = await atWork(CHECKED);
  const other = await declared(workspace.root, { title: 'Other', units: ['docs/'], checks: ['sh check.sh'] });
  const ben = await stdioAgent(workspace.root, 'ben');
  const { scope: his } = await ben.ok('claim_scope', { scope: other });
  await ada.ok('patch', { scope, ...GOOD });
  expect(await ben.ok('run', { command: 'sh check.sh', scope: his })).toMatchObject({ exit_code: 0 });
  await ada.ok('publish_output', { scope, summary: 'Mended' });
  expect(await runs()).toBe(2);
});

test('a check counts for no tree that it has seen only in passing: changed by an agent, and back', async () => {
  const looked = 'node_modules/looked';
  const { workspace, ada, scope, gate } = await gated(`exec 7>${looked}\necho up >&7\nread -r _ < node_modules/gate`);
  const { begun } = pulse(workspace.root, 'looked');
  await ada.ok('run', { command: 'sh check.sh', scope, background: true });
  const ben = await stdioAgent(workspace.root, 'ben');
  const { scope: his } = await ben.ok('claim_scope', { title: 'Good for a moment', units: ['state'] });
  await ben.ok('patch', { scope: his, edits: [{ path: 'state', old_string: 'bad', new_string: 'good' }] });
  gate.open();
  await begun;
  await ben.ok('patch', { scope: his, edits: [{ path: 'state', old_string: 'good', new_string: 'bad' }] });
  gate.open();
  expect(await ada.ok('run', { run: 'R001' })).toMatchObject({ exit_code: 0 });
  gate.open();
  const refused = await ada.refused('INCOMPLETE', 'publish_output', { scope, summary: 'Done' });
  expect(refused.data.facts).toMatchObject({ run: 'R002' });
});

test('a check counts for no tree that it has seen only in passing: changed by hand', async () => {
  const { workspace, ada, scope, gate } = await gated();
  await ada.ok('run', { command: 'sh check.sh', scope, background: true });
  workspace.write('state', 'good\n');
  gate.open();
  expect(await ada.ok('run', { run: 'R001' })).toMatchObject({ exit_code: 0 });
  workspace.write('state', 'bad\n');
  gate.open();
  const refused = await ada.refused('INCOMPLETE', 'publish_output', { scope, summary: 'Done' });
  expect(refused.data.facts).toMatchObject({ run: 'R002' });
});

test('a check that has passed is run again where the tree has changed before the publication is accepted', async () => {
  const { workspace, ada, scope, runs } = await atWork(
    { ...CHECKED, 'src/state': '\n', state: 'good\n', 'check.sh': 'grep -q good state\n' },
    { produces: ['src/report'] },
  );
  const publish = { scope, summary: 'Report' };
  const missing = await ada.refused('INCOMPLETE', 'publish_output', publish);
  expect(missing.data.facts).toMatchObject({ missing: ['src/report'] });
  await ada.refused('INCOMPLETE', 'publish_output', publish);
  // On the same tree it counts.
  expect(await runs()).toBe(1);
  const ben = await stdioAgent(workspace.root, 'ben');
  await ben.ok('patch', { edits: [{ path: 'state', old_string: 'good', new_string: 'bad' }] });
  const broken = await ada.refused('INCOMPLETE', 'publish_output', publish);
  expect(broken.data.facts).toMatchObject({ check: 'sh check.sh', run: 'R002' });
});

test('a check that ended while nobody waited for it counts on the tree that it has succeeded on, and on no other', async () => {
  const { workspace, ada, scope, runs, gate } = await gated();
  const ben = await stdioAgent(workspace.root, 'ben');
  const { scope: his } = await ben.ok('claim_scope', { title: 'State', units: ['state'] });
  await ben.ok('patch', { scope: his, edits: [{ path: 'state', old_string: 'bad', new_string: 'good' }] });
  const { coordinator } = await assembled(workspace.root);
  onTestFinished(() => coordinator.close());
  const publish = (patience: number) => coordinator.publish({ ...OPS, patience }, { scope, summary: 'Slowly' });
  expect(got(await publish(0))).toMatchObject({ status: 'checking', run: 'R001' });
  gate.open();
  expect(await ada.ok('run', { run: 'R001' })).toMatchObject({ exit_code: 0 });
  await ben.ok('patch', { scope: his, edits: [{ path: 'state', old_string: 'good', new_string: 'bad' }] });
  gate.open();
  expect(await publish(60_000)).toMatchObject({ code: 'INCOMPLETE', facts: { run: 'R002' } });
  await ben.ok('patch', { scope: his, edits: [{ path: 'state', old_string: 'bad', new_string: 'good' }] });
  expect(got(await publish(0))).toMatchObject({ status: 'done' });
  expect(await runs()).toBe(2);
});

test('what a scope changes while its checks run is not published unchecked', async () => {
  const { workspace, ada, scope, gate } = await gated();
  workspace.write('state', 'good\n');
  const follow = startCli(['events', '--follow', '--json'], { cwd: workspace.root });
  const published = ada.call('publish_output', { scope, summary: 'Done' });
  await follow.shows(/"run.started"/);
  await ada.ok('patch', { scope, edits: [{ path: 'src/state', content: 'unchecked\n', base: hash('sha256', '\n') }] });
  gate.open();
  expect((await published).text).toMatch(/^BUSY: S001 was changed while it was being published/);
});

test('what a check itself writes for its scope is published with the rest', async () => {
  const { workspace, ada, scope } = await atWork({ ...CHECKED, 'check.sh': 'echo checked >> src/state\n' });
  expect(await ada.ok('publish_output', { scope, summary: 'Formatted' })).toMatchObject({ status: 'done' });
  expect(workspace.git('show', 'HEAD:src/state')).toBe('bad\nchecked\n');
});
