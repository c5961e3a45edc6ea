import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stdioAgent } from '../support/agents.js';
import { watch } from '../support/refusals.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\nthree\n', 'src/b.txt': 'b\n' };
const EDITS = [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }];

test('progress is committed and the locks stay; what comes later is committed at the end', async () => {
  const { root, git } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const { scope, id } = await ada.ok('claim_scope', { title: 'Translate', units: ['src/a.txt'] });
  await ada.ok('patch', { scope, edits: EDITS });
  const half = await ada.ok('publish_output', { scope, summary: 'Half', status: 'progress' });
  expect(half).toMatchObject({ id, status: 'active', commit: git('rev-parse', 'HEAD').trim() });
  await ben.refused('HELD', 'patch', { edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'x' }] });
  await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei' }] });
  const whole = await ada.ok('publish_output', { scope, summary: 'All of it\n\nWith reasons.' });
  expect(whole).toMatchObject({ id, status: 'done' });
  expect(git('log', '--format=%s', '-3').trim().split('\n')).toEqual(['Translate', 'Translate', 'Begin']);
  expect(git('log', '-1', '--format=%B')).toMatch(
    /^Translate\n\nAll of it\n\nWith reasons\.\n\nScope: S001\nAgent: ada\n/,
  );
  expect(git('show', 'HEAD:src/a.txt')).toBe('eins\nzwei\nthree\n');
  expect(git('show', 'HEAD~1:src/a.txt')).toBe('eins\ntwo\nthree\n');
  expect(git('status', '--short')).toBe('');
  await ben.ok('patch', { edits: [{ path: 'src/a.txt', old_string: 'three', new_string: 'drei' }] });
});

test('a failed scope commits nothing, keeps its changes on disk and frees its locks', async () => {
  const { root, git, text } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const { scope } = await ada.ok('claim_scope', { title: 'Try', units: ['src/a.txt'] });
  await ada.ok('patch', { scope, edits: EDITS });
  const failed = await ada.ok('publish_output', { scope, summary: 'It does not work', status: 'failed' });
  expect(failed).toMatchObject({ status: 'failed' });
  expect(failed.commit).toBeUndefined();
  expect(git('log', '--format=%s').trim()).toBe('Begin');
  expect(text('src/a.txt')).toBe('eins\ntwo\nthree\n');
  await ben.ok('claim_scope', { title: 'Look at it', units: ['src/a.txt'] });
});

test('what a failed scope has changed is published by whoever takes it up next', async () => {
  const { root, git } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const { id } = await ada.ok('open_scope', { title: 'Translate', units: ['src/'] });
  const first = await ada.ok('claim_scope', { scope: id });
  await ada.ok('patch', { scope: first.scope, edits: EDITS });
  await ada.ok('publish_output', { scope: first.scope, summary: 'It is hard', status: 'failed' });
  const second = await ben.ok('claim_scope', { scope: id });
  expect(second.handover.diff).toContain('+eins');
  await ben.ok('patch', { scope: second.scope, edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
  await ben.ok('publish_output', { scope: second.scope, summary: 'Done' });
  expect(git('show', '--format=', '--name-only', 'HEAD').trim().split('\n')).toEqual(['src/a.txt', 'src/b.txt']);
  expect(git('status', '--short')).toBe('');
});

test('a release does not take back what was published, and says so', async () => {
  const { root, git, text } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Translate', units: ['src/'] });
  await ada.ok('patch', { scope, edits: EDITS });
  const { commit } = await ada.ok('publish_output', { scope, summary: 'Half', status: 'progress' });
  await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei' }] });
  await ada.ok('patch', { scope, edits: [{ path: 'src/new.txt', content: 'new\n' }] });
  const { data: released, text: said } = await ada.call('release_scope', { scope, changes: 'revert' });
  expect(released).toMatchObject({ reverted: ['src/a.txt', 'src/new.txt'], published: { commit } });
  expect(said).toContain(`What commit ${commit.slice(0, 10)} has stays`);
  expect(text('src/a.txt')).toBe('eins\ntwo\nthree\n');
  expect(git('status', '--short')).toBe('');
});

test('a release takes the changes back, but not the lines of others', async () => {
  const { root, write, text } = newWorkspace({ ...FILES, 'src/c.txt': 'one\ntwo\nthree\nfour\nfive\n' });
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Try', units: ['src/'] });
  const { files } = await ada.ok('read', { paths: ['src/b.txt'] });
  await ada.ok('patch', {
    scope,
    edits: [
      ...EDITS,
      { path: 'src/new.txt', content: 'new\n' },
      { path: 'src/b.txt', delete: true, base: files[0].version },
      { path: 'src/c.txt', old_string: 'one', new_string: 'eins' },
    ],
  });
  await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei' }] });
  write('src/c.txt', text('src/c.txt').replace('five', 'fünf'));
  const released = await ada.ok('release_scope', { scope, changes: 'revert' });
  expect(released.reverted.toSorted()).toEqual(['src/a.txt', 'src/b.txt', 'src/c.txt', 'src/new.txt']);
  expect([text('src/a.txt'), text('src/b.txt')]).toEqual([FILES['src/a.txt'], FILES['src/b.txt']]);
  expect(text('src/c.txt')).toBe('one\ntwo\nthree\nfour\nfünf\n');
  expect(readdirSync(join(root, 'src'))).toEqual(['a.txt', 'b.txt', 'c.txt']);
});

test('a release that cannot take the changes back leaves all as it is', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Try', units: ['src/'] });
  await ada.ok('patch', { scope, edits: EDITS });
  workspace.write('src/a.txt', 'uno\ntwo\nthree\n');
  await refused(ada, 'STALE_BASE', 'release_scope', { scope, changes: 'revert' });
  expect((await ada.ok('list_scopes', { mine: true })).scopes).toMatchObject([{ status: 'active', units: ['src/'] }]);
});

test('a publication on a branch leaves HEAD, index and working tree alone', async () => {
  const { root, git, write, text } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  write('src/b.txt', 'staged\n');
  git('add', 'src/b.txt');
  write('src/b.txt', 'staged and changed\n');
  const { scope } = await ada.ok('claim_scope', { title: 'Side work', units: ['src/a.txt'] });
  await ada.ok('patch', { scope, edits: EDITS });
  const before = [git('rev-parse', 'HEAD'), git('ls-files', '--stage'), git('symbolic-ref', 'HEAD')];
  const published = await ada.ok('publish_output', { scope, summary: 's', branch: 'work/translate' });
  expect(published).toMatchObject({ status: 'done', branch: 'work/translate' });
  expect([git('rev-parse', 'HEAD'), git('ls-files', '--stage'), git('symbolic-ref', 'HEAD')]).toEqual(before);
  expect(git('rev-parse', 'work/translate').trim()).toBe(published.commit);
  expect(git('diff', '--stat', 'HEAD', 'work/translate')).toMatch(/src\/a\.txt/);
  expect(git('show', 'work/translate:src/a.txt')).toBe('eins\ntwo\nthree\n');
  expect(git('show', 'work/translate:src/b.txt')).toBe('b\n');
  expect([text('src/a.txt'), text('src/b.txt')]).toEqual(['eins\ntwo\nthree\n', 'staged and changed\n']);
});

test("a person's commit after a publication does not revert it, and takes their own work along", async () => {
  const lines = (first: string, last: string) => `${first}\n${'between\n'.repeat(20)}${last}\n`;
  const { root, git, write } = newWorkspace({ 'src/a.txt': lines('one', 'two'), 'src/b.txt': 'b\n' });
  const ada = await stdioAgent(root, 'ada');
  write('src/b.txt', 'staged\n');
  git('add', 'src/b.txt');
  write('src/a.txt', lines('one', 'zwei'));
  const { scope } = await ada.ok('claim_scope', { title: 'Translate', units: ['src/'] });
  await ada.ok('patch', { scope, edits: [...EDITS, { path: 'src/new.txt', content: 'new\n' }] });
  const { commit } = await ada.ok('publish_output', { scope, summary: 's' });
  expect(git('show', `${commit}:src/a.txt`)).toBe(lines('eins', 'two'));
  expect(git('show', `${commit}:src/b.txt`)).toBe('b\n');
  expect(git('show', `${commit}:src/new.txt`)).toBe('new\n');
  git('commit', '--quiet', '--all', '--message', 'Mine');
  expect(git('rev-parse', 'HEAD~1').trim()).toBe(commit);
  expect(git('show', 'HEAD:src/a.txt')).toBe(lines('eins', 'zwei'));
  expect(git('show', 'HEAD:src/b.txt')).toBe('staged\n');
  expect(git('show', 'HEAD:src/new.txt')).toBe('new\n');
});

test('what a person changed after the last patch is looked at before it is published', async () => {
  const workspace = newWorkspace(FILES);
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
  await ada.ok('patch', { scope, edits: EDITS });
  workspace.write('src/a.txt', 'one\ntwo\nthree\n');
  await refused(ada, 'STALE_BASE', 'publish_output', { scope, summary: 's' });
  await ada.ok('patch', { scope, edits: EDITS });
  expect(await ada.ok('publish_output', { scope, summary: 's' })).toMatchObject({ status: 'done' });
});

test('while a person merges, or another git holds the index, nothing is published', async () => {
  const workspace = newWorkspace(FILES);
  const { root, git } = workspace;
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/a.txt'] });
  await ada.ok('patch', { scope, edits: EDITS });
  writeFileSync(join(root, '.git/MERGE_HEAD'), git('rev-parse', 'HEAD'));
  await refused(ada, 'BLOCKED', 'publish_output', { scope, summary: 's' });
  execFileSync('rm', [join(root, '.git/MERGE_HEAD')]);
  writeFileSync(join(root, '.git/index.lock'), '');
  await refused(ada, 'BLOCKED', 'publish_output', { scope, summary: 's' });
  execFileSync('rm', [join(root, '.git/index.lock')]);
  for (const branch of ['main', '-b', 'a..b', 'x y', '@{-1}', 'HEAD']) {
    await refused(ada, 'INVALID', 'publish_output', { scope, summary: 's', branch });
  }
  mkdirSync(join(root, 'below'));
  expect(await ada.ok('publish_output', { scope, summary: 's' })).toMatchObject({ status: 'done' });
});

test('what is committed is what the scope changed, and never what git ignores', async () => {
  const { root, git } = newWorkspace({ ...FILES, '.gitignore': 'out/\n' });
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/', 'out/'] });
  await ada.ok('patch', { scope, edits: [...EDITS, { path: 'out/x.txt', content: 'x' }] });
  await ada.ok('publish_output', { scope, summary: 's' });
  expect(git('show', '--stat', '--format=', 'HEAD').trim().split('\n')[0]).toMatch(/src\/a\.txt/);
  expect(git('ls-files')).not.toContain('out/');
});

test('a publication has every file of patches over many files', async () => {
  const { root, git } = newWorkspace();
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Many', units: ['many/'] });
  for (const name of ['a', 'b']) {
    const edits = Array.from({ length: 600 }, (_, at) => ({ path: `many/${name}${at}`, content: name }));
    await ada.ok('patch', { scope, edits });
  }
  await ada.ok('publish_output', { scope, summary: 's' });
  expect(git('ls-files', 'many').trim().split('\n')).toHaveLength(1_200);
  expect(git('status', '--short')).toBe('');
});
