import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { assemble } from '../../src/cli/assemble.js';
import { isRefusal } from '../../src/domain/refusal.js';
import { type Agent, stdioAgent } from '../support/agents.js';
import { startCli } from '../support/cli.js';
import { lapseTickets } from '../support/lapse.js';
import { newWorkspace } from '../support/workspace.js';

/** A package manager that notes what it is asked for, and takes as long as `SECONDS_LONG` says. */
const NPM = `#!/bin/sh
echo "$2" >> package.json; echo "$2" >> package-lock.json
mkdir -p node_modules; echo x > node_modules/$2
echo begun; exec sleep \${TAKES:-0}
`;
const PACKAGE = { 'package.json': 'package\n', 'package-lock.json': 'lock\n', '.gitignore': 'node_modules/\ndist/\n' };
const ENV = ['PATH=/usr/bin:/bin'];

/** The commands of a test find their tools in a folder of the workspace. */
function tools(root: string): string[] {
  return ENV.map((pair) => pair.replace('=', `=${root}/bin:`));
}

async function withTools(files: { readonly [path: string]: string }, ...names: readonly string[]) {
  const workspace = newWorkspace(files);
  const [first, ...rest] = await Promise.all(names.map((name) => stdioAgent(workspace.root, name)));
  if (first === undefined) throw new Error('nobody');
  const { scope } = await first.ok('claim_scope', { title: 'Tools', units: ['bin/'] });
  await first.ok('run', { scope, command: 'chmod +x bin/*' });
  await first.ok('publish_output', { scope, summary: 'Tools' });
  return { ...workspace, agents: [first, ...rest], env: tools(workspace.root) };
}

async function printed(agent: Agent, run: string, text: string): Promise<void> {
  while (!(await agent.ok('run', { run, wait_s: 0 })).output.includes(text));
}

const pathsOf = (found: readonly { path: string }[]): string[] => found.map(({ path }) => path).toSorted();

test('an install holds manifest and lock file while it runs, and its changes to them are kept and published', async () => {
  const { root, text, git, agents, env } = await withTools({ ...PACKAGE, 'bin/npm': NPM }, 'ada', 'ben');
  const [ada, ben] = agents as [Agent, Agent];
  const first = await ada.ok('run', { command: 'npm i left', env: [...env, 'TAKES=60'], background: true });
  await printed(ada, first.run, 'begun');
  const held = await ben.refused('HELD', 'patch', {
    edits: [{ path: 'package.json', old_string: 'package', new_string: 'p' }],
  });
  expect(held.text).toMatch(/package\.json is held by S002 \(ada \(run\): Run npm i left\)/);
  const busy = await ben.refused('WAITING', 'run', { command: 'npm i right', env, wait_s: 0 });
  expect(busy.text).toMatch(/process:install, .*package\.json.* are busy with S002 \(ada \(run\): Run npm i left\)/);
  const ended = await ada.ok('run', { run: first.run, stop: true });
  expect(pathsOf(ended.changed)).toEqual(['package-lock.json', 'package.json']);
  expect(ended.rejected).toEqual([]);
  const second = ben.ok('run', { command: 'npm i right', env });
  const status = startCli(['status', '--watch'], { cwd: root });
  await status.shows(/waiting +ben \(run\) .*process:install/);
  const { scopes } = await ada.ok('list_scopes', { mine: true });
  expect(scopes).toMatchObject([{ scope: ended.scope, title: 'Run npm i left', agent: 'ada' }]);
  expect(scopes[0].units.toSorted()).toEqual(['package-lock.json', 'package.json']);
  await ada.ok('publish_output', { scope: ended.scope, summary: 'Add left' });
  const ran = await second;
  expect(pathsOf(ran.changed)).toEqual(['package-lock.json', 'package.json']);
  expect(text('package.json')).toBe('package\nleft\nright\n');
  await ben.ok('publish_output', { scope: ran.scope, summary: 'Add right' });
  expect(git('log', '--format=%b', '-2')).toMatch(/Agent: ben.*Agent: ada/s);
  expect(git('status', '--porcelain')).toBe('');
  expect(readdirSync(join(root, 'node_modules')).toSorted()).toEqual(['left', 'right']);
});

test('an install under a scope changes them for that scope; one nearest to its folder is meant', async () => {
  const files = {
    ...PACKAGE,
    'a/package.json': 'a\n',
    'a/src/x': 'x\n',
    'bin/npm': NPM.replace('> package-lock', '> ../package-lock'),
  };
  const { agents, env, text } = await withTools(files, 'ada', 'ben');
  const [ada, ben] = agents as [Agent, Agent];
  const { scope } = await ada.ok('claim_scope', { title: 'Mine', units: ['a/src/'] });
  const run = { scope, cwd: 'a', env: [...env, 'TAKES=60'], background: true };
  const begun = await ada.ok('run', { ...run, command: 'npm i left' });
  await printed(ada, begun.run, 'begun');
  await ben.refused('HELD', 'patch', { edits: [{ path: 'package-lock.json', old_string: 'lock', new_string: 'l' }] });
  await ben.ok('patch', { edits: [{ path: 'package.json', old_string: 'package', new_string: 'p' }] });
  const ended = await ada.ok('run', { run: begun.run, stop: true });
  expect(pathsOf(ended.changed)).toEqual(['a/package.json', 'package-lock.json']);
  const { scopes } = await ada.ok('list_scopes', { mine: true });
  expect(scopes).toMatchObject([{ scope, title: 'Mine' }]);
  expect(scopes[0].units.toSorted()).toEqual(['a/package.json', 'a/src/', 'package-lock.json']);
  expect(text('a/package.json')).toBe('a\nleft\n');
});

test('an install in a list of commands holds the manifest of the folder that it is run in', async () => {
  const { root, agents, env, text } = await withTools({ ...PACKAGE, 'a/package.json': 'a\n', 'bin/npm': NPM }, 'ada');
  const [ada] = agents as [Agent];
  for (const [at, command] of ['cd a && npm i x', `cd ${root}/a; npm i x 2>&1 | cat`].entries()) {
    const begun = await ada.ok('run', { command: `${command}; cat`, env: [...env, 'TAKES=60'], background: true });
    await printed(ada, begun.run, 'begun');
    const { scopes } = await ada.ok('list_scopes', {});
    const { units } = scopes.find(({ title }: { title: string }) => title.startsWith('Run '));
    expect(units, command).toEqual(expect.arrayContaining(['process:install', 'a/package.json']));
    expect(units, command).not.toContain('package.json');
    const { scope } = await ada.ok('run', { run: begun.run, stop: true });
    await ada.ok('publish_output', { scope, summary: 'x' });
    expect(text('a/package.json')).toBe(`a\n${'x\n'.repeat(at + 1)}`);
  }
});

test('an install waits its turn for a manifest that somebody edits, and is told whose it is', async () => {
  const { agents, env } = await withTools({ ...PACKAGE, 'bin/npm': NPM }, 'ada', 'ben');
  const [ada, ben] = agents as [Agent, Agent];
  const { scope } = await ada.ok('claim_scope', { title: 'Scripts', units: ['package.json'] });
  const busy = await ben.refused('WAITING', 'run', { command: 'npm i x', env, wait_s: 0 });
  expect(busy.text).toMatch(/package\.json is busy with S002 \(ada: Scripts\)/);
  const own = await ada.ok('run', { scope, command: 'echo x; true' });
  expect(own.state).toBe('exited');
  await ada.ok('patch', { scope, edits: [{ path: 'package.json', old_string: 'package', new_string: 'p' }] });
  await ada.ok('publish_output', { scope, summary: 's' });
  expect(await ben.ok('run', { command: 'npm i x', env })).toMatchObject({ state: 'exited', exit_code: 0 });
});

test("a command that its agent has given up waiting for is in nobody's way, nor in its own", async () => {
  const files = { ...PACKAGE, 'a/package.json': 'a\n', 'bin/npm': NPM };
  const { agents, env, events } = await withTools(files, 'ada', 'ben');
  const [ada, ben] = agents as [Agent, Agent];
  await ada.ok('claim_scope', { title: 'Scripts', units: ['package.json'] });
  await ben.refused('WAITING', 'run', { command: 'npm i x', env, wait_s: 0 });
  expect(await ben.ok('run', { command: 'npm i y', cwd: 'a', env })).toMatchObject({ state: 'exited', exit_code: 0 });
  await ben.refused('WAITING', 'run', { command: 'npm i x', env, wait_s: 0 });
  const waiting = (await ben.ok('list_scopes', { status: 'waiting' })).scopes;
  expect(waiting.map(({ title }: { title: string }) => title)).toEqual(['Run npm i x']);
  const released = (await events()).flatMap(({ body }) => (body.type === 'scope.released' ? body.reason : []));
  expect(released).toContain('ben called for another command of process:install instead');
});

test('two commands of one agent that wait for each other: it is told to wait for the first', async () => {
  const files = { ...PACKAGE, 'a/package.json': 'a\n', 'bin/npm': NPM };
  const { agents, env } = await withTools(files, 'ada', 'ben');
  const [ada, ben] = agents as [Agent, Agent];
  const { scope } = await ada.ok('claim_scope', { title: 'Scripts', units: ['package.json'] });
  const first = ben.ok('run', { command: 'npm i x', env });
  while ((await ada.ok('list_scopes', { status: 'waiting' })).scopes.length === 0);
  const no = await ben.refused('DEADLOCK', 'run', { command: 'npm i y', cwd: 'a', env });
  expect(no.text).toMatch(/Wait for the answer to your other run call, then call run again/);
  await ada.ok('release_scope', { scope });
  expect(await first).toMatchObject({ state: 'exited', exit_code: 0 });
});

test('an agent that holds the manifest in another scope of its own is told to run under that', async () => {
  const { agents, env, text } = await withTools({ ...PACKAGE, 'bin/npm': NPM }, 'ada');
  const [ada] = agents as [Agent];
  const manifest = await ada.ok('claim_scope', { title: 'Scripts', units: ['package.json'] });
  const other = await ada.ok('claim_scope', { title: 'Other', units: ['src/'] });
  const held = await ada.refused('HELD', 'run', { scope: other.scope, command: 'npm i x', env });
  expect(held.text).toMatch(/held by S002 .*Run the command under that scope/s);
  const ran = await ada.ok('run', { scope: manifest.scope, command: 'npm i x', env });
  expect(pathsOf(ran.changed)).toEqual(['package-lock.json', 'package.json']);
  expect(text('package.json')).toBe('package\nx\n');
});

const BUILD = `processes:
  build:
    match: ["build *"]
    owns: ["dist/", "VERSION"]
    env: {FLAVOUR: sweet, COLOUR: red}
  slow:
    match: ["sleep *"]
    timeout_minutes: 0.01
`;

test('only commands of the process that owns scratch write there', async () => {
  const files = {
    '.gitignore': 'dist/\n',
    VERSION: '1\n',
    'signalbox.yaml': BUILD,
    'bin/build': '#!/bin/sh\nrm -rf dist; mkdir dist; echo "$1 $FLAVOUR $COLOUR" > dist/out; echo 2 > VERSION\n',
  };
  const { agents, env, text, root } = await withTools(files, 'ada');
  const [ada] = agents as [Agent];
  const built = await ada.ok('run', { command: 'build first', env: [...env, 'COLOUR=blue'] });
  expect(built).toMatchObject({ state: 'exited', rejected: [], changed: [{ path: 'VERSION' }] });
  expect(text('dist/out')).toBe('first sweet blue\n');
  await ada.ok('publish_output', { scope: built.scope, summary: 'Built' });
  const other = await ada.ok('run', { command: 'rm -rf dist; mkdir dist; echo mine > dist/mine' });
  expect(pathsOf(other.rejected)).toEqual(['dist/mine', 'dist/out']);
  expect(other.rejected[0].reason).toMatch(/^NOT_CLAIMED: Only commands of process:build write here/);
  expect(readdirSync(join(root, 'dist'))).toEqual(['out']);
  const holder = await ada.ok('claim_scope', { title: 'Build by hand', units: ['process:build'] });
  await ada.ok('run', { scope: holder.scope, command: 'echo mine > dist/mine' });
  expect(text('dist/mine')).toBe('mine\n');
  await ada.ok('release_scope', { scope: holder.scope });
  expect(await ada.ok('run', { command: 'sleep 60' })).toMatchObject({ state: 'timed_out' });
});

test('scratch in signalbox.yaml is kept without a scope and never published, and what is tracked is no scratch', async () => {
  const files = { 'signalbox.yaml': 'scratch: ["gen/", "*.snap", "!keep.snap"]\n', 'gen/tracked': '1\n' };
  const { root, text, git } = newWorkspace(files);
  const ada = await stdioAgent(root, 'ada');
  const command = 'echo 2 > gen/tracked; echo x > gen/new; echo x > a.snap; echo x > keep.snap; echo x > other';
  const ran = await ada.ok('run', { command });
  expect(pathsOf(ran.rejected)).toEqual(['gen/tracked', 'keep.snap', 'other']);
  expect([text('gen/new'), text('a.snap'), text('gen/tracked')]).toEqual(['x\n', 'x\n', '1\n']);
  const { scope } = await ada.ok('claim_scope', { title: 'All', units: ['./'] });
  await ada.ok('run', { scope, command: command.replaceAll('x >', 'y >') });
  await ada.ok('publish_output', { scope, summary: 's' });
  expect(git('status', '--porcelain').trim().split('\n')).toEqual(['?? a.snap', '?? gen/new']);
});

const LIVE = `processes:
  watcher:
    match: ["sh watch.sh"]
    live: true
    owns: ["dist/"]
`;

test('a live command is not ended by the time limit of others', async () => {
  const config = 'run:\n  timeout_minutes: 0.01\nprocesses:\n  server:\n    match: ["sleep *"]\n    live: true\n';
  const { root } = newWorkspace({ 'signalbox.yaml': config });
  const ada = await stdioAgent(root, 'ada');
  const [limited, lived] = [
    await ada.ok('run', { command: 'exec sleep 60' }),
    await ada.ok('run', { command: 'sleep 1' }),
  ];
  expect([limited.state, lived.state]).toEqual(['timed_out', 'exited']);
});

test('a live command works in the scratch that it owns, made where it is not there yet', async () => {
  const files = { '.gitignore': 'dist/\n', 'signalbox.yaml': LIVE, 'watch.sh': 'echo built > dist/out\n' };
  const { root, text } = newWorkspace(files);
  const ada = await stdioAgent(root, 'ada');
  for (let time = 0; time < 2; time++) {
    const ran = await ada.ok('run', { command: 'sh watch.sh' });
    expect(ran).toMatchObject({ exit_code: 0, containment: 'confined', changed: [], rejected: [] });
  }
  expect(text('dist/out')).toBe('built\n');
});

test('promise 12: places of commands that nobody asks after any more are forgotten', async () => {
  const { root } = newWorkspace({ 'signalbox.yaml': 'processes: {build: {match: ["make *"]}}\n' });
  const ada = await stdioAgent(root, 'ada');
  await ada.ok('claim_scope', { title: 'Build', units: ['process:build'] });
  const assembled = await assemble({ from: root, log: () => undefined });
  if (isRefusal(assembled)) throw new Error(assembled.sentence);
  const { coordinator, parts } = assembled;
  onTestFinished(() => coordinator.close());
  const { signal } = new AbortController();
  const queue = async (agent: string) =>
    expect(
      await coordinator.run({ connection: `c-${agent}`, agent, patience: 0, signal }, { command: 'make it' }),
    ).toMatchObject({ code: 'WAITING' });
  for (let number = 1; number <= 5; number++) await queue(`agent ${number}`);
  expect(parts.processTickets.size).toBe(5);
  await lapseTickets(root);
  await queue('another');
  expect(parts.processTickets.size).toBe(1);
});
