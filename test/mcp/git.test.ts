import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Agent, stdioAgent } from '../support/agents.js';
import { startCli } from '../support/cli.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\n', 'src/b.txt': 'b\n', '.gitignore': 'node_modules/\n' };

/** A repository with a branch `topic` that has other files, and a remote to push to. */
function repository(files: { readonly [path: string]: string } = FILES): TestWorkspace & { readonly origin: string } {
  const workspace = newWorkspace(files);
  const { git, write } = workspace;
  const origin = mkdtempSync(join(tmpdir(), 'signalbox-origin-'));
  onTestFinished(() => rmSync(origin, { recursive: true }));
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', origin]);
  git('checkout', '-q', '-b', 'topic');
  write('src/a.txt', 'one\ntopic\n');
  write('src/new.txt', 'new\n');
  git('rm', '-q', 'src/b.txt');
  git('add', '--all');
  git('commit', '-qm', 'Topic');
  git('checkout', '-q', 'main');
  git('remote', 'add', 'origin', origin);
  git('push', '-q', '-u', 'origin', 'main', 'topic');
  return { ...workspace, origin };
}

const bare = (origin: string, ...args: string[]): string =>
  execFileSync('git', args, { cwd: origin, encoding: 'utf8' }).trim();
const pathsOf = (found: readonly { path: string }[]): string[] => found.map(({ path }) => path).toSorted();

/** Every file that the ledger knows is, by its last event, what the disk holds. */
async function expectReplayed({ events, root }: TestWorkspace): Promise<void> {
  const last = new Map<string, string | null>();
  for (const { body } of await events()) {
    if (body.type !== 'files.changed' && body.type !== 'files.outside') continue;
    for (const { path, before, after } of body.files) {
      if (last.has(path)) expect(before, `${path} goes on from where it was`).toBe(last.get(path));
      last.set(path, after);
    }
  }
  const { createHash } = await import('node:crypto');
  for (const [path, hash] of last) {
    const file = join(root, path);
    const now = existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : null;
    expect(now, path).toBe(hash);
  }
}

describe('on the repository itself', () => {
  test('a branch is made, published to and pushed, and what a remote has is fetched', async () => {
    const { root, git, origin } = repository();
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/'] });
    const made = await ada.ok('run', { scope, command: 'git branch feature' });
    expect(made).toMatchObject({ state: 'exited', exit_code: 0, containment: 'none', changed: [] });
    await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });
    await ada.ok('publish_output', { scope, summary: 'German' });
    expect(await ada.ok('run', { command: 'git push origin main:feature' })).toMatchObject({ exit_code: 0 });
    expect(bare(origin, 'log', '--format=%s', '-1', 'feature')).toBe('Mine');
    expect(await ada.ok('run', { command: 'git fetch --prune' })).toMatchObject({ exit_code: 0 });
    expect(git('rev-parse', 'origin/feature')).toBe(git('rev-parse', 'main'));
    expect(await ada.ok('run', { command: 'git tag -a v1 -m "First; && best"', cwd: 'src' })).toMatchObject({
      exit_code: 0,
    });
    expect(git('tag', '-n').trim()).toBe('v1              First; && best');
    const failed = await ada.ok('run', { command: 'git branch topic' });
    expect(failed).toMatchObject({ exit_code: 128, output: expect.stringContaining('already exists') });
  });

  test('promises 1 and 8: a branch is switched when the whole tree is free, and is one change from outside', async () => {
    const workspace = repository();
    const { root, text } = workspace;
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    await ben.ok('patch', { edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
    const busy = await ada.refused('WAITING', 'run', { command: 'git switch topic', wait_s: 0 });
    expect(busy.text).toMatch(/src\/b\.txt is busy with S001 \(ben: /);
    await ben.ok('release_scope', { changes: 'revert' });
    const ran = await ada.ok('run', { command: 'git switch topic' });
    expect(ran).toMatchObject({ exit_code: 0 });
    expect(pathsOf(ran.changed)).toEqual(['src/a.txt', 'src/b.txt', 'src/new.txt']);
    expect([text('src/a.txt'), text('src/new.txt'), existsSync(join(root, 'src/b.txt'))]).toEqual([
      'one\ntopic\n',
      'new\n',
      false,
    ]);
    const outside = (await workspace.events()).filter(({ body }) => body.type === 'files.outside');
    expect(outside).toMatchObject([{ body: { run: ran.run } }]);
    await expectReplayed(workspace);
    expect((await ben.ok('list_scopes')).scopes).toEqual([]);
    await ben.ok('patch', { edits: [{ path: 'src/a.txt', old_string: 'topic', new_string: 'Topic' }] });
    await ben.ok('publish_output', { summary: 's' });
    expect(workspace.git('log', '--format=%s', 'main..topic').trim().split('\n')).toHaveLength(2);
  });

  test('a scope that holds a part of the tree is told to claim the whole of it', async () => {
    const { root, text } = repository();
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
    const no = await ada.refused('NOT_CLAIMED', 'run', { scope, command: 'git merge topic' });
    expect(no.data.next).toContain('claim_scope {"scope":"S001","units":["./"]}');
    await ada.ok('claim_scope', { scope, units: ['./'] });
    expect(await ada.ok('run', { scope, command: 'git merge topic' })).toMatchObject({ exit_code: 0 });
    expect(text('src/new.txt')).toBe('new\n');
  });

  test('promise 8: a stash is the change of its scope, and what comes back can be published', async () => {
    const workspace = repository();
    const { root, text, git } = workspace;
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Mine', units: ['./'] });
    await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });
    expect((await ada.ok('run', { scope, command: 'git stash push -m "for later"' })).changed).toMatchObject([
      { path: 'src/a.txt' },
    ]);
    expect(text('src/a.txt')).toBe('one\n');
    await ada.ok('run', { scope, command: 'git stash pop' });
    expect(text('src/a.txt')).toBe('eins\n');
    await expectReplayed(workspace);
    await ada.ok('publish_output', { scope, summary: 's' });
    expect(git('show', 'HEAD:src/a.txt')).toBe('eins\n');
    expect(git('status', '--porcelain')).toBe('');
  });

  test('promise 8: a merge that conflicts leaves its marks on record, and is taken back', async () => {
    const workspace = repository();
    const { root, git, text, write } = workspace;
    write('src/a.txt', 'one\nmain\n');
    git('commit', '-qam', 'Main');
    const ada = await stdioAgent(root, 'ada');
    await ada.ok('read', { paths: ['src/a.txt'] });
    const merged = await ada.ok('run', { command: 'git merge topic' });
    expect(merged).toMatchObject({ exit_code: 1 });
    expect(text('src/a.txt')).toContain('<<<<<<<');
    await expectReplayed(workspace);
    expect(await ada.ok('run', { command: 'git merge --abort' })).toMatchObject({ exit_code: 0 });
    expect(text('src/a.txt')).toBe('one\nmain\n');
    expect(git('status', '--porcelain')).toBe('');
    await expectReplayed(workspace);
    expect(await ada.ok('run', { command: 'git rebase topic' })).toMatchObject({ exit_code: 1 });
    expect(await ada.ok('run', { command: 'git rebase --abort' })).toMatchObject({ exit_code: 0 });
    expect(text('src/a.txt')).toBe('one\nmain\n');
    await expectReplayed(workspace);
  });

  test('pull brings what others pushed; cherry-pick, revert, reset and restore are on record', async () => {
    const workspace = repository();
    const { root, git, text, origin } = workspace;
    const other = mkdtempSync(join(tmpdir(), 'signalbox-clone-'));
    onTestFinished(() => rmSync(other, { recursive: true }));
    execFileSync('git', ['clone', '-q', origin, other]);
    writeFileSync(join(other, 'theirs.txt'), 'theirs\n');
    const env = {
      ...process.env,
      GIT_AUTHOR_NAME: 'n',
      GIT_AUTHOR_EMAIL: 'e',
      GIT_COMMITTER_NAME: 'n',
      GIT_COMMITTER_EMAIL: 'e',
    };
    for (const args of [
      ['add', '.'],
      ['commit', '-qm', 'Theirs'],
      ['push', '-q'],
    ])
      execFileSync('git', args, { cwd: other, env });
    const ada = await stdioAgent(root, 'ada');
    expect(await ada.ok('run', { command: 'git pull' })).toMatchObject({
      exit_code: 0,
      changed: [{ path: 'theirs.txt' }],
    });
    expect(await ada.ok('run', { command: 'git cherry-pick topic' })).toMatchObject({ exit_code: 0 });
    expect(text('src/new.txt')).toBe('new\n');
    expect(await ada.ok('run', { command: 'git revert --no-edit HEAD' })).toMatchObject({ exit_code: 0 });
    expect(existsSync(join(root, 'src/new.txt'))).toBe(false);
    expect(await ada.ok('run', { command: 'git restore --source=topic src/a.txt' })).toMatchObject({
      changed: [{ path: 'src/a.txt' }],
    });
    expect(await ada.ok('run', { command: 'git reset --hard origin/main' })).toMatchObject({ exit_code: 0 });
    expect([text('src/a.txt'), text('theirs.txt')]).toEqual(['one\n', 'theirs\n']);
    expect(git('status', '--porcelain')).toBe('');
    await expectReplayed(workspace);
  });

  test("its process is one at a time, and its environment is the person's", async () => {
    const { root } = repository();
    const bin = tools({ gh: '#!/bin/sh\necho "$GH_TOKEN $@"; sleep $TAKES\n' });
    const env = { PATH: `${root}/node_modules/.bin:${bin}:${process.env.PATH}`, GH_TOKEN: 'mine', TAKES: '60' };
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada', 'legacy', env), stdioAgent(root, 'ben')]);
    const first = await ada.ok('run', { command: 'gh pr list --state open', background: true });
    while ((await ada.ok('run', { run: first.run, wait_s: 0 })).output !== 'mine pr list --state open\n');
    const busy = await ben.refused('WAITING', 'run', { command: 'git fetch', wait_s: 0 });
    expect(busy.text).toMatch(/process:git is busy with S001 \(ada \(run\): Run gh pr list --state open\)/);
    const second = ben.ok('run', { command: 'git fetch' });
    await startCli(['status', '--watch'], { cwd: root }).shows(/waiting +ben \(run\) +process:git/);
    await ada.ok('run', { run: first.run, stop: true });
    expect(await second).toMatchObject({ exit_code: 0 });
    expect(await ben.ok('run', { command: 'git log --oneline -1' })).toMatchObject({ containment: 'transactional' });
  });
});

/** Programs on the path of a server, outside the workspace. */
function tools(programs: { readonly [name: string]: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bin-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

describe('promise 9: nothing that agents can write is started', () => {
  /** A script in the tree that leaves a mark outside of it. */
  function trap(files: { readonly [path: string]: string } = {}) {
    const mark = join(mkdtempSync(join(tmpdir(), 'signalbox-mark-')), 'sprung');
    onTestFinished(() => rmSync(join(mark, '..'), { recursive: true }));
    const script = `#!/bin/sh\ntouch ${mark}\nexit 0\n`;
    const workspace = repository({ ...FILES, 'hooks/trap': script, ...files });
    chmodSync(join(workspace.root, 'hooks/trap'), 0o755);
    return { ...workspace, mark, script };
  }

  test('not the hooks of the repository, in the tree or not', async () => {
    const { root, git, mark, script } = trap();
    for (const name of ['pre-push', 'post-checkout', 'reference-transaction', 'post-merge', 'post-index-change']) {
      writeFileSync(join(root, 'hooks', name), script, { mode: 0o755 });
      writeFileSync(join(root, '.git/hooks', name), script, { mode: 0o755 });
    }
    git('config', 'core.hooksPath', 'hooks');
    const ada = await stdioAgent(root, 'ada');
    for (const command of ['git push', 'git branch x', 'git switch topic', 'git fetch']) {
      expect.soft(await ada.ok('run', { command }), command).toMatchObject({ exit_code: 0 });
    }
    expect(existsSync(mark)).toBe(false);
  });

  test.each([
    ['core.fsmonitor', 'hooks/trap', 'git switch topic', 0],
    ['core.pager', 'hooks/trap', 'git branch x', 0],
    ['core.editor', 'hooks/trap', 'git tag -a v2', 'any'],
    ['alias.fetch', '!hooks/trap', 'git fetch', 0],
    ['core.sshCommand', 'hooks/trap', 'git fetch', 'BLOCKED'],
    ['credential.helper', '!hooks/trap', 'git fetch', 'BLOCKED'],
    ['core.askPass', './hooks/trap', 'git push', 'BLOCKED'],
    ['remote.origin.uploadpack', 'hooks/trap', 'git fetch', 'BLOCKED'],
    ['remote.origin.receivepack', 'sh hooks/trap', 'git push', 'BLOCKED'],
    ['filter.x.smudge', 'python3 -m x', 'git switch topic', 'BLOCKED'],
    ['filter.x.process', 'hooks/trap', 'git stash', 'BLOCKED'],
    ['merge.x.driver', 'hooks/trap %A', 'git merge topic', 'BLOCKED'],
    ['include.path', '../hooks/config', 'git fetch', 'BLOCKED'],
  ])('with %s = %s: %s', async (key, value, command, code) => {
    const { root, git, mark } = trap({
      'hooks/config': '[core]\n\tsshCommand = hooks/trap\n',
      '.gitattributes': '* filter=x merge=x\n',
    });
    git('config', key, value);
    const ada = await stdioAgent(root, 'ada');
    if (code === 'BLOCKED') {
      const no = await ada.refused('BLOCKED', 'run', { command });
      expect(no.text).toMatch(/Git is not run on the repository itself: /);
    } else expect((await ada.ok('run', { command })).exit_code).toEqual(code === 'any' ? expect.any(Number) : code);
    expect(existsSync(mark)).toBe(false);
  });

  test('not a repository that a command made in scratch', async () => {
    const { root, mark, git } = trap();
    mkdirSync(join(root, 'node_modules'));
    const ada = await stdioAgent(root, 'ada');
    const evil = 'cd node_modules && git init -q evil && git -C evil config core.sshCommand "../../hooks/trap"';
    const settings = 'git -C evil config core.fsmonitor ../../hooks/trap && git -C evil remote add origin x:y';
    expect(await ada.ok('run', { command: `${evil} && ${settings}` })).toMatchObject({ exit_code: 0 });
    expect(await ada.ok('run', { command: 'git fetch', cwd: 'node_modules/evil' })).toMatchObject({ exit_code: 0 });
    await ada.ok('run', { command: 'git branch made', cwd: 'node_modules/evil' });
    expect(git('branch', '--list', 'made').trim()).toBe('made');
    git('remote', 'add', 'evil', 'node_modules/evil');
    await ada.refused('BLOCKED', 'run', { command: 'git push evil main' });
    await ada.refused('DENIED', 'run', { command: 'git fetch unknown' });
    expect(existsSync(mark)).toBe(false);
  });

  test('not a git, gh or ssh that lies in the tree, and no variable of the agent', async () => {
    const { root, mark, git, script } = trap({ 'bin/x': '' });
    for (const name of ['git', 'gh', 'ssh']) writeFileSync(join(root, 'bin', name), script, { mode: 0o755 });
    git('remote', 'set-url', 'origin', 'ssh://nobody@localhost:1/x');
    const env = { PATH: `${root}/bin:bin:.:${process.env.PATH}`, GIT_DIR: '/nowhere', GIT_EXTERNAL_DIFF: 'hooks/trap' };
    const ada = await stdioAgent(root, 'ada', 'legacy', { ...env, PATH: `${process.env.PATH}:${root}/bin:bin:.` });
    const no = await ada.refused('DENIED', 'run', { command: 'git fetch', env: ['GIT_SSH_COMMAND=hooks/trap'] });
    expect(no.text).not.toContain('hooks/trap');
    await ada.ok('run', { command: 'git branch x' });
    await ada.ok('run', { command: 'gh pr list' });
    expect(existsSync(mark)).toBe(false);
  });

  test.each([
    ['git switch evil', '.mcp.json'],
    ['git merge evil', '.mcp.json'],
    ['git reset --hard evil', '.mcp.json'],
    ['git checkout evil -- .', '.mcp.json'],
    ['git restore --source=evil .', '.mcp.json'],
    ['git rebase evil', '.mcp.json'],
    ['git cherry-pick evil', '.mcp.json'],
    ['git pull --rebase origin evil', '.mcp.json'],
    ['git switch state', '.signalbox/key'],
    ['git cherry-pick hidden~1', '.vscode/tasks.json'],
    ['git stash -u', 'signalbox.yaml'],
  ])('protected files stay as they are: %s', async (command, path) => {
    const { root, git, write } = repository();
    for (const [branch, file] of [
      ['evil', '.mcp.json'],
      ['state', '.signalbox/key'],
      ['hidden', '.vscode/tasks.json'],
    ] as const) {
      git('checkout', '-q', '-b', branch, 'main');
      write(file, 'evil\n');
      git('add', '-f', file);
      git('commit', '-qm', branch);
    }
    git('rm', '-q', '.vscode/tasks.json');
    git('commit', '-qm', 'Nothing to see');
    git('push', '-q', 'origin', 'evil');
    git('checkout', '-q', 'main');
    rmSync(join(root, '.signalbox'), { recursive: true, force: true });
    write('signalbox.yaml', 'claims: auto\n');
    const ada = await stdioAgent(root, 'ada');
    const head = git('rev-parse', 'HEAD', 'main');
    const no = await ada.refused('PROTECTED', 'run', { command });
    expect(no.data.facts.path).toBe(path);
    expect(git('rev-parse', 'HEAD', 'main')).toBe(head);
    expect([existsSync(join(root, '.mcp.json')), existsSync(join(root, 'signalbox.yaml'))]).toEqual([false, true]);
  });

  test('large files that a hook would send are not left behind', async () => {
    const { root } = repository();
    writeFileSync(join(root, '.git/hooks/pre-push'), '#!/bin/sh\ngit lfs pre-push "$@"\n', { mode: 0o755 });
    const ada = await stdioAgent(root, 'ada');
    await ada.refused('BLOCKED', 'run', { command: 'git push' });
    await ada.ok('run', { command: 'git fetch' });
  });
});

describe('contained instead', () => {
  test.each(['git fetch; true', 'true && git fetch', 'git fetch $(true)', 'GIT_DIR=.git git fetch'])(
    '%s',
    async (command) => {
      const { root } = repository();
      const ada = await stdioAgent(root, 'ada');
      const ran = await ada.ok('run', { command });
      expect(ran.containment).toBe('transactional');
      expect(ran.output).toMatch(/Read-only file system/);
      expect(ran.advice).toMatch(/runs on the repository itself when it is the whole command/);
    },
  );

  test.each([
    ['git: contained in signalbox.yaml', 'run:\n  git: contained\n'],
    ['a process of that name', 'processes:\n  git:\n    match: ["git *"]\n'],
  ])('everything, with %s', async (_, config) => {
    const { root, git } = repository({ ...FILES, 'signalbox.yaml': config });
    const ada = await stdioAgent(root, 'ada');
    expect(await ada.ok('run', { command: 'git branch x' })).toMatchObject({ containment: 'transactional' });
    expect(git('branch', '--list', 'x')).toBe('');
  });

  test.each([
    'git add .',
    'git commit -am x',
    'git commit --amend --no-edit',
    'git checkout -q main; git stash; git reset --hard',
  ])('a commit attempt is told of publish_output: %s', async (command) => {
    const { root } = repository();
    const ada: Agent = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/'] });
    const ran = await ada.call('run', { scope, command: `echo x >> src/a.txt; ${command}` });
    expect(ran.text).toMatch(/To commit what your scope changed, call publish_output \{"summary": "…"\}/);
    expect(ran.data).toMatchObject({
      changed: [{ path: 'src/a.txt' }],
      advice: expect.stringContaining('publish_output'),
    });
  });
});
