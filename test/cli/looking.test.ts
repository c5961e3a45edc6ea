import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MAIN, stdioAgent } from '../support/agents.js';
import { runCli, startCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n' };
/** All that could steer a terminal, turn text around or hide it. */
const HOSTILE = /(?!\n)\p{Cc}|[\p{Cf}\p{Zl}\p{Zp}]/u;

async function busy() {
  const workspace = newWorkspace(FILES);
  const ada = await stdioAgent(workspace.root, 'ada');
  const ben = await stdioAgent(workspace.root, 'ben');
  const { scope } = await ada.ok('claim_scope', { title: 'Change a', units: ['src/a.txt'], phase: 'test' });
  await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });
  await ben.ok('claim_scope', { title: 'Wait for a', units: ['src/'], wait_s: 0 });
  await ben.ok('open_scope', { title: 'Later', units: ['docs/'] });
  const { scope: done } = await ben.ok('claim_scope', { title: 'Short', units: ['notes/'] });
  await ben.ok('publish_output', { scope: done, summary: 's' });
  await ben.refused('HELD', 'patch', { edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei' }] });
  const cli = async (...args: string[]) => {
    const { code, out, err } = await runCli(args, { cwd: workspace.root, env: { FORCE_COLOR: undefined } });
    expect([args, code, err]).toEqual([args, 0, '']);
    expect(out).not.toMatch(HOSTILE);
    return out;
  };
  const json = async (...args: string[]) => JSON.parse(await cli(...args, '--json'));
  return { ...workspace, ada, ben, cli, json };
}

test('status, scopes, diff and events tell the same, in words and in JSON', async () => {
  const { root, cli, json } = await busy();
  expect(await json('status')).toMatchObject({
    root,
    scopes: [
      { id: 'S001', status: 'active', agent: 'ada', title: 'Change a', units: ['src/a.txt'], waits_for: [] },
      { id: 'S002', status: 'waiting', agent: 'ben', units: [], waits_for: ['src/'] },
      { id: 'S003', status: 'open', agent: '' },
    ],
  });
  expect(await cli('status')).toMatch(
    /S001 +active +ada +src\/a\.txt +Change a\nS002 +waiting +ben +src\/ +Wait for a\n/,
  );
  const ids = async (...args: string[]) =>
    (await json('scopes', ...args)).scopes.map((scope: { id: string }) => scope.id);
  expect(await ids()).toEqual(['S001', 'S002', 'S003']);
  expect(await ids('--status', 'done')).toEqual(['S004']);
  expect(await ids('--status', 'open')).toEqual(['S003']);
  expect(await ids('--phase', 'test')).toEqual(['S001']);
  expect(await ids('--path', 'src/a.txt')).toEqual(['S001', 'S002']);
  expect(await ids('--path', 'src/b.txt')).toEqual(['S002']);
  expect(await ids('--path', 'src/%')).toEqual(['S002']);
  expect(await cli('scopes')).toMatch(/S001 +active +test +ada +src\/a\.txt +Change a/);
  const diffs = await json('diff');
  expect(diffs).toEqual([{ scope: 'S001', diff: expect.stringContaining('-one\n+eins\n') }]);
  expect(await cli('diff', 'S001')).toBe(`# S001\n${diffs[0].diff}\n`);
  expect(await cli('diff', 'S002')).toBe('');
  execFileSync('git', ['apply', '--reverse', '--check'], { cwd: root, input: await cli('diff') });
});

test('events are filtered by scope, agent, phase, type and place', async () => {
  const { cli, root } = await busy();
  const events = async (...args: string[]) => {
    const lines = (await cli('events', '--json', ...args)).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line));
  };
  const all = await events();
  expect(all.map((event) => event.seq)).toEqual(all.map((_, at) => at + 1));
  expect((await events('--type', 'refused')).map(({ body }) => body.code)).toEqual(['HELD']);
  expect(new Set((await events('--agent', 'ada')).map((event) => event.agent))).toEqual(new Set(['ada']));
  expect((await events('--scope', 'S003')).map(({ body }) => body.type)).toEqual(['scope.opened']);
  const phased = await events('--phase', 'test');
  expect(phased.length).toBeGreaterThan(1);
  expect(phased).toEqual(await events('--scope', 'S001'));
  expect(await events('--phase', 'test', '--type', 'refused')).toEqual([]);
  expect((await events('--after', String(all.length - 1))).map((event) => event.seq)).toEqual([all.length]);
  for (const strange of ['%', "' OR 1=1 --", 'ad_']) expect(await events('--agent', strange)).toEqual([]);
  const unknown = await runCli(['events', '--scope', 'S999'], { cwd: root });
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringMatching(/^signalbox: UNKNOWN_SCOPE: .*S999/)]);
  expect((await cli('events')).split('\n')).toHaveLength(all.length + 1);
});

test('what is read by head ends without a complaint', async () => {
  const { root, ada } = await busy();
  for (let n = 0; n < 200; n++) await ada.call('list_scopes', { id: 'S999' });
  const line = `'${process.execPath}' '${MAIN}' events | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', line], { cwd: root });
  expect(stdout).toMatch(/^ +1 .*scope\.opened.*\n0\n$/);
  expect(stderr).toBe('');
});

test('status --watch shows a claim when it is made', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const status = startCli(['status', '--watch'], { cwd: root });
  await status.shows(/Nobody holds or waits/);
  const { scope } = await ada.ok('claim_scope', { title: 'Just now', units: ['src/a.txt'] });
  await status.shows(/S001 +active +ada +src\/a\.txt +Just now/);
  await ada.ok('release_scope', { scope });
  const out = await status.shows(/Just now.*Nobody holds/s);
  expect(out).not.toMatch(HOSTILE);
  expect(await status.stop()).toBe(0);
});

test('events --follow shows an event when it happens, and only what was asked for', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const events = startCli(['events', '--follow', '--json', '--type', 'refused'], { cwd: root });
  await ada.refused('UNKNOWN_SCOPE', 'list_scopes', { id: 'S777' });
  await events.shows(/S777/);
  await ada.ok('open_scope', { title: 'Later' });
  await ada.refused('UNKNOWN_SCOPE', 'list_scopes', { id: 'S888' });
  const out = await events.shows(/S888/);
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).body.type),
  ).toEqual(['refused', 'refused']);
  expect(await events.stop('SIGTERM')).toBe(0);
});

test('what agents write cannot steer the terminal of a person', async () => {
  const { root } = newWorkspace({
    'src/a.txt': 'one\n',
    'signalbox.yaml': 'processes:\n  build: {match: ["build *"]}\n',
  });
  const ada = await stdioAgent(root, 'a\u001b[31mda\u202e\u2028');
  for (const title of ['a\u001b[2Jb', 'a\nS009 active', 'a\u202eb', 'a\u2028b']) {
    await ada.refused('INVALID', 'claim_scope', { title });
    await ada.refused('INVALID', 'open_scope', { title: 't', note: title.replace('\n', '\u0007') });
  }
  const { scope } = await ada.ok('claim_scope', { title: 'Write', units: ['src/a.txt'] });
  await ada.ok('patch', {
    scope,
    edits: [{ path: 'src/a.txt', old_string: 'one', new_string: '\u001b]0;owned\u0007' }],
  });
  const command = 'build \u001b[2J \u202e \u2028\nS009 active by root\n; echo begun; sleep 60';
  const { run } = await ada.ok('run', { command, background: true });
  const { text, data } = await ada.call('list_scopes');
  expect(data.scopes[0].title).toBe('Run build [2J S009 active by root ; echo begun; sleep 60');
  // Its command is shown with it, on one line that cannot pass for a scope's.
  expect(text).toContain('S009');
  expect(text).not.toMatch(/^\s*S009/m);
  for (const args of [['status'], ['scopes'], ['events']]) {
    const { out } = await runCli(args, { cwd: root });
    expect.soft(out, args.join(' ')).not.toMatch(HOSTILE);
    expect.soft(out, args.join(' ')).not.toMatch(/^S009/m);
  }
  await ada.ok('run', { run, stop: true });
});

/** Runs a command on a terminal. */
async function onTerminal(root: string, command: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const line = `'${process.execPath}' '${MAIN}' ${command}`;
  const options = { cwd: root, env: { ...process.env, CI: undefined, NO_COLOR: undefined, TERM: 'xterm', ...env } };
  return (await promisify(execFile)('script', ['-qec', line, '/dev/null'], options)).stdout;
}

describe.skipIf(process.platform !== 'linux')('on a terminal', () => {
  test('there are colours, unless NO_COLOR asks for none', async () => {
    const { root } = newWorkspace();
    expect(await onTerminal(root, 'status')).toContain(`\u001b[1msignalbox\u001b[22m ${root}`);
    expect(await onTerminal(root, 'status', { NO_COLOR: '1' })).toContain(`signalbox ${root}`);
  });

  test('a diff shows what could steer it; to a file it goes as it is', async () => {
    const { root } = newWorkspace({ 'src/a.txt': 'one\n' });
    const ada = await stdioAgent(root, 'ada');
    const edits = [{ path: 'src/a.txt', old_string: 'one', new_string: 'tab\t\u001b]0;owned\u0007' }];
    await ada.ok('patch', { edits });
    expect((await runCli(['diff'], { cwd: root })).out).toContain('+tab\t\u001b]0;owned\u0007\n');
    const shown = await onTerminal(root, 'diff');
    expect(shown).toContain('+tab\t\\u{1b}]0;owned\\u{7}');
    expect(shown).not.toContain('\u001b]0;owned');
  });
});
