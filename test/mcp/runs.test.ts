import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Agent, stdioAgent } from '../support/agents.js';
import { startCli } from '../support/cli.js';
import { GATES_IGNORED, gate, pulse } from '../support/gates.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n', '.gitignore': 'out/\n*.log\n' };

test('a command has its folder, its variables, both streams and an exit code', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const command = 'pwd; echo "$A-$B"; cat a.txt; echo wrong >&2; git log --format=%s; git grep -n two; exit 7';
  const ran = await ada.ok('run', { command, cwd: 'src', env: ['A=x y', "B=$(id)'"] });
  expect(ran).toMatchObject({ run: 'R001', state: 'exited', exit_code: 7, changed: [], rejected: [] });
  expect(ran.output).toBe(`${root}/src\nx y-$(id)'\none\ntwo\nwrong\nBegin\na.txt:2:two\n`);
  expect(await ada.ok('run', { command: 'kill -9 $$' })).toMatchObject({ state: 'exited', exit_code: 137 });
  expect(await ada.ok('run', { command: 'no-such-command' })).toMatchObject({ state: 'exited', exit_code: 127 });
});

test('a command sees no secrets of the server, and nothing that changes how programs load', async () => {
  const { root } = newWorkspace(FILES);
  const secrets = { API_TOKEN: 'hidden', NODE_OPTIONS: '--title=hidden', GIT_DIR: '/hidden', AWS_SECRET: 'hidden' };
  const ada = await stdioAgent(root, 'ada', 'legacy', { ...secrets, LANG: 'C.UTF-8', SIGNALBOX_ROOT: root });
  const { output } = await ada.ok('run', { command: 'env; cat .signalbox/key .signalbox/token; ls -A .signalbox' });
  expect(output).toContain('LANG=C.UTF-8');
  expect(output).not.toMatch(/hidden|SIGNALBOX/);
  expect(output).toMatch(/cat: .*key/);
});

test('in the background a command goes on, is followed by its id, and is stopped', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const begun = await ada.ok('run', { command: 'echo first; sleep 60; echo never', background: true });
  expect(begun).toMatchObject({ run: 'R001', state: 'running' });
  await printed(ada, begun.run, 'first\n');
  const asked = await ada.ok('run', { run: begun.run, wait_s: 0.05 });
  expect(asked).toMatchObject({ state: 'running', output: 'first\n' });
  expect(asked.duration_ms).toBeGreaterThan(0);
  const stopped = await ada.ok('run', { run: begun.run, stop: true });
  expect(stopped).toMatchObject({ run: begun.run, state: 'stopped' });
  expect(stopped.exit_code).toBeUndefined();
  expect(stopped.output).not.toContain('never');
  expect(await ada.ok('run', { run: begun.run })).toMatchObject({ state: 'stopped' });
});

test('promise 8: what a person saved while a command ran is not overwritten; what was merely touched is no hindrance', async () => {
  const { root, write, text } = newWorkspace({ ...FILES, '.gitignore': GATES_IGNORED });
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
  await ada.ok('patch', { scope, edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
  const { wait, open } = gate(root, 'gate');
  const { hold, begun } = pulse(root);
  const command = `echo own >> src/a.txt; echo own >> src/b.txt; ${hold}; ${wait}`;
  const ran = ada.ok('run', { scope, command });
  await begun;
  write('src/a.txt', 'by hand\n');
  write('src/b.txt', 'B\n');
  open();
  expect(await ran).toMatchObject({
    changed: [{ path: 'src/b.txt' }],
    rejected: [{ path: 'src/a.txt', reason: expect.stringContaining('somebody outside Signalbox changed it while') }],
  });
  expect([text('src/a.txt'), text('src/b.txt')]).toEqual(['by hand\n', 'B\nown\n']);
});

async function printed(agent: Agent, run: string, text: string): Promise<void> {
  while (!(await agent.ok('run', { run, wait_s: 0 })).output.includes(text));
}

test('a command is stopped under the handle of its scope on another connection', async () => {
  const { root, events } = newWorkspace(FILES);
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
  const { scope } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/'] });
  const other = await ben.ok('claim_scope', { title: 'His', units: ['docs/'] });
  const { run } = await ada.ok('run', { scope, command: 'echo begun; sleep 3141', background: true });
  await printed(ada, run, 'begun');
  for (const args of [{}, { scope: other.scope }]) {
    const no = await ben.refused('NOT_YOURS', 'run', { run, stop: true, ...args });
    expect(no.text).toContain('or pass the handle of its scope as scope');
  }
  expect(await ben.ok('run', { run, stop: true, scope })).toMatchObject({ run, state: 'stopped', output: 'begun\n' });
  expect(processesWith('sleep\x003141')).toEqual([]);
  expect(await ada.ok('run', { run })).toMatchObject({ state: 'stopped' });
  expect((await events()).filter(({ body }) => body.type === 'run.ended')).toHaveLength(1);
});

test('promise 12: what runs have left in private state is gone when their server is', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  await ada.ok('run', { command: 'mkdir /tmp/much; cd /tmp/much; seq 1 1000 | xargs touch' });
  await ada.close();
  expect(readdirSync(`${root}/.signalbox/layers`)).toEqual([]);
});

test('at its time limit a command is killed with all that it started', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const command = '(trap "" TERM; sleep 3131) & echo begun; sleep 3131';
  const ran = await ada.ok('run', { command, timeout_s: 0.5 });
  expect(ran).toMatchObject({ state: 'timed_out', output: 'begun\n' });
  expect(processesWith('sleep\x003131')).toEqual([]);
});

test('long output is shown by its ends, and read whole page by page', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ran = await ada.ok('run', { command: 'seq 1 20000' });
  expect(ran.output).toMatch(/^1\n2\n.*\n20000\n$/s);
  expect(ran.output.length).toBeLessThan(20_000);
  const pages: string[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: { output: string; next?: number } = await ada.ok('run', { run: ran.run, from });
    pages.push(page.output);
    from = page.next;
  }
  expect(pages.join('')).toBe(Array.from({ length: 20_000 }, (_, n) => `${n + 1}\n`).join(''));
  expect(pages.length).toBeLessThan(12);
  const other = await stdioAgent(root, 'ben');
  expect(await other.ok('run', { run: ran.run })).toMatchObject({ state: 'exited', exit_code: 0, output: ran.output });
});

test('promise 12: a flood of output ends the command and not the server', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ran = await ada.ok('run', { command: 'yes "a line that never ends"' });
  expect(ran.state).toBe('output_limit');
  expect(ran.output.length).toBeLessThan(20_000);
  await ada.ok('run', { command: 'true' });
});

test('promise 10: what a command writes is committed where the scope may, and rejected with the reason elsewhere', async () => {
  const { root, text } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  await ben.ok('claim_scope', { title: 'Bens', units: ['src/b.txt', 'docs/'] });
  const { scope } = await ada.ok('claim_scope', { title: 'Adas', units: ['src/a.txt'] });
  const command = [
    'echo three >> src/a.txt',
    'echo mine > src/b.txt',
    'mkdir docs && echo x > docs/x.md',
    'echo free > free.txt',
    'echo x > .mcp.json',
    'ln -s /etc/passwd link',
    'mkfifo pipe',
    'mkdir out && echo kept > out/kept && echo kept > a.log',
  ].join(' && ');
  const ran = await ada.ok('run', { scope, command });
  expect(ran).toMatchObject({ state: 'exited', exit_code: 0, scope });
  const paths = (found: readonly { path: string }[]) => found.map(({ path }) => path).toSorted();
  expect(paths(ran.changed)).toEqual(['free.txt', 'src/a.txt']);
  const reasons = Object.fromEntries(
    ran.rejected.map((each: { path: string; reason: string }) => [each.path, each.reason]),
  );
  expect(reasons).toEqual({
    'src/b.txt': expect.stringMatching(
      /^HELD: src\/b\.txt is held by S001 \(ben: Bens\)\. Wait for it with claim_scope/,
    ),
    'docs/x.md': expect.stringMatching(/^HELD: docs\//),
    '.mcp.json': expect.stringMatching(/^PROTECTED: /),
    link: expect.stringMatching(/^INVALID: symbolic links/),
    pipe: expect.stringMatching(/^INVALID: a pipe/),
  });
  expect(text('src/a.txt')).toBe('one\ntwo\nthree\n');
  expect([text('src/b.txt'), text('free.txt'), text('out/kept'), text('a.log')]).toEqual([
    'b\n',
    'free\n',
    'kept\n',
    'kept\n',
  ]);
  expect(readdirSync(root).toSorted()).not.toEqual(expect.arrayContaining(['.mcp.json']));
  expect(readdirSync(root)).not.toEqual(expect.arrayContaining(['link']));
  expect((await ada.ok('list_scopes', { mine: true })).scopes[0].units).toEqual(['src/a.txt', 'free.txt']);
});

test('without a scope a command keeps what git ignores, and nothing else', async () => {
  const { root, text, git } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const command = 'echo x > src/a.txt; echo x > new.txt; rm src/b.txt; mkdir out; echo kept > out/kept';
  const ran = await ada.ok('run', { command });
  expect(ran.changed).toEqual([]);
  expect(ran.rejected.map(({ path }: { path: string }) => path).toSorted()).toEqual([
    'new.txt',
    'src/a.txt',
    'src/b.txt',
  ]);
  expect(ran.rejected[0].reason).toMatch(/^NOT_CLAIMED: .*claim_scope first/);
  expect(text('out/kept')).toBe('kept\n');
  expect(git('status', '--short')).toBe('');
});

test("git's own state is read-only for a command", async () => {
  const { root, git } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
  const command =
    'echo x >> src/a.txt; git commit -qam x; echo $?; git config a.b c; echo $?; touch .git/hooks/x; echo $?';
  const { output } = await ada.ok('run', { scope, command });
  expect(output.match(/^\d+$/gm)?.map(Number)).toEqual([128, 255, 1]);
  expect(git('log', '--format=%s').trim()).toBe('Begin');
});

test('a command that could not be started is over, and what it waited for is free', async () => {
  const { root, events } = newWorkspace({ ...FILES, 'signalbox.yaml': BUILD });
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  await ada.ok('run', { command: 'build || true' });
  const layers = join(root, '.signalbox/layers');
  rmSync(layers, { recursive: true });
  writeFileSync(layers, 'no folder');
  const failed = await ada.refused('UNAVAILABLE', 'run', { command: 'build || true' });
  expect(failed.text).toMatch(/ENOTDIR|EEXIST/);
  rmSync(layers);
  expect((await events()).flatMap(({ body }) => (body.type === 'run.ended' ? body.run : []))).toEqual(['R001', 'R002']);
  expect(await ben.ok('run', { command: 'build || true' })).toMatchObject({ run: 'R003', state: 'exited' });
});

const BUILD = 'processes:\n  build:\n    match: ["build *"]\n';

test('a named process runs one command at a time: the second waits for the first', async () => {
  const { root } = newWorkspace({
    ...FILES,
    'signalbox.yaml': BUILD,
    'bin/build': 'echo built by $1\nexec sleep $2\n',
  });
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const env = ['PATH=bin:/usr/bin:/bin'];
  const command = (name: string, seconds: number) => `build ${name} ${seconds}`;
  await ada.ok('run', {
    command: 'chmod +x bin/build',
    scope: (await ada.ok('claim_scope', { title: 't', units: ['bin/'] })).scope,
  });
  const first = await ada.ok('run', { command: command('ada', 60), env, background: true });
  await printed(ada, first.run, 'built by ada');
  const busy = await ben.refused('WAITING', 'run', { command: command('ben', 0), env, wait_s: 0 });
  expect(busy.text).toMatch(/process:build is busy with S002 \(ada \(run\): Run build ada 60\)/);
  const background = await ben.refused('WAITING', 'run', { command: command('ben', 0), env, background: true });
  expect(background.data.facts.unit).toBe('process:build');
  const status = startCli(['status', '--watch'], { cwd: root });
  await status.shows(/waiting +ben \(run\) +process:build/);
  const second = ben.ok('run', { command: command('ben', 0), env });
  await ada.ok('run', { run: first.run, stop: true });
  expect(await second).toMatchObject({ state: 'exited', exit_code: 0, output: 'built by ben\n' });
  await ada.ok('run', { command: command('ada', 0), env });
  const { scopes } = await ben.ok('list_scopes');
  expect(scopes.map((scope: { id: string }) => scope.id)).toEqual(['S001']);
});

test('who holds the process runs its commands at once', async () => {
  const { root } = newWorkspace({ ...FILES, 'signalbox.yaml': BUILD });
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  await ada.ok('claim_scope', { title: 'Build', units: ['process:build'] });
  expect(await ada.ok('run', { command: 'build x || true' })).toMatchObject({ state: 'exited' });
  await ben.refused('WAITING', 'run', { command: 'build y', wait_s: 0 });
});

test.runIf(process.platform === 'linux')('a server that is killed leaves no process of its run behind', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const { run } = await ada.ok('run', {
    command: 'sleep 4242 & setsid sleep 4242 & echo begun; wait',
    background: true,
  });
  await printed(ada, run, 'begun');
  while (processesWith('sleep\x004242').length < 2) await new Promise(setImmediate);
  ada.signal('SIGKILL');
  await ada.closed;
  while (processesWith('sleep\x004242').length > 0) await new Promise(setImmediate);
  const ben = await stdioAgent(root, 'ben');
  expect(await ben.ok('run', { run })).toMatchObject({ state: 'stopped', output: 'begun\n' });
});

/** The processes of this machine whose command line holds this; their arguments end with NUL. */
function processesWith(words: string): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(words));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It has just ended.
  }
}
