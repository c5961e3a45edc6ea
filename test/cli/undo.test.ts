import { chmodSync, existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDriver } from '../../src/store/sqlite/driver.js';
import { DATABASE } from '../../src/store/sqlite/options.js';
import { type Agent, stdioAgent } from '../support/agents.js';
import { runCli, startCli } from '../support/cli.js';
import { GATES_IGNORED, gate } from '../support/gates.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';

const LINES = 'one\ntwo\nthree\nfour\nfive\n';
const FILES = { 'src/a.txt': LINES, 'src/b.txt': 'b\n', 'src/c.txt': 'c\n' };

async function crew(files: { readonly [path: string]: string } = FILES) {
  const workspace = newWorkspace(files);
  const [ada, ben] = [await stdioAgent(workspace.root, 'ada'), await stdioAgent(workspace.root, 'ben')];
  return { ...workspace, ada, ben, ...undoing(workspace) };
}

function undoing({ root }: TestWorkspace) {
  const run = (...args: string[]) => runCli(['undo', ...args, '--json'], { cwd: root });
  return {
    async undo(...args: string[]) {
      const { code, out, err } = await run(...args);
      expect([code, err]).toEqual([0, '']);
      return JSON.parse(out);
    },
    async refused(code: string, ...args: string[]) {
      const ended = await run(...args);
      expect([ended.code, ended.out]).toEqual([1, '']);
      expect(ended.err).toMatch(new RegExp(`^signalbox: ${code}: `));
      return ended.err;
    },
  };
}

/** Does some edits in a scope of its own, and publishes them. */
async function done(agent: Agent, title: string, edits: readonly object[], more: object = {}): Promise<string> {
  const { scope, id } = await agent.ok('claim_scope', { title, ...more });
  await agent.ok('patch', { scope, edits });
  await agent.ok('publish_output', { scope, summary: title });
  return id;
}

function replace(from: string, to: string, path = 'src/a.txt'): object[] {
  return [{ path, old_string: from, new_string: to }];
}

test('a scope is undone as a scope of the person, in one commit, and the lines of others stay', async () => {
  const { ada, ben, undo, git, text, root, events } = await crew();
  await done(ada, 'Translate', replace('one', 'eins'));
  await done(ben, 'Count', replace('five', 'fünf'));
  const undone = await undo('S001', '--reason', 'it was too early');
  expect(undone).toEqual({
    id: 'S001',
    status: 'undone',
    by: 'S003',
    paths: ['src/a.txt'],
    commit: git('rev-parse', 'HEAD').trim(),
  });
  expect(text('src/a.txt')).toBe('one\ntwo\nthree\nfour\nfünf\n');
  expect(git('show', 'HEAD:src/a.txt')).toBe(text('src/a.txt'));
  expect(git('status', '--short')).toBe('');
  const person = (await events()).find(({ body }) => body.type === 'scope.opened' && body.scope === 'S003')?.agent;
  expect(git('log', '-1', '--format=%B')).toBe(
    `Undo S001: Translate\n\nit was too early\n\nScope: S003\nAgent: ${person}\n\n`,
  );
  const causes = (await events()).flatMap(({ body }) =>
    body.type === 'files.changed' ? [[body.scope, body.cause]] : [],
  );
  expect(causes).toEqual([
    ['S001', 'patch'],
    ['S002', 'patch'],
    ['S003', 'revert'],
  ]);
  expect(await undo('S001')).toEqual({ id: 'S001', status: 'already', by: 'S003', paths: [] });
  const said = await runCli(['undo', 'S001'], { cwd: root });
  expect(said).toEqual({ code: 0, out: 'S001 was undone by S003 already.\n', err: '' });
  expect((await ada.ok('list_scopes', { id: 'S003' })).scopes).toMatchObject([
    { status: 'done', title: 'Undo S001: Translate' },
  ]);
});

test('promise 6: files that it made, moved, took away or made executable are as they were', async () => {
  const { ada, undo, git, root, text } = await crew({ ...FILES, 'run.sh': 'echo\n' });
  chmodSync(join(root, 'run.sh'), 0o755);
  git('commit', '--quiet', '--all', '--message', 'Executable');
  const { scope } = await ada.ok('claim_scope', { title: 'Rearrange', units: ['./'] });
  const version = async (path: string) => (await ada.ok('read', { paths: [path] })).files[0].version;
  const edits = [
    { path: 'src/new.txt', content: 'new\n' },
    { path: 'src/b.txt', move_to: 'docs/b.txt' },
    { path: 'run.sh', delete: true, base: await version('run.sh') },
  ];
  await ada.ok('patch', { scope, edits });
  await ada.ok('publish_output', { scope, summary: 'half of it', status: 'progress' });
  await ada.ok('patch', { scope, edits: replace('new', 'newer', 'src/new.txt') });
  await ada.ok('run', { scope, command: 'chmod +x src/c.txt' });
  await ada.ok('publish_output', { scope, summary: 'all of it' });
  const { paths } = await undo('S001');
  expect(paths.toSorted()).toEqual(['docs/b.txt', 'run.sh', 'src/b.txt', 'src/c.txt', 'src/new.txt']);
  expect([text('src/b.txt'), text('run.sh'), existsSync(join(root, 'src/new.txt'))]).toEqual(['b\n', 'echo\n', false]);
  const modes = ['run.sh', 'src/c.txt', 'src/b.txt'].map((path) => statSync(join(root, path)).mode & 0o777);
  expect(modes).toEqual([0o755, 0o644, 0o644]);
  expect(git('diff', 'HEAD~3', 'HEAD')).toBe('');
  expect(git('status', '--short')).toBe('');
});

describe('what others built on', () => {
  test('refuses, names them, and is undone when they are', async () => {
    const { ada, ben, undo, refused, text, events } = await crew();
    await done(ada, 'Translate', replace('one', 'eins'));
    await done(ben, 'Shout', replace('eins', 'EINS'));
    await done(ada, 'Whisper', replace('EINS', '(eins)'));
    const before = (await events()).filter(({ body }) => body.type !== 'refused').length;
    const reason = await refused('BLOCKED', 'S001');
    expect(reason).toContain('S002 (ben: Shout) in src/a.txt, S003 (ada: Whisper) in src/a.txt built on S001');
    expect(reason).toContain('signalbox undo S001 --conflict');
    expect((await events()).filter(({ body }) => body.type !== 'refused')).toHaveLength(before);
    expect(text('src/a.txt')).toBe(LINES.replace('one', '(eins)'));
    for (const id of ['S003', 'S002', 'S001']) expect(await undo(id)).toMatchObject({ status: 'undone' });
    expect(text('src/a.txt')).toBe(LINES);
  });

  test('and the undoing of an undoing brings back what was undone', async () => {
    const { ada, ben, undo, refused, text } = await crew();
    await done(ada, 'Translate', replace('one', 'eins'));
    await done(ben, 'Shout', replace('eins', 'EINS'));
    await undo('S002');
    await undo('S003');
    expect(text('src/a.txt')).toBe(LINES.replace('one', 'EINS'));
    expect(await refused('BLOCKED', 'S001')).toContain('S002');
    expect(await undo('S002')).toMatchObject({ status: 'undone', by: 'S005' });
    expect(await undo('S001')).toMatchObject({ status: 'undone', by: 'S006' });
    expect(text('src/a.txt')).toBe(LINES);
  });

  test('through its outputs refuses too, until the consumer is undone; one at work is told', async () => {
    const { ada, ben, undo, refused, text } = await crew();
    await done(ada, 'Spec', replace('one', 'eins'));
    await done(ben, 'Build', replace('b', 'B', 'src/b.txt'), { consumes: ['S001'] });
    const { scope } = await ben.ok('claim_scope', { title: 'Test', units: ['test/'], consumes: ['S001'] });
    expect(await refused('BLOCKED', 'S001')).toContain('S002 (ben: Build) with its outputs built on S001');
    await undo('S002');
    await undo('S001');
    expect([text('src/a.txt'), text('src/b.txt')]).toEqual([LINES, 'b\n']);
    const { text: told } = await ben.call('patch', { scope, edits: [{ path: 'test/a', content: 'a\n' }] });
    expect(told).toContain('S001, whose outputs you consume, was undone by S005');
  });

  test('with --conflict becomes a scope for anybody, once, with both sides', async () => {
    const { ada, ben, undo, git, text, write } = await crew();
    await done(ada, 'Translate', [...replace('one', 'eins'), ...replace('c', 'C', 'src/c.txt')]);
    await done(ben, 'Shout', replace('eins', 'EINS'));
    const head = git('rev-parse', 'HEAD');
    const raised = await undo('S001', '--conflict');
    expect(raised).toEqual({ id: 'S001', status: 'conflict', by: 'S003', paths: ['src/a.txt'] });
    expect(await undo('S001', '--conflict')).toEqual(raised);
    write('src/a.txt', text('src/a.txt').replace('two', 'zwei'));
    const { scopes } = await ben.ok('list_scopes', { id: 'S003' });
    expect(scopes).toMatchObject([{ status: 'open', phase: 'iterate', units: ['src/a.txt'] }]);
    const sides = [...scopes[0].note.matchAll(/artifact:\w+/g)].map(([side]) => side);
    const { files } = await ben.ok('read', { paths: sides });
    expect(files.map((file: { text: string }) => file.text)).toEqual([LINES, LINES.replace('one', 'EINS')]);
    expect(git('rev-parse', 'HEAD')).toBe(head);
    const { scope } = await ben.ok('claim_scope', { scope: 'S003' });
    await ben.ok('patch', { scope, edits: replace('EINS', 'ONE') });
    await ben.ok('publish_output', { scope, summary: 'English again' });
  });

  test('and has taken back by itself does not count', async () => {
    const { ada, ben, undo, text } = await crew();
    await done(ada, 'Translate', replace('one', 'eins'));
    const { scope } = await ben.ok('claim_scope', { title: 'Shout', units: ['src/a.txt'] });
    for (const loud of [true, false, true])
      await ben.ok('patch', { scope, edits: loud ? replace('eins', 'EINS') : replace('EINS', 'eins') });
    await ben.ok('release_scope', { scope });
    await done(ada, 'Count', replace('five', 'fünf'));
    const { scope: again } = await ben.ok('claim_scope', { scope: 'S002' });
    await ben.ok('release_scope', { scope: again, changes: 'revert' });
    expect(text('src/a.txt')).toBe(LINES.replace('one', 'eins').replace('five', 'fünf'));
    await undo('S001');
    expect(text('src/a.txt')).toBe(LINES.replace('five', 'fünf'));
  });

  test('outside Signalbox counts where it is the same lines, and stays where it is not', async () => {
    const { ada, undo, refused, text, write } = await crew();
    await done(ada, 'Translate', [...replace('one', 'eins'), ...replace('b', 'B', 'src/b.txt')]);
    write('src/a.txt', text('src/a.txt').replace('five', 'fünf'));
    write('src/b.txt', 'BB\n');
    expect(await refused('BLOCKED', 'S001')).toContain('somebody outside Signalbox in src/b.txt built on S001');
    write('src/b.txt', 'B\n');
    await undo('S001');
    expect([text('src/a.txt'), text('src/b.txt')]).toEqual([LINES.replace('five', 'fünf'), 'b\n']);
  });
});

test('scopes that changed a file by turns are undone one after the other', async () => {
  const { ada, ben, undo, text } = await crew();
  const first = await ada.ok('claim_scope', { title: 'Translate', units: ['src/a.txt'] });
  await ada.ok('patch', { scope: first.scope, edits: replace('one', 'eins') });
  await ada.ok('release_scope', { scope: first.scope });
  await done(ben, 'Count', replace('five', 'fünf'));
  const { scope } = await ada.ok('claim_scope', { scope: first.id });
  await ada.ok('patch', { scope, edits: replace('three', 'drei') });
  await ada.ok('publish_output', { scope, summary: 's' });
  await undo('S001');
  expect(text('src/a.txt')).toBe(LINES.replace('five', 'fünf'));
  await undo('S002');
  expect(text('src/a.txt')).toBe(LINES);
});

test('what somebody wrote anew after it had gone is not taken away', async () => {
  const { ada, ben, undo, text } = await crew();
  await done(ada, 'Add', replace('five\n', 'five\nsix\n'));
  await done(ben, 'Remove', replace('five\nsix\n', 'five\n'));
  await done(ben, 'Add again', replace('five\n', 'five\nsix\n'));
  expect(await undo('S001')).toEqual({ id: 'S001', status: 'already', paths: [] });
  expect(text('src/a.txt')).toContain('six');
});

test('what changed nothing, failed, was given up or taken back by hand needs nothing more', async () => {
  const { ada, undo, text, write, root } = await crew();
  const { scope } = await ada.ok('claim_scope', { title: 'Think', units: ['src/a.txt'] });
  await ada.ok('publish_output', { scope, summary: 'nothing to do' });
  expect(await undo('S001')).toEqual({ id: 'S001', status: 'unchanged', paths: [] });
  expect((await runCli(['undo', 'S001'], { cwd: root })).out).toBe('S001 changed no file: there is nothing to undo.\n');
  await done(ada, 'Translate', replace('one', 'eins'));
  write('src/a.txt', LINES);
  expect(await undo('S002')).toEqual({ id: 'S002', status: 'already', paths: [] });
  const failing = await ada.ok('claim_scope', { title: 'Fail', units: ['src/b.txt'] });
  await ada.ok('patch', { scope: failing.scope, edits: replace('b', 'B', 'src/b.txt') });
  await ada.ok('publish_output', { scope: failing.scope, summary: 'no', status: 'failed' });
  const undone = await undo('S003');
  expect(undone).toEqual({ id: 'S003', status: 'undone', by: 'S004', paths: ['src/b.txt'] });
  expect(text('src/b.txt')).toBe('b\n');
});

describe('nothing is left half', () => {
  test('while it is at work, or somebody holds its files, or git is busy', async () => {
    const { ada, ben, refused, undo, text, git, root } = await crew();
    const { scope } = await ada.ok('claim_scope', { title: 'Translate', units: ['src/a.txt'] });
    await ada.ok('patch', { scope, edits: replace('one', 'eins') });
    expect(await refused('BLOCKED', 'S001')).toContain('only what has ended is undone');
    await refused('UNKNOWN_SCOPE', 'S099');
    await ada.ok('publish_output', { scope, summary: 's' });
    const { scope: held } = await ben.ok('claim_scope', { title: 'Look', units: ['src/'] });
    expect(await refused('HELD', 'S001')).toMatch(
      /src\/ is held by S002 \(ben: Look\).*\nUndo S001 when S002 has ended/,
    );
    await ben.ok('release_scope', { scope: held });
    git('checkout', '--quiet', '-b', 'side', 'HEAD~1');
    git('checkout', '--quiet', 'main');
    rmSync(join(root, '.git/index.lock'), { force: true });
    git('update-ref', 'MERGE_HEAD', 'side');
    await refused('BLOCKED', 'S001');
    git('update-ref', '-d', 'MERGE_HEAD');
    expect(text('src/a.txt')).toBe(LINES.replace('one', 'eins'));
    expect(await undo('S001')).toMatchObject({ status: 'undone', by: 'S003' });
  });

  test('when the commit cannot be made', async () => {
    const { ada, refused, undo, text, write, git, events } = await crew({
      ...FILES,
      'signalbox.yaml': 'publish: {sign: false}\n',
    });
    await done(ada, 'Translate', [...replace('one', 'eins'), { path: 'src/new.txt', content: 'new\n' }]);
    await ada.close();
    const head = git('rev-parse', 'HEAD');
    git('config', 'gpg.program', 'false');
    write('signalbox.yaml', 'publish: {sign: true}\n');
    expect(await refused('BLOCKED', 'S001')).toContain('Nothing was undone.');
    expect([text('src/a.txt'), text('src/new.txt')]).toEqual([LINES.replace('one', 'eins'), 'new\n']);
    expect([git('rev-parse', 'HEAD'), git('status', '--short')]).toEqual([head, ' M signalbox.yaml\n']);
    expect((await events()).at(-1)?.body).toMatchObject({ type: 'scope.released', scope: 'S002', to: 'cancelled' });
    write('signalbox.yaml', 'publish: {sign: false}\n');
    expect(await undo('S001')).toMatchObject({ status: 'undone', by: 'S003' });
  });
});

test('where a content that it needs is not kept any more, it is left alone', async () => {
  const { ada, refused, root, text } = await crew();
  await done(ada, 'Translate', replace('one', 'eins'));
  await ada.close();
  const driver = openDriver(join(root, '.signalbox', DATABASE));
  driver.exec('DELETE FROM contents');
  driver.close();
  expect(await refused('BLOCKED', 'S001')).toContain('An earlier content of src/a.txt is not kept any more');
  expect(text('src/a.txt')).toBe(LINES.replace('one', 'eins'));
});

test('promise 6: an undoing that was killed before its commit is taken up by the next one', async () => {
  const { ada, undo, refused, text, git, root, write } = await crew({ ...FILES, '.gitignore': GATES_IGNORED });
  await done(ada, 'Translate', replace('one', 'eins'));
  const signing = gate(root, 'signing');
  write('node_modules/sign.sh', `#!/bin/sh\n${signing.wait}\nexit 1\n`);
  chmodSync(join(root, 'node_modules/sign.sh'), 0o755);
  git('config', 'gpg.program', join(root, 'node_modules/sign.sh'));
  git('config', 'commit.gpgsign', 'true');
  const events = startCli(['events', '--follow'], { cwd: root });
  const killed = startCli(['undo', 'S001'], { cwd: root });
  await events.shows(/files\.changed +S002/);
  await killed.stop('SIGKILL');
  signing.open();
  git('config', 'commit.gpgsign', 'false');
  expect([text('src/a.txt'), git('show', 'HEAD:src/a.txt')]).toEqual([LINES, LINES.replace('one', 'eins')]);
  // Until its lease has run out, or somebody knows better, it may be alive.
  expect(await refused('NOT_YOURS', 'S001')).toContain('S002 is active');
  expect((await runCli(['release', 'S002'], { cwd: root })).out).toBe('S002 is open.\n');
  expect(await undo('S001')).toMatchObject({ status: 'undone', by: 'S002', paths: ['src/a.txt'] });
  expect([text('src/a.txt'), git('show', 'HEAD:src/a.txt')]).toEqual([LINES, LINES]);
  expect(await undo('S001')).toEqual({ id: 'S001', status: 'already', by: 'S002', paths: [] });
});

test('without git, and without commits, everything else is the same', async () => {
  const { ada, undo, text, root } = await crew({ ...FILES, 'signalbox.yaml': 'publish: {commit: none}\n' });
  await done(ada, 'Translate', replace('one', 'eins'));
  expect(await undo('S001')).toEqual({ id: 'S001', status: 'undone', by: 'S002', paths: ['src/a.txt'] });
  await done(ada, 'Translate', replace('one', 'uno'));
  await ada.close();
  rmSync(join(root, '.git'), { recursive: true });
  expect(await undo('S003')).toMatchObject({ status: 'undone', by: 'S004' });
  expect(text('src/a.txt')).toBe(LINES);
});
