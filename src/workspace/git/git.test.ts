import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openGit } from './git.js';
import { accepted, bytes, change, World } from './world.testsuite.js';

const TEN = `${Array.from({ length: 10 }, (_, at) => `line ${at}`).join('\n')}\n`;

let world: World;
beforeEach(() => {
  world = World.with({ 'a.txt': TEN, 'b.txt': 'b\n', 'src/c.txt': 'c\n' });
});
afterEach(() => world.dispose());

describe("a publication leaves a person's own git work unharmed", () => {
  it('is not taken back by a plain commit', async () => {
    await world.publish([world.patch('src/c.txt', 'c\n', 'C\n'), world.patch('new.txt', null, 'new\n')]);
    expect(world.status()).toEqual([]);
    world.write('b.txt', 'B\n');
    world.person('add', 'b.txt');
    world.person('commit', '--quiet', '--message=mine');
    expect([world.committed('src/c.txt'), world.committed('new.txt'), world.committed('b.txt')]).toEqual([
      'C\n',
      'new\n',
      'B\n',
    ]);
  });

  it('is not taken back by commit --all', async () => {
    await world.publish([world.patch('src/c.txt', 'c\n', 'C\n')]);
    world.write('b.txt', 'B\n');
    world.person('commit', '--quiet', '--all', '--message=mine');
    expect(world.person('diff', '--name-only', 'HEAD~1', 'HEAD')).toBe('b.txt\n');
  });

  it("keeps a person's staged change of another file staged and uncommitted", async () => {
    world.write('b.txt', 'staged\n');
    world.person('add', 'b.txt');
    await world.publish([world.patch('src/c.txt', 'c\n', 'C\n')]);
    expect(world.status()).toEqual(['M  b.txt']);
    expect(world.committed('b.txt')).toBe('b\n');
  });

  it("keeps a person's staged version of the same file", async () => {
    const staged = TEN.replace('line 9', 'staged by Ada');
    world.write('a.txt', staged);
    world.person('add', 'a.txt');
    const after = staged.replace('line 0', 'by the scope');
    await world.publish([world.patch('a.txt', staged, after)]);
    expect(world.committed('a.txt')).toBe(TEN.replace('line 0', 'by the scope'));
    expect(world.person('show', ':a.txt')).toBe(staged);
  });

  it("keeps a person's unstaged lines of the same file out of the commit and in the tree", async () => {
    const edited = TEN.replace('line 9', 'unstaged by Ada');
    world.write('a.txt', edited);
    const { whole } = await world.publish([world.patch('a.txt', edited, edited.replace('line 0', 'by the scope'))]);
    expect(whole).toEqual([]);
    expect(world.committed('a.txt')).toBe(TEN.replace('line 0', 'by the scope'));
    expect(world.read('a.txt')).toContain('unstaged by Ada');
    expect(world.status()).toEqual([' M a.txt']);
    expect(world.person('diff', '--unified=0').split('\n').slice(-3, -1)).toEqual(['-line 9', '+unstaged by Ada']);
  });

  it('keeps an intent to add, a staged removal and a staged chmod', async () => {
    world.write('later.txt', 'later\n');
    world.person('add', '--intent-to-add', 'later.txt');
    world.person('rm', '--quiet', '--cached', 'b.txt');
    world.person('update-index', '--chmod=+x', 'a.txt');
    await world.publish([world.patch('src/c.txt', 'c\n', 'C\n'), world.patch('a.txt', TEN, `${TEN}more\n`)]);
    expect(world.person('ls-files', '--stage', 'a.txt')).toMatch(/^100755/);
    expect(world.status().sort()).toEqual([' A later.txt', '?? b.txt', 'D  b.txt', 'MM a.txt'].sort());
  });

  it('takes the place of an intent to add of the same file', async () => {
    world.write('later.txt', 'later\n');
    world.person('add', '--intent-to-add', 'later.txt');
    await world.publish([change('later.txt', null, 'later\n')]);
    expect(world.status()).toEqual([]);
  });

  it("keeps a person's staged file where the publication has a folder", async () => {
    world.write('place', 'a file\n');
    world.person('add', 'place');
    world.remove('place');
    await world.publish([world.patch('place/in.txt', null, 'in\n')]);
    expect(world.person('ls-files')).toContain('place\n');
    expect(world.committed('place/in.txt')).toBe('in\n');
  });

  it("keeps a person's staged folder where the publication has a file", async () => {
    world.write('place/in.txt', 'in\n');
    world.person('add', 'place');
    world.remove('place');
    await world.publish([world.patch('place', null, 'a file\n')]);
    expect(world.person('ls-files')).toContain('place/in.txt\n');
    expect(world.committed('place')).toBe('a file\n');
  });
});

describe('a commit holds exactly the changes of one scope', () => {
  it('leaves the lines of another scope in the same file out', async () => {
    const theirs = TEN.replace('line 1', 'scope A');
    const both = theirs.replace('line 8', 'scope B');
    world.write('a.txt', both);
    await world.publish([change('a.txt', theirs, both)]);
    expect(world.committed('a.txt')).toBe(TEN.replace('line 8', 'scope B'));
    await world.publish([{ ...change('a.txt', TEN, theirs), current: bytes(both) }]);
    expect(world.committed('a.txt')).toBe(both);
    expect(world.status()).toEqual([]);
  });

  it('commits the whole file where the changes do not fit, and says so before the trailers are made', async () => {
    const theirs = TEN.replace('line 1', 'scope A');
    const mine = theirs.replace('scope A', 'scope A and B');
    world.write('a.txt', mine);
    const trailers = (whole: readonly string[]) => whole.map((path) => ({ key: 'Whole', value: path }));
    const { whole } = await world.publish([change('a.txt', theirs, mine)], { trailers });
    expect(whole).toEqual(['a.txt']);
    expect(world.committed('a.txt')).toBe(mine);
    expect(world.person('log', '-1', '--format=%(trailers:key=Whole,valueonly)').trim()).toBe('a.txt');
  });

  it('makes, removes and renames files, and keeps the executable bit', async () => {
    const changes = [
      world.patch('tool.sh', null, '#!/bin/sh\n', 0o755),
      world.patch('b.txt', 'b\n', null),
      world.patch('src/c.txt', 'c\n', null),
      world.patch('lib/deep/c.txt', null, 'c\n'),
    ];
    await world.publish(changes);
    expect(world.status()).toEqual([]);
    expect(world.person('ls-tree', '-r', '--format=%(objectmode) %(path)', 'HEAD').trim().split('\n')).toEqual([
      '100644 a.txt',
      '100644 lib/deep/c.txt',
      '100755 tool.sh',
    ]);
  });

  it('turns a file into a folder and back', async () => {
    const away = world.patch('b.txt', 'b\n', null);
    await world.publish([world.patch('b.txt/inner', null, 'i\n'), away]);
    expect(world.committed('b.txt/inner')).toBe('i\n');
    const inner = world.patch('b.txt/inner', 'i\n', null);
    world.remove('b.txt');
    await world.publish([world.patch('b.txt', null, 'b\n'), inner]);
    expect(world.committed('b.txt')).toBe('b\n');
    expect(world.status()).toEqual([]);
  });

  it('never commits ignored files, but tracked ones that match a pattern', async () => {
    world.write('.git/info/exclude', '.signalbox/\n*.log\nb.txt\n');
    const built = await world.publish([world.patch('x.log', null, 'noise\n'), world.patch('b.txt', 'b\n', 'B\n')]);
    expect(built.ignored).toEqual(['x.log']);
    expect(world.person('diff', '--name-only', 'HEAD~1', 'HEAD')).toBe('b.txt\n');
  });

  it('makes no commit where nothing is left to commit', async () => {
    const before = world.head();
    const done = await world.publish([change('b.txt', 'x\n', 'b\n'), change('a.txt', TEN, TEN)]);
    expect(done.planned).toBeUndefined();
    expect(world.head()).toBe(before);
  });

  it('refuses paths in a repository within this one, checked out or not', async () => {
    const inner = World.with({ f: '1\n' });
    world.person('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.root, 'sub');
    world.person('commit', '--quiet', '--message=submodule');
    expect(await world.build([world.patch('sub/f', '1\n', '2\n')])).toMatchObject({
      refused: true,
      code: 'INVALID',
      facts: { folder: 'sub' },
    });
    world.write('.git/info/exclude', '.signalbox/\n*.log\n');
    expect(await (await world.git()).ignored(['x.log', 'sub/f'])).toEqual(new Set(['x.log']));
    world.person('submodule', '--quiet', 'deinit', '--force', 'sub');
    expect(await world.build([world.patch('sub/g', null, 'g\n')])).toMatchObject({ refused: true, code: 'INVALID' });
    world.write('own/.git/HEAD', 'ref: refs/heads/main\n');
    expect(await world.build([world.patch('own/x', null, 'x\n')])).toMatchObject({
      code: 'INVALID',
      facts: { paths: ['own/x'] },
    });
    inner.dispose();
  });
});

describe('any repository that git can have', () => {
  it('begins a history in an empty repository and keeps what is staged there', async () => {
    const empty = new World();
    empty.write('staged.txt', 's\n');
    empty.person('add', 'staged.txt');
    await empty.publish([empty.patch('first.txt', null, '1\n')]);
    expect(empty.person('ls-tree', '--name-only', 'HEAD')).toBe('first.txt\n');
    expect(empty.status()).toEqual(['A  staged.txt']);
    expect(await (await empty.git()).head()).toEqual({ commit: empty.head(), branch: 'main' });
    empty.dispose();
  });

  it('begins a history where there is not even an index, and none without content', async () => {
    const empty = new World();
    expect((await empty.built([change('gone.txt', 'x\n', null)])).planned).toBeUndefined();
    expect(await (await empty.git()).head()).toEqual({ commit: null, branch: 'main' });
    await empty.publish([empty.patch('first.txt', null, '1\n')]);
    expect(empty.status()).toEqual([]);
    empty.dispose();
  });

  it('publishes in a linked worktree and leaves the main one alone', async () => {
    const place = mkdtempSync(join(tmpdir(), 'signalbox-linked-'));
    world.person('worktree', 'add', '--quiet', '-b', 'side', join(place, 'tree'));
    const main = world.head();
    const linked = new World(join(place, 'tree'));
    await linked.publish([linked.patch('b.txt', 'b\n', 'B\n')]);
    expect(linked.status()).toEqual([]);
    expect([linked.committed('b.txt'), world.head()]).toEqual(['B\n', main]);
    rmSync(place, { recursive: true });
  });

  it('publishes on a detached HEAD', async () => {
    world.person('checkout', '--quiet', '--detach');
    await world.publish([world.patch('b.txt', 'b\n', 'B\n')]);
    expect(await (await world.git()).head()).toEqual({ commit: world.head(), branch: null });
    expect(world.committed('b.txt', 'main')).toBe('b\n');
  });

  it('publishes from a workspace below the top level', async () => {
    const below = new World(join(world.root, 'src'));
    await below.publish([below.patch('c.txt', 'c\n', 'C\n'), below.patch('d.txt', null, 'd\n')]);
    expect([world.committed('src/c.txt'), world.committed('src/d.txt')]).toEqual(['C\n', 'd\n']);
    expect(world.status().filter((line) => !line.includes('.signalbox'))).toEqual([]);
  });

  it('publishes in a sparse checkout, with a split index and with SHA-256', async () => {
    world.person('config', 'core.splitIndex', 'true');
    world.write('far/away.txt', TEN);
    world.person('add', 'far');
    world.person('commit', '--quiet', '--message=far');
    world.person('sparse-checkout', 'set', 'src');
    await world.publish([world.patch('src/c.txt', 'c\n', 'C\n')]);
    expect([world.committed('src/c.txt'), world.committed('a.txt')]).toEqual(['C\n', TEN]);
    expect(world.status()).toEqual([]);
    const edited = TEN.replace('line 9', 'by Ada');
    await world.publish([change('far/away.txt', edited, edited.replace('line 0', 'by the scope'))]);
    expect(world.committed('far/away.txt')).toBe(TEN.replace('line 0', 'by the scope'));
    const other = new World(mkdtempSync(join(tmpdir(), 'signalbox-sha256-')));
    other.person('init', '--quiet', '--object-format=sha256');
    await other.publish([other.patch('a', null, 'a\n')]);
    expect(other.head()).toHaveLength(64);
    other.dispose();
  });

  it('is undefined without a repository or without git, and refuses one that git does not open', async () => {
    const place = mkdtempSync(join(tmpdir(), 'signalbox-plain-'));
    expect(await openGit(place)).toBeUndefined();
    vi.stubEnv('PATH', place);
    expect(await openGit(world.root)).toBeUndefined();
    vi.unstubAllEnvs();
    mkdirSync(join(place, '.git'));
    writeFileSync(join(place, '.git', 'HEAD'), 'ref: refs/heads/main\n');
    expect(await openGit(place)).toBeUndefined();
    world.write('.git/config', '[core\n');
    expect(await openGit(world.root)).toMatchObject({ refused: true, code: 'UNAVAILABLE' });
    rmSync(place, { recursive: true });
  });

  it('says what is ignored and tracked, also where a path leads into a submodule or beyond a link', async () => {
    world.write('.gitignore', 'dist/\n*.log\n');
    world.write('dist/x', 'x');
    world.write('b.log', 'tracked');
    world.person('add', '--force', 'b.log');
    symlinkSync('src', join(world.root, 'link'));
    const git = await world.git();
    const asked = ['x.log', 'a.txt', 'link/c.log', 'dist/x', 'dist/', 'b.log', 'absent/dist/', '[ab].log'];
    const ignored = ['[ab].log', 'absent/dist/', 'dist/', 'dist/x', 'x.log'];
    expect([...(await git.ignored(asked))].sort()).toEqual(ignored);
    expect(await git.ignored([])).toEqual(new Set());
    expect(await git.ignoredEntries()).toEqual(['dist/']);
    world.write('dist/kept', 'k');
    world.person('add', '--force', 'dist/kept');
    expect(await git.ignored(['dist/', 'dist/kept', 'dist/x'])).toEqual(new Set(['dist/x']));
    expect(await git.tracked(['a.txt', 'src', 'src/c.txt', 'nope'])).toEqual(new Set(['a.txt', 'src/c.txt']));
    const many = Array.from({ length: 3_000 }, (_, at) => `${'deep/'.repeat(10)}${at}`);
    expect(await git.tracked([...many, 'b.txt'])).toEqual(new Set(['b.txt']));
    world.person('rm', '--quiet', 'b.txt');
    expect(await git.tracked(['b.txt'])).toEqual(new Set(['b.txt']));
  });

  it('publishes on top of its own publications, whose steps may be named again', async () => {
    const one = world.patch('b.txt', 'b\n', 'b\n1\n');
    await world.publish([one]);
    const two = world.patch('b.txt', 'b\n1\n', 'b\nother\n');
    accepted(await world.publish([{ ...two, steps: [...one.steps, ...two.steps] }]));
    expect(world.committed('b.txt')).toBe('b\nother\n');
  });
});
