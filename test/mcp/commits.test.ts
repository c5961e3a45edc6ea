import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Agent, stdioAgent } from '../support/agents.js';
import { watch } from '../support/refusals.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n' };
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-commits-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Claims, changes one line and publishes. */
async function publish(agent: Agent, from: string, to: string, more: object = {}) {
  const { scope } = await agent.ok('claim_scope', { title: 'Work', units: ['src/a.txt'] });
  await agent.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: from, new_string: to }] });
  return agent.ok('publish_output', { scope, summary: 's', ...more });
}

describe('publish.commit', () => {
  test('branch: each scope has a branch of its own, built from the shared tree without a checkout', async () => {
    const { root, git, text } = newWorkspace({ ...FILES, 'signalbox.yaml': 'publish: {commit: branch}\n' });
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    const before = [git('rev-parse', 'HEAD'), git('ls-files', '--stage'), git('symbolic-ref', 'HEAD')];
    const mine = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
    const edit = (from: string, to: string) => ({ path: 'src/a.txt', old_string: from, new_string: to });
    await ada.ok('patch', { scope: mine.scope, edits: [edit('one', 'eins')] });
    const half = await ada.ok('publish_output', { scope: mine.scope, summary: 'half', status: 'progress' });
    const theirs = await ben.ok('claim_scope', { title: 'Theirs', units: ['src/b.txt'] });
    await ben.ok('patch', { edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
    const other = await ben.ok('publish_output', { summary: 'all' });
    await ada.ok('patch', { scope: mine.scope, edits: [edit('two', 'zwei')] });
    const whole = await ada.ok('publish_output', { scope: mine.scope, summary: 'all' });
    expect([half.branch, whole.branch, other.branch]).toEqual([
      `signalbox/${mine.id}`,
      `signalbox/${mine.id}`,
      `signalbox/${theirs.id}`,
    ]);
    expect(git('rev-list', `main..signalbox/${mine.id}`).trim().split('\n')).toEqual([whole.commit, half.commit]);
    expect(git('rev-list', `main..signalbox/${theirs.id}`).trim()).toBe(other.commit);
    expect(git('diff', '--name-only', 'main', `signalbox/${theirs.id}`).trim()).toBe('src/b.txt');
    expect(git('show', `signalbox/${mine.id}:src/a.txt`)).toBe('eins\nzwei\n');
    expect([git('rev-parse', 'HEAD'), git('ls-files', '--stage'), git('symbolic-ref', 'HEAD')]).toEqual(before);
    expect(text('src/a.txt')).toBe('eins\nzwei\n');
  });

  test('none: nothing is committed, unless the call itself names a branch', async () => {
    const lines = (first: string, last: string) => `${first}\n${'between\n'.repeat(5)}${last}\n`;
    const files = { 'src/a.txt': lines('one', 'two'), 'signalbox.yaml': 'publish: {commit: none}\n' };
    const { root, git } = newWorkspace(files);
    const ada = await stdioAgent(root, 'ada');
    const published = await publish(ada, 'one', 'eins');
    expect(published).toMatchObject({ status: 'done' });
    expect(published.commit).toBeUndefined();
    expect(git('log', '--format=%s').trim()).toBe('Begin');
    expect(git('status', '--short', '--', 'src')).toBe(' M src/a.txt\n');
    expect(await publish(ada, 'two', 'zwei', { branch: 'work' })).toMatchObject({ branch: 'work' });
    expect(git('show', 'work:src/a.txt')).toBe(lines('one', 'zwei'));
  });
});

test('one commit for a publication, which names its scope, agent, inputs and trace', async () => {
  const { root, git } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const source = await publish(ada, 'one', 'eins');
  const claim = { title: 'Use it', units: ['src/b.txt'], consumes: [source.id], agent: 'helper' };
  const { scope, id } = await ada.ok('claim_scope', claim);
  await ada.ok('patch', { scope, edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
  const meta = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
  const { isError, data } = await ada.call('publish_output', { scope, summary: 'Used.' }, { meta });
  expect(isError).toBe(false);
  expect(git('log', '--format=%s', '-3').trim().split('\n')).toEqual(['Use it', 'Work', 'Begin']);
  expect(git('log', '-1', '--format=%H').trim()).toBe(data.commit);
  const trailers = git('log', '-1', '--format=%(trailers:only)').trim().split('\n');
  expect(trailers).toEqual([`Scope: ${id}`, 'Agent: helper', `Consumes: ${source.id}`, `Trace: ${TRACE}`]);
});

describe('a publication works', () => {
  test('in a linked worktree, and leaves the main one alone', async () => {
    const { git } = newWorkspace({ ...FILES, '.gitignore': '.signalbox/\n' });
    const linked = join(temporary(), 'linked');
    git('worktree', 'add', '-q', '-b', 'side', linked);
    const { commit } = await publish(await stdioAgent(linked, 'ada'), 'one', 'eins');
    expect(git('rev-parse', 'side').trim()).toBe(commit);
    expect(git('show', 'side:src/a.txt')).toBe('eins\ntwo\n');
    expect(git('log', '--format=%s', 'main').trim()).toBe('Begin');
    expect(git('status', '--porcelain')).toBe('');
    expect(git('-C', linked, 'status', '--porcelain')).toBe('');
    git('worktree', 'remove', '--force', linked);
  });

  test('in a repository without commits', async () => {
    const root = temporary();
    const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' });
    git('init', '-q', '--initial-branch=main');
    writeFileSync(join(root, 'mine.txt'), 'mine\n');
    git('add', 'mine.txt');
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'First', units: ['src/'] });
    await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', content: 'a\n' }] });
    const { commit } = await ada.ok('publish_output', { scope, summary: 's' });
    expect(git('rev-parse', 'main').trim()).toBe(commit);
    expect(git('ls-tree', '-r', '--name-only', 'main').trim()).toBe('src/a.txt');
    expect(git('status', '--porcelain', '--', 'mine.txt', 'src')).toBe('A  mine.txt\n');
  });

  test('without git: no commit, everything else; a branch is refused', async () => {
    const root = temporary();
    execFileSync('mkdir', [join(root, '.signalbox'), join(root, 'src')]);
    for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, path), text);
    const ada = await stdioAgent(root, 'ada');
    const ben = await stdioAgent(root, 'ben');
    const { scope, id } = await ada.ok('claim_scope', { title: 't', units: ['src/'], produces: ['src/a.txt'] });
    await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });
    const no = await ada.refused('INVALID', 'publish_output', { scope, summary: 's', branch: 'work' });
    expect(no.data.facts.argument).toBe('branch');
    await ada.ok('publish_output', { scope, summary: 'half', status: 'progress' });
    const published = await ada.ok('publish_output', { scope, summary: 's', artifacts: [{ type: 'diff' }] });
    expect(published).toMatchObject({ id, status: 'done', artifacts: [{ type: 'diff' }, { path: 'src/a.txt' }] });
    expect(published.commit).toBeUndefined();
    const next = await ben.ok('claim_scope', { title: 'u', units: ['src/'], consumes: [id] });
    expect(next.inputs).toHaveLength(2);
    await ben.ok('patch', { edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
    expect((await ben.ok('release_scope', { changes: 'revert' })).reverted).toEqual(['src/b.txt']);
  });
});

describe('publish.sign', () => {
  /** A repository whose commits its person signs with a key of ssh. */
  function signing(yaml: string) {
    const workspace = newWorkspace({ ...FILES, 'signalbox.yaml': yaml });
    const folder = temporary();
    const key = join(folder, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'tester', '-f', key]);
    const signers = join(folder, 'signers');
    writeFileSync(signers, `tester@example.org ${execFileSync('cat', [`${key}.pub`], { encoding: 'utf8' })}`);
    const settings = { 'gpg.format': 'ssh', 'user.signingKey': key, 'gpg.ssh.allowedSignersFile': signers };
    for (const [name, value] of Object.entries(settings)) workspace.git('config', name, value);
    return workspace;
  }
  const mark = (git: (...args: string[]) => string) => git('log', '-1', '--format=%G?').trim();

  test('auto: signed as the person would sign, where git is told to sign', async () => {
    const { root, git } = signing('{}\n');
    const ada = await stdioAgent(root, 'ada');
    await publish(ada, 'one', 'eins');
    expect(mark(git)).toBe('N');
    git('config', 'commit.gpgSign', 'true');
    await publish(ada, 'two', 'zwei');
    expect(mark(git)).toBe('G');
  });

  test('true signs in any case, false never', async () => {
    const always = signing('publish: {sign: true}\n');
    await publish(await stdioAgent(always.root, 'ada'), 'one', 'eins');
    expect(mark(always.git)).toBe('G');
    const never = signing('publish: {sign: false}\n');
    never.git('config', 'commit.gpgSign', 'true');
    await publish(await stdioAgent(never.root, 'ada'), 'one', 'eins');
    expect(mark(never.git)).toBe('N');
  });

  test('a signature that cannot be made refuses the publication, and nothing has moved', async () => {
    const workspace = newWorkspace(FILES);
    const { root, git } = workspace;
    git('config', 'commit.gpgSign', 'true');
    git('config', 'gpg.program', 'false');
    const { refused } = await watch(workspace);
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Work', units: ['src/a.txt'] });
    await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });
    const no = await refused(ada, 'BLOCKED', 'publish_output', { scope, summary: 's' });
    expect(no.text).toContain('gpg failed to sign');
    expect(git('log', '--format=%s').trim()).toBe('Begin');
    git('config', 'commit.gpgSign', 'false');
    expect(await ada.ok('publish_output', { scope, summary: 's' })).toMatchObject({ status: 'done' });
  });
});
