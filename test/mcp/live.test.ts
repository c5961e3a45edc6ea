import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Agent, MAIN, stdioAgent } from '../support/agents.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';

const WATCHER = 'cat src/a.txt; until grep -q new src/a.txt; do sleep 0.02; done; cat src/a.txt';
const CONFIG = `processes:
  watcher:
    match: ["cat *", "sh gen.sh"]
    live: true
`;

/** The ledger, as the command line shows it. */
function events(root: string, type: string): { readonly body: Record<string, unknown> }[] {
  const args = [MAIN, 'events', '--root', root, '--json', '--type', type];
  const output = execFileSync(process.execPath, args, { encoding: 'utf8' });
  return output
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function printed(agent: Agent, run: string, what: string): Promise<void> {
  while (!(await agent.ok('run', { run, wait_s: 0 })).output.includes(what));
}

describe('a live command', () => {
  test('sees what others patch while it runs', async () => {
    const { root } = newWorkspace({ 'signalbox.yaml': CONFIG, 'src/a.txt': 'old\n' });
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    const started = await ada.ok('run', { command: WATCHER, background: true });
    expect(started).toMatchObject({ state: 'running', containment: 'confined' });
    await printed(ada, started.run, 'old');
    await ben.ok('patch', { edits: [{ path: 'src/a.txt', old_string: 'old', new_string: 'new' }] });
    expect(await ada.ok('run', { run: started.run })).toMatchObject({
      state: 'exited',
      exit_code: 0,
      output: 'old\nnew\n',
    });
  });

  test('promise 8: what it writes to claimed folders is on record and published, what lies elsewhere stays as it was', async () => {
    const workspace = newWorkspace({
      'signalbox.yaml': CONFIG,
      '.gitignore': 'out/dist/\n',
      'gen.sh':
        'echo 2 > out/a; rm out/b; echo 3 > out/c; mkdir -p out/dist; echo d > out/dist/d; ! echo 4 > e; ! rm held',
      'out/a': '1\n',
      'out/b': '1\n',
      held: 'held\n',
    });
    const { root, text, git } = workspace;
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Generate', units: ['out/', 'held'] });
    const ran = await ada.ok('run', { scope, command: 'sh gen.sh' });
    expect(ran).toMatchObject({ state: 'exited', exit_code: 0, containment: 'confined', rejected: [] });
    expect(ran.changed.map((file: { path: string }) => file.path).sort()).toEqual(['out/a', 'out/b', 'out/c']);
    expect([text('out/a'), text('held'), text('out/dist/d')]).toEqual(['2\n', 'held\n', 'd\n']);
    const failed = await ada.ok('run', { scope, command: 'cat /dev/null > held' });
    expect(failed).toMatchObject({ exit_code: 1, changed: [] });
    expect(failed.rejected).toEqual([
      { path: 'held', reason: expect.stringContaining('claim the folder or use patch') },
    ]);
    await ada.ok('publish_output', { scope, summary: 'Generated' });
    expect(git('show', '--stat=80', '--format=', 'HEAD')).toMatch(/out\/a .*\n out\/b .*\n out\/c /);
    expect(git('status', '--porcelain')).toBe('');
  });

  test('promise 2: it is dead before what it writes to is free, and what it wrote is in the commit', async () => {
    const { root, git } = newWorkspace({
      'signalbox.yaml': CONFIG,
      'gen.sh': 'echo 2 > out/a; echo up; sleep 1000',
      'out/a': '1\n',
    });
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Generate', units: ['out/'] });
    const { run } = await ada.ok('run', { scope, command: 'sh gen.sh', background: true });
    await printed(ada, run, 'up');
    await ada.ok('publish_output', { scope, summary: 'Generated' });
    expect(await ada.ok('run', { run })).toMatchObject({ state: 'stopped', changed: [{ path: 'out/a' }] });
    expect(git('show', 'HEAD:out/a')).toBe('2\n');
    const order = events(root, 'run.ended')
      .concat(events(root, 'scope.done'))
      .map(({ body }) => body.type);
    expect(order.slice(0, 2)).toEqual(['run.ended', 'scope.done']);
  });

  test('promise 6: and reverted', async () => {
    const { root, text } = newWorkspace({
      'signalbox.yaml': CONFIG,
      'gen.sh': 'echo 2 > out/a; rm out/b',
      'out/a': '1\n',
      'out/b': '1\n',
    });
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Generate', units: ['out/'] });
    await ada.ok('run', { scope, command: 'sh gen.sh' });
    await ada.ok('release_scope', { scope, changes: 'revert' });
    expect([text('out/a'), text('out/b')]).toEqual(['1\n', '1\n']);
  });
});

describe('a server that is killed in the middle of a run', () => {
  async function killed(workspace: TestWorkspace, command: string): Promise<{ run: string; scope: string }> {
    const fifo = join(workspace.root, 'node_modules/alive');
    execFileSync('mkdir', ['-p', join(workspace.root, 'node_modules')]);
    execFileSync('mkfifo', [fifo]);
    const ada = await stdioAgent(workspace.root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Work', units: ['src/'] });
    const full = `exec 7>node_modules/alive; echo half > src/a.txt; ${command} setsid sleep 1000 & echo up >&7; echo said; wait`;
    const { run } = await ada.ok('run', { scope, command: full, background: true });
    const alive = createReadStream(fifo);
    const dead = once(alive, 'end');
    await once(alive, 'data');
    await printed(ada, run, 'said');
    ada.signal('SIGKILL');
    // The pipe ends with the last process that holds it.
    await dead;
    return { run, scope };
  }

  test('promises 2 and 6: nothing of it is left, nothing is half committed, and its end is on record', async () => {
    const workspace = newWorkspace({ 'src/a.txt': 'whole\n', '.gitignore': 'node_modules/\n' });
    const { root, text } = workspace;
    const { run } = await killed(workspace, '');
    expect(text('src/a.txt')).toBe('whole\n');
    expect(events(root, 'run.ended')).toEqual([]);
    const ben = await stdioAgent(root, 'ben');
    await ben.ok('list_scopes', {});
    // Put right behind the first answer.
    while (events(root, 'run.ended').length === 0);
    expect(events(root, 'run.ended').map(({ body }) => [body.run, body.ending])).toEqual([[run, 'stopped']]);
    expect(await ben.ok('run', { run })).toMatchObject({ state: 'stopped', output: 'said\n', changed: [] });
  });

  test('promise 8: the result of a run that had ended outlives its server', async () => {
    const { root } = newWorkspace({ 'src/a.txt': '1\n' });
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Work', units: ['src/'] });
    const { run } = await ada.ok('run', { scope, command: 'echo 2 > src/a.txt; echo said; exit 3' });
    ada.signal('SIGKILL');
    await ada.closed;
    const ben = await stdioAgent(root, 'ben');
    const later = await ben.ok('run', { run });
    expect(later).toMatchObject({ state: 'exited', exit_code: 3, output: 'said\n', changed: [{ path: 'src/a.txt' }] });
    expect(events(root, 'run.ended')).toHaveLength(1);
  });
});
