import { chmodSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { crew, done, FILES, LINES, replace } from '../support/undoing.js';

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
