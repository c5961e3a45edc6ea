import { expect, onTestFinished, test } from 'vitest';
import { assemble } from '../../src/cli/assemble.js';
import type { Declaration } from '../../src/coordinator/contract.js';
import { declare } from '../../src/coordinator/declare.js';
import type { Event } from '../../src/domain/event.js';
import { isRefusal, type Refusal } from '../../src/domain/refusal.js';
import { type Agent, stdioAgent } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';

const CONFIG = `processes:
  test:
    match: ["node test.mjs*"]
    on_failure: open_scope
`;
const FILES = {
  'signalbox.yaml': CONFIG,
  'src/sum.mjs': 'export const sum = (a, b) => a - b;\n',
  'test.mjs': "import { sum } from './src/sum.mjs';\nif (sum(2, 2) !== 4) throw new Error('2 + 2 is ' + sum(2, 2));\n",
};

/** What is open in the phase for mending. */
async function toMend(agent: Agent): Promise<{ id: string; title: string; note: string }[]> {
  return (await agent.ok('list_scopes', { phase: 'iterate', status: 'open' })).scopes;
}

test('a failing test becomes a scope, once, is picked up by another agent, mended, tested again and closed', async () => {
  const workspace = newWorkspace(FILES);
  const ada = await stdioAgent(workspace.root, 'ada');
  const ben = await stdioAgent(workspace.root, 'ben');
  const { scope } = await ada.ok('claim_scope', { title: 'Document the sum', units: ['docs/'] });
  expect(await ada.ok('run', { command: 'node test.mjs', scope })).toMatchObject({ state: 'exited', exit_code: 1 });
  expect(await ada.ok('run', { command: 'node test.mjs', scope })).toMatchObject({ exit_code: 1 });
  const found = await toMend(ben);
  expect(found).toMatchObject([{ title: 'node test.mjs failed with exit code 1' }]);
  expect(found[0]?.note).toContain('2 + 2 is 0');

  const mending = await ben.ok('claim_scope', { phase: 'iterate' });
  expect(mending).toMatchObject({ id: found[0]?.id, status: 'active' });
  const edits = [{ path: 'src/sum.mjs', old_string: 'a - b', new_string: 'a + b' }];
  await ben.ok('patch', { scope: mending.scope, edits });
  expect(await ben.ok('run', { command: 'node test.mjs', scope: mending.scope })).toMatchObject({ exit_code: 0 });
  const published = await ben.ok('publish_output', { scope: mending.scope, summary: 'Add, not subtract' });
  expect(published).toMatchObject({ status: 'done', commit: expect.any(String) });

  expect(await ada.ok('run', { command: 'node test.mjs', scope })).toMatchObject({ exit_code: 0 });
  expect(await toMend(ada)).toEqual([]);
  const events = await workspace.events();
  expect(events.filter(({ body }) => body.type === 'scope.opened' && body.by === 'signalbox')).toHaveLength(1);
});

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
