import { expect, test } from 'vitest';
import { type Agent, serve, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { program } from '../support/rest.js';
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

test('what failed too often is a dead end, shown with how each attempt at it ended', async () => {
  const { root } = newWorkspace({ 'signalbox.yaml': 'max_attempts: 1\n' });
  const [ada, ben] = [await stdioAgent(root, 'ada'), await stdioAgent(root, 'ben')];
  const { id } = await ada.ok('open_scope', { title: 'Square the circle', units: ['circle.txt'] });
  await ada.ok('claim_scope', { scope: id });
  await ada.ok('publish_output', { status: 'failed', summary: 'Not with a ruler' });
  await ben.ok('claim_scope', { scope: id });
  await ben.ok('release_scope', { reason: 'No time' });
  expect((await runCli(['status', '--json'], { cwd: root })).out).toContain('"failed":[]');
  await ben.ok('claim_scope', { scope: id });
  await ben.ok('publish_output', { status: 'failed', summary: `Nor with sand\n${'.'.repeat(300)}` });
  const listed = await ada.call('list_scopes', { id });
  expect(listed.data.scopes[0]).toMatchObject({ status: 'failed', attempts: 2 });
  const at = expect.stringMatching(/Z$/);
  expect(listed.data.scopes[0].history).toEqual([
    { how: 'failed', agent: 'ada', reason: 'Not with a ruler', at },
    { how: 'released', agent: 'ben', reason: 'No time', at },
    { how: 'failed', agent: 'ben', reason: expect.stringMatching(/^Nor with sand\n\.{300}$/), at },
  ]);
  expect(listed.text).toContain('    failed (ada): Not with a ruler\n    released (ben): No time\n');
  expect(listed.text).toMatch(/^ {4}failed \(ben\): Nor with sand\\n\.+…$/m);
  expect((await ada.ok('list_scopes', { status: 'failed' })).scopes[0].history).toBeUndefined();
  const { out } = await runCli(['status'], { cwd: root });
  expect(out).toMatch(/^failed +attempts +title +reason\nS001 +2 +Square the circle +Nor with sand$/m);

  const olga = program(await serve(root));
  const params = { id };
  await olga.ok('amendScope', { params, body: { status: 'open', reason: 'Use algebra' } });
  const { body } = await olga.ok('getScope', { params });
  expect(body.history.at(-1)).toMatchObject({ how: 'reopened', agent: 'operator', reason: 'Use algebra' });
});
