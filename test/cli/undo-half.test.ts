import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDriver } from '../../src/store/sqlite/driver.js';
import { DATABASE } from '../../src/store/sqlite/options.js';
import { runCli, startCli } from '../support/cli.js';
import { GATES_IGNORED, gate } from '../support/gates.js';
import { crew, done, FILES, LINES, replace } from '../support/undoing.js';

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
