import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { World } from './world.testsuite.js';

describe('the name of a working tree', () => {
  let world: World;

  beforeEach(() => {
    world = World.with({ 'a.txt': 'a\n', 'src/b.txt': 'b\n', '.gitignore': 'dist/\n' });
  });
  afterEach(() => world.dispose());

  const name = async (): Promise<string> => (await world.git()).worktree();

  it('is the same for the same tree, committed, staged or not, whatever git ignores', async () => {
    const before = await name();
    world.write('new.txt', 'n\n');
    const changed = await name();
    expect(changed).not.toBe(before);
    world.person('add', 'new.txt');
    expect(await name()).toBe(changed);
    world.write('dist/made.js', 'x');
    expect(await name()).toBe(changed);
    rmSync(join(world.root, 'new.txt'));
    expect(await name()).toBe(before);
    world.write('src/b.txt', 'b\n', 0o755);
    expect(await name()).not.toBe(before);
  });

  it('leaves nothing behind: not in the index, the objects or the state', async () => {
    world.write('new.txt', 'only here\n');
    const [status, objects] = [world.status(), world.person('count-objects')];
    await name();
    expect([world.status(), world.person('count-objects')]).toEqual([status, objects]);
    expect(readdirSync(join(world.root, '.signalbox/publish'))).toEqual([]);
  });

  it('works without commits, and knows what a commit at HEAD holds', async () => {
    const git = await world.git();
    expect(await git.committedAs('src/b.txt', Buffer.from('b\n'))).toBe(world.head());
    expect(await git.committedAs('src/b.txt', Buffer.from('B\n'))).toBeUndefined();
    expect(await git.committedAs('absent.txt', Buffer.from('b\n'))).toBeUndefined();
    expect(await git.committedAs('absent.txt', null)).toBe(world.head());
    expect(await git.committedAs('src/b.txt', null)).toBeUndefined();
    const empty = new World();
    expect(await (await empty.git()).worktree()).toMatch(/^[0-9a-f]{40}$/);
    expect(await (await empty.git()).committedAs('a.txt', Buffer.from(''))).toBeUndefined();
    empty.dispose();
  });
});
