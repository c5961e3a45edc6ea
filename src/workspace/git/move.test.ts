import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import type { Planned, Reserved } from './git.js';
import { accepted, World } from './world.testsuite.js';

let world: World;
let lock: string;
beforeEach(() => {
  world = World.with({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  lock = join(world.root, '.git', 'index.lock');
});
afterEach(() => world.dispose());

const plan = () => world.planned([world.patch('a.txt', 'a\n', 'A\n')]);

async function reserve(planned: Planned): Promise<Reserved> {
  return accepted(await (await world.git()).reserve(planned));
}

async function recover(planned: Planned, from = world): Promise<string> {
  return (await from.git()).recover(planned);
}

/** Nothing of Signalbox lies in git's folder or in its own state. */
function isClean(): boolean {
  const left = readdirSync(join(world.root, '.git')).filter((name) => /signalbox|lock/.test(name));
  return left.length === 0 && readdirSync(join(world.root, '.signalbox', 'publish')).length === 0;
}

describe('a publication waits for what a person has under way', () => {
  it.each([
    ['merge', 'merge', ['merge', 'other']],
    ['rebase', 'rebase', ['rebase', 'other']],
    ['cherry-pick', 'cherry-pick', ['cherry-pick', 'other']],
    ['revert', 'revert', ['revert', '--no-edit', 'HEAD~1']],
    ['am', 'rebase', ['am', 'mail.patch']],
  ])('%s: BLOCKED until it is aborted', async (command, operation, words) => {
    world.person('checkout', '--quiet', '-b', 'other');
    world.write('b.txt', 'other\n');
    world.person('commit', '--quiet', '--all', '--message=other');
    world.write('mail.patch', world.person('format-patch', '-1', '--stdout'));
    world.person('checkout', '--quiet', 'main');
    for (const text of ['one\n', 'two\n']) {
      world.write('b.txt', text);
      world.person('commit', '--quiet', '--all', `--message=${text}`);
    }
    expect(() => world.person(...words)).toThrow();
    const git = await world.git();
    const refusal = { refused: true, code: 'BLOCKED', facts: { operation } };
    expect(await git.blocked()).toMatchObject(refusal);
    expect(await world.build([world.patch('a.txt', 'a\n', 'A\n')])).toMatchObject(refusal);
    world.person(command, '--abort');
    expect(await git.blocked()).toBeUndefined();
  });

  it('bisect: BLOCKED until it is reset', async () => {
    world.person('bisect', 'start');
    expect(await (await world.git()).blocked()).toMatchObject({ code: 'BLOCKED', facts: { operation: 'bisect' } });
    world.person('bisect', 'reset');
    expect(await (await world.git()).blocked()).toBeUndefined();
  });

  it('an operation that began after the build: BLOCKED, and nothing moved', async () => {
    const planned = await plan();
    writeFileSync(join(world.root, '.git', 'MERGE_HEAD'), `${planned.former}\n`);
    expect(await (await world.git()).move(planned)).toMatchObject({ code: 'BLOCKED', facts: { operation: 'merge' } });
    expect([world.head(), isClean()]).toEqual([planned.former, true]);
  });

  it("a held index lock: BLOCKED, and the lock stays its holder's", async () => {
    const git = await world.git();
    const planned = await plan();
    writeFileSync(lock, '');
    expect(await git.blocked()).toMatchObject({ code: 'BLOCKED', facts: { lock } });
    expect(await git.move(planned)).toMatchObject({ code: 'BLOCKED', facts: { lock } });
    expect([world.head(), existsSync(lock)]).toEqual([planned.former, true]);
    renameSync(lock, `${lock}.away`);
    accepted(await git.move(planned));
    expect([world.head(), world.status(), existsSync(lock)]).toEqual([planned.commit, [], false]);
  });
});

it('a build moves nothing and leaves nothing behind but objects', async () => {
  world.person('config', 'core.splitIndex', 'true');
  world.person('update-index', '--split-index');
  const look = () => [
    readdirSync(join(world.root, '.git')),
    world.person('ls-files', '--stage'),
    world.person('show-ref'),
  ];
  const before = look();
  const planned = await plan();
  expect(look()).toEqual(before);
  expect(isClean()).toBe(true);
  expect(world.committed('a.txt', planned.commit)).toBe('A\n');
});

describe('the move is a compare and swap', () => {
  it('refuses STALE_BASE where a person committed meanwhile; nothing moved, and a new build succeeds', async () => {
    const change = world.patch('a.txt', 'a\n', 'A\n');
    const planned = await world.planned([change]);
    world.write('b.txt', 'B\n');
    world.person('commit', '--quiet', '--message=mine', 'b.txt');
    const mine = world.head();
    expect(await (await world.git()).move(planned)).toMatchObject({
      code: 'STALE_BASE',
      facts: { expected: planned.former, found: mine },
    });
    expect([world.head(), world.status(), isClean()]).toEqual([mine, [' M a.txt'], true]);
    await world.publish([change]);
    expect([world.committed('a.txt'), world.committed('b.txt'), world.status()]).toEqual(['A\n', 'B\n', []]);
  });

  it('refuses BLOCKED where somebody holds the ref, and publishes once it is free', async () => {
    const planned = await plan();
    const held = join(world.root, '.git', 'refs', 'heads', 'main.lock');
    writeFileSync(held, '');
    expect(await (await world.git()).move(planned)).toMatchObject({ code: 'BLOCKED' });
    expect([world.head(), existsSync(lock)]).toEqual([planned.former, false]);
    renameSync(held, `${held}.away`);
    accepted(await (await world.git()).move(planned));
  });

  it('keeps everyone else from the index between reservation and release', async () => {
    const [one, two] = [await plan(), await world.planned([world.patch('b.txt', 'b\n', 'B\n')])];
    const reserved = await reserve(one);
    expect(() => world.person('add', 'b.txt')).toThrow(/index.lock/);
    expect(await (await world.git()).reserve(two)).toMatchObject({ code: 'BLOCKED', facts: { commit: one.commit } });
    expect(reserved.commit()).toBeUndefined();
    await reserved.release();
    expect([world.head(), world.status(), isClean()]).toEqual([one.commit, [' M b.txt'], true]);
  });

  it('refuses BLOCKED where somebody removed its lock, whose index is then not overwritten', async () => {
    const planned = await plan();
    const reserved = await reserve(planned);
    renameSync(lock, `${lock}.away`);
    world.write('b.txt', 'staged\n');
    world.person('add', 'b.txt');
    expect(reserved.commit()).toMatchObject({ code: 'BLOCKED' });
    await reserved.release();
    expect([world.head(), world.person('show', ':b.txt')]).toEqual([planned.former, 'staged\n']);
  });

  it('can be given back unused', async () => {
    const planned = await plan();
    await (await reserve(planned)).release();
    expect([world.head(), world.status(), isClean()]).toEqual([planned.former, [' M a.txt'], true]);
  });
});

/** A kill is played by stopping after a step: no `release` runs. */
describe('after a kill at any step, recovery finishes or drops the publication', () => {
  it('before the lock: dropped, twice as well as once', async () => {
    const planned = await plan();
    expect([await recover(planned), await recover(planned)]).toEqual(['dropped', 'dropped']);
    expect([world.head(), world.status()]).toEqual([planned.former, [' M a.txt']]);
  });

  it('with the lock and the new index, HEAD not moved: dropped, and the lock is gone', async () => {
    const planned = await plan();
    await reserve(planned);
    expect(await recover(planned)).toBe('dropped');
    expect([world.head(), world.status(), isClean()]).toEqual([planned.former, [' M a.txt'], true]);
  });

  it('HEAD moved, index not: a person is held off, then the index follows', async () => {
    world.write('b.txt', 'staged\n');
    world.person('add', 'b.txt');
    const planned = await plan();
    await reserve(planned);
    world.person('update-ref', 'HEAD', planned.commit);
    expect(() => world.person('commit', '--message=would take it back')).toThrow(/index.lock/);
    expect(await recover(planned)).toBe('published');
    expect([world.head(), world.status(), isClean()]).toEqual([planned.commit, ['M  b.txt'], true]);
  });

  it('HEAD and index moved, lock still there: published, and the index stays as it is', async () => {
    const planned = await plan();
    accepted((await reserve(planned)).commit());
    expect(existsSync(lock)).toBe(true);
    expect(await recover(planned)).toBe('published');
    expect([world.status(), isClean()]).toEqual([[], true]);
  });

  it('the index could not follow HEAD: the lock stays until recovery', async () => {
    const planned = await plan();
    const reserved = await reserve(planned);
    const staged = join(world.root, '.git', 'index.signalbox');
    renameSync(staged, `${staged}.away`);
    expect(() => reserved.commit()).toThrow(/ENOENT/);
    await reserved.release();
    expect(existsSync(lock)).toBe(true);
    renameSync(`${staged}.away`, staged);
    expect(await recover(planned)).toBe('published');
    expect([world.head(), world.status(), isClean()]).toEqual([planned.commit, [], true]);
  });

  it('all done and committed upon: published, and the index is left alone', async () => {
    const planned = await plan();
    accepted(await (await world.git()).move(planned));
    world.write('a.txt', 'a\n');
    world.person('commit', '--quiet', '--all', '--message=back');
    world.write('b.txt', 'staged\n');
    world.person('add', 'b.txt');
    expect(await recover(planned)).toBe('published');
    expect([world.status(), world.person('show', ':a.txt')]).toEqual([['M  b.txt'], 'a\n']);
  });

  it("leaves a lock that is a person's or another publication's alone", async () => {
    const [one, two] = [await plan(), await world.planned([world.patch('b.txt', 'b\n', 'B\n')])];
    await reserve(one);
    expect(await recover(two)).toBe('dropped');
    expect(existsSync(join(world.root, '.git', 'index.signalbox'))).toBe(true);
    expect(await recover(one)).toBe('dropped');
    writeFileSync(lock, '');
    expect(await recover(two)).toBe('dropped');
    expect(existsSync(lock)).toBe(true);
  });

  it('in an empty repository', async () => {
    const empty = new World();
    const planned = await empty.planned([empty.patch('a', null, 'a\n')]);
    const git = await empty.git();
    accepted(await git.reserve(planned));
    expect(await recover(planned, empty)).toBe('dropped');
    accepted(await git.reserve(planned));
    empty.person('update-ref', 'HEAD', planned.commit);
    expect(await recover(planned, empty)).toBe('published');
    expect(empty.status()).toEqual([]);
    empty.dispose();
  });
});

describe('on a branch of its own', () => {
  it('touches neither HEAD nor index nor tree, and builds on itself', async () => {
    const [head, index] = [world.head(), world.person('ls-files', '--stage', '--debug')];
    const change = world.patch('a.txt', 'a\n', 'A\n');
    await world.publish([change], { branch: 'scope/S001' });
    expect([world.head(), world.person('ls-files', '--stage', '--debug')]).toEqual([head, index]);
    expect([world.status(), world.committed('a.txt', 'scope/S001')]).toEqual([[' M a.txt'], 'A\n']);
    await world.publish([world.patch('b.txt', 'b\n', 'B\n')], { branch: 'scope/S001' });
    expect(world.committed('a.txt', 'scope/S001')).toBe('A\n');
    expect(world.person('rev-list', '--count', 'main..scope/S001').trim()).toBe('2');
  });

  it('works while the index is locked, and is finished or dropped by recovery', async () => {
    const planned = await world.planned([world.patch('a.txt', 'a\n', 'A\n')], { branch: 'side' });
    const git = await world.git();
    writeFileSync(lock, '');
    expect(await recover(planned)).toBe('dropped');
    accepted(await git.move(planned));
    expect(await recover(planned)).toBe('published');
  });

  it('is made from HEAD only if nobody else made it meanwhile', async () => {
    const planned = await world.planned([world.patch('a.txt', 'a\n', 'A\n')], { branch: 'side' });
    expect(planned).toMatchObject({ ref: 'refs/heads/side', former: null });
    world.person('branch', 'side');
    expect(await (await world.git()).move(planned)).toMatchObject({ code: 'STALE_BASE' });
  });

  it('refuses a branch that is checked out here, elsewhere, or since the build', async () => {
    const changes = [world.patch('a.txt', 'a\n', 'A\n')];
    expect(await world.build(changes, { branch: 'main' })).toMatchObject({
      code: 'INVALID',
      facts: { branch: 'main' },
    });
    const planned = await world.planned(changes, { branch: 'side' });
    world.person('worktree', 'add', '--quiet', '-b', 'side', '.signalbox/tree');
    expect(await world.build(changes, { branch: 'side' })).toMatchObject({ code: 'INVALID' });
    expect(await (await world.git()).move(planned)).toMatchObject({ code: 'INVALID' });
  });

  it.each(['-d', '--all', 'a b', '@{-1}', 'x..y', 'a\nb', '', 'HEAD', 'a.lock', 'x\0y'])(
    'refuses the name %j',
    async (branch) => {
      world.person('branch', 'before');
      world.person('checkout', '--quiet', 'before');
      world.person('checkout', '--quiet', 'main');
      const answer = await world.build([world.patch('a.txt', 'a\n', 'A\n')], { branch });
      expect(isRefusal(answer) && answer.code).toBe('INVALID');
    },
  );
});
