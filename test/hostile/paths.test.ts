import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stdioAgent } from '../support/agents.js';
import { watch } from '../support/refusals.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\nthree\n', 'src/b.txt': 'b\n' };

/** Spellings of places outside, and names that no path may have. */
function spellings(root: string): readonly (readonly [path: string, code: string])[] {
  return [
    ['../x', 'OUTSIDE'],
    ['src/../../x', 'OUTSIDE'],
    ['..', 'OUTSIDE'],
    ['/etc/passwd', 'OUTSIDE'],
    ['/', 'OUTSIDE'],
    [`${root}-evil/x`, 'OUTSIDE'],
    [`${root}/../x`, 'OUTSIDE'],
    ['C:/x', 'OUTSIDE'],
    ['C:\\x', 'INVALID'],
    ['..\\x', 'INVALID'],
    ['\\\\host\\x', 'INVALID'],
    ['a\0b', 'INVALID'],
    ['a\nb', 'INVALID'],
    ['a\u001b[31mb', 'INVALID'],
    ['a\u202eb', 'INVALID'],
    ['a\u200bb', 'INVALID'],
    ['a\ud800b', 'INVALID'],
    ['x'.repeat(256), 'INVALID'],
    ['é'.repeat(128), 'INVALID'],
    ['x/'.repeat(2_500), 'INVALID'],
    ['x/'.repeat(129), 'INVALID'],
    ['', 'INVALID'],
    ['link-out/passwd', 'OUTSIDE'],
    ['link-to-file', 'OUTSIDE'],
    ['link-up/x', 'OUTSIDE'],
    ['link-loop', 'INVALID'],
  ];
}

function withLinks(workspace: TestWorkspace): TestWorkspace {
  const { root } = workspace;
  symlinkSync('/etc', join(root, 'link-out'));
  symlinkSync('/etc/passwd', join(root, 'link-to-file'));
  symlinkSync('..', join(root, 'link-up'));
  symlinkSync('link-loop', join(root, 'link-loop'));
  symlinkSync('src', join(root, 'link-in'));
  symlinkSync('a.txt', join(root, 'src/link.txt'));
  return workspace;
}

test('promise 9: no tool reaches a place outside, however it is spelled', async () => {
  const workspace = withLinks(newWorkspace(FILES));
  const { unread, refused } = await watch(workspace);
  const outside = mkdtempSync(join(tmpdir(), 'signalbox-outside-'));
  onTestFinished(() => rmSync(outside, { recursive: true }));
  symlinkSync(outside, join(workspace.root, 'link-away'));
  const ada = await stdioAgent(workspace.root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Break out', units: ['src/'] });
  for (const [path, code] of [...spellings(workspace.root), ['link-away/new', 'OUTSIDE'] as const]) {
    await unread(ada, code, path);
    await refused(ada, code, 'patch', { scope, edits: [{ path, content: 'evil' }] });
    await refused(ada, code, 'patch', { scope, edits: [{ path: 'src/a.txt', move_to: path }] });
    await refused(ada, code, 'claim_scope', { scope, units: [path], wait_s: 0 });
    await refused(ada, code, 'run', { scope, command: 'true', cwd: path });
    await refused(ada, code, 'publish_output', { scope, summary: 's', artifacts: [{ type: 'file', path }] });
  }
  expect(readdirSync(outside)).toEqual([]);
});

test('the other places where a path is an argument look at it as well', async () => {
  const workspace = withLinks(newWorkspace(FILES));
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  for (const path of ['../x', '/etc/passwd', 'link-out/x']) {
    const listed = await refused(ada, 'OUTSIDE', 'list_scopes', { path });
    expect.soft(listed.data.facts.argument).toBe('path');
    await refused(ada, 'OUTSIDE', 'open_scope', { title: 't', units: [path] });
    await refused(ada, 'OUTSIDE', 'open_scope', { title: 't', produces: [path] });
    await refused(ada, 'OUTSIDE', 'claim_scope', { title: 't', produces: [path] });
    await refused(ada, 'OUTSIDE', 'patch', { diff: `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-a\n+b\n` });
    await refused(ada, 'OUTSIDE', 'patch', {
      diff: `diff --git a/src/a.txt b/${path}\nrename from src/a.txt\nrename to ${path}\n`,
    });
  }
  for (const glob of ['../**', 'src/*/../../../x', '/*', '/etc/*.conf', 'link-out/**', 'link-out/*.conf']) {
    await refused(ada, 'OUTSIDE', 'claim_scope', { title: 't', units: [glob] });
  }
  for (const path of ['src/', 'src/*.txt'])
    await refused(ada, 'INVALID', 'open_scope', { title: 't', produces: [path] });
});

const PROTECTED = [
  '.git/config',
  '.git/hooks/pre-commit',
  '.GIT/config',
  '.git',
  'vendor/lib/.git/config',
  '.signalbox/key',
  '.signalbox/new',
  'signalbox.yaml',
  '.mcp.json',
  'mcp.json',
  'packages/a/.mcp.json',
  '.claude/settings.json',
  '.cursor/rules',
  '.vscode/tasks.json',
  '.codex/config.toml',
  '.gemini/settings.json',
];

test('promise 9: what steers git, agents and editors is protected, existing or not', async () => {
  const workspace = newWorkspace(FILES);
  const { refused, unread } = await watch(workspace);
  symlinkSync('.git', join(workspace.root, 'link-git'));
  symlinkSync('../.claude', join(workspace.root, 'src/link-claude'));
  const ada = await stdioAgent(workspace.root, 'ada');
  for (const path of [...PROTECTED, 'link-git/config', 'src/link-claude/settings.json']) {
    await refused(ada, 'PROTECTED', 'patch', { edits: [{ path, content: 'evil' }] });
    await refused(ada, 'PROTECTED', 'patch', { edits: [{ path: 'src/a.txt', move_to: path }] });
    await refused(ada, 'PROTECTED', 'patch', { diff: `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+evil\n` });
    await refused(ada, 'PROTECTED', 'claim_scope', { title: 't', units: [path] });
  }
  await refused(ada, 'PROTECTED', 'claim_scope', { title: 't', units: ['.git/**'] });
  // It holds the key of all handles and the token of the server.
  await unread(ada, 'PROTECTED', '.signalbox/key');
  await refused(ada, 'PROTECTED', 'run', { command: 'ls', cwd: '.signalbox' });
  await refused(ada, 'PROTECTED', 'claim_scope', { title: 't', units: ['src/'], produces: ['.mcp.json'] });
  const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
  const artifacts = [{ type: 'file', path: '.signalbox/key' }];
  await refused(ada, 'PROTECTED', 'publish_output', { scope, summary: 's', artifacts });
});

test('what is named in unprotect may be changed, and nothing else with it', async () => {
  const workspace = newWorkspace({ ...FILES, 'signalbox.yaml': 'unprotect: [.vscode/, .git, .signalbox]\n' });
  const { refused } = await watch(workspace);
  const ada = await stdioAgent(workspace.root, 'ada');
  await ada.ok('patch', { edits: [{ path: '.vscode/tasks.json', content: '{}\n' }] });
  for (const path of ['.mcp.json', '.git/config', '.signalbox/x', 'signalbox.yaml']) {
    await refused(ada, 'PROTECTED', 'patch', { edits: [{ path, content: 'evil' }] });
  }
});

test('pipes, sockets, devices, folders and what is too large are no files to work on', async () => {
  const workspace = newWorkspace(FILES);
  const { root } = workspace;
  execFileSync('mkfifo', [join(root, 'pipe')]);
  const server = createServer().listen(join(root, 'socket'));
  onTestFinished(() => void server.close());
  writeFileSync(join(root, 'huge.txt'), '');
  truncateSync(join(root, 'huge.txt'), 2_000_000_000);
  const special = ['pipe', 'socket', ...(process.getuid?.() === 0 ? ['device'] : [])];
  if (special.includes('device')) execFileSync('mknod', [join(root, 'device'), 'c', '1', '3']);
  const { refused, unread } = await watch(workspace);
  const ada = await stdioAgent(root, 'ada');
  const base = '0123456789';
  for (const [path, code] of [...special.map((name) => [name, 'INVALID'] as const), ['huge.txt', 'LIMIT'] as const]) {
    await unread(ada, code, path);
    for (const edit of [
      { content: 'x', base },
      { old_string: 'a', new_string: 'b' },
      { delete: true, base },
    ]) {
      await refused(ada, code, 'patch', { edits: [{ path, ...edit }] });
    }
    await refused(ada, code, 'patch', { edits: [{ path: 'src/a.txt', move_to: path, base }] });
  }
  for (const path of ['src', '.', 'src/']) {
    await refused(ada, 'INVALID', 'patch', { edits: [{ path, content: 'x' }] });
    await refused(ada, 'INVALID', 'patch', { edits: [{ path, delete: true }] });
  }
  await refused(ada, 'INVALID', 'patch', { edits: [{ path: 'src/a.txt/below', content: 'x' }] });
  await refused(ada, 'INVALID', 'run', { command: 'true', cwd: 'src/a.txt' });
  await refused(ada, 'INVALID', 'run', { command: 'true', cwd: 'nowhere' });
});

test('a link that stays inside is its target: that is what is read, locked and changed', async () => {
  const workspace = withLinks(newWorkspace(FILES));
  const ada = await stdioAgent(workspace.root, 'ada');
  const { files } = await ada.ok('read', { paths: ['link-in/a.txt', 'src/link.txt', 'link-in/'] });
  expect(files.map((file: { path: string }) => file.path)).toEqual(['src/a.txt', 'src/a.txt', 'src/']);
  const claimed = await ada.ok('claim_scope', { title: 't', units: ['src/link.txt', 'link-in/*.md', 'link-in/sub/'] });
  expect(claimed.units).toEqual(['src/a.txt', 'src/*.md', 'src/sub/']);
  const edits = [{ path: 'link-in/link.txt', old_string: 'two', new_string: 'zwei' }];
  const patched = await ada.ok('patch', { scope: claimed.scope, edits });
  expect(patched).toMatchObject({ files: [{ path: 'src/a.txt' }] });
  expect(patched.claimed).toBeUndefined();
  expect(workspace.text('src/a.txt')).toBe('one\nzwei\nthree\n');
  const ben = await stdioAgent(workspace.root, 'ben');
  await ben.refused('HELD', 'patch', { edits: [{ path: 'src/link.txt', old_string: 'one', new_string: 'eins' }] });
  await ben.refused('HELD', 'patch', { edits: [{ path: 'src/new.md', content: 'x' }] });
});

test('an absolute path inside is taken, by whichever name the root was given', async () => {
  const { root } = newWorkspace(FILES);
  const link = join(mkdtempSync(join(tmpdir(), 'signalbox-link-')), 'root');
  onTestFinished(() => rmSync(join(link, '..'), { recursive: true }));
  symlinkSync(root, link);
  const ada = await stdioAgent(root, 'ada', 'legacy', { SIGNALBOX_ROOT: link });
  for (const name of [root, link]) {
    const units = [`${name}/src/a.txt`, `${name}/docs/`, `${name}/lib/*.js`];
    const { scope, units: held } = await ada.ok('claim_scope', { title: 't', units });
    expect(held).toEqual(['src/a.txt', 'docs/', 'lib/*.js']);
    const { files } = await ada.ok('read', { paths: [`${name}/src/a.txt`, name] });
    expect(files).toMatchObject([{ path: 'src/a.txt' }, { path: './' }]);
    const edits = [{ path: `${name}/docs/new.md`, content: name }];
    expect(await ada.ok('patch', { scope, edits })).toMatchObject({ files: [{ path: 'docs/new.md' }] });
    await ada.ok('release_scope', { scope, changes: 'revert' });
  }
});

test('odd spellings of one path are one unit', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const units = ['./src//a.txt', 'src/./a.txt', 'src/a.txt'];
  const { scope, units: held } = await ada.ok('claim_scope', { title: 't', units });
  expect(held).toEqual(['src/a.txt']);
  await ada.ok('release_scope', { scope });
  for (const spelled of ['src', 'src/', './src/.', 'src//']) {
    const claimed = await ada.ok('claim_scope', { title: 't', units: [spelled] });
    expect(claimed.units).toEqual(['src/']);
    await ada.ok('release_scope', { scope: claimed.scope });
  }
});
