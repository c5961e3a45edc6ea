import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openWorkspace } from './open.js';
import { findRoot } from './root.js';

let top: string;

beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-root-')));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function made(path: string): string {
  const full = join(top, path);
  mkdirSync(full, { recursive: true });
  return full;
}

describe('one database per tree', () => {
  it('takes the nearest ancestor with .signalbox/', () => {
    made('repo/.signalbox');
    expect(findRoot(made('repo/src/deep'))).toBe(join(top, 'repo'));
  });

  it('else takes the git top level, and a link to it is resolved', () => {
    made('repo/.git');
    const from = made('repo/src');
    symlinkSync(from, join(top, 'link'));
    expect(findRoot(join(top, 'link'))).toBe(join(top, 'repo'));
  });

  it('else takes the folder itself', () => {
    expect(findRoot(made('plain/folder'))).toBe(join(top, 'plain/folder'));
  });

  it('takes a linked worktree as a workspace of its own', () => {
    const repo = made('repo');
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', repo, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'first');
    git('worktree', 'add', '-q', join(top, 'tree'));
    made('repo/.signalbox');
    expect(findRoot(made('tree/src'))).toBe(join(top, 'tree'));
  });

  it.each([
    ['a database above a nested repository', ['repo/.signalbox', 'repo/lib/.git'], 'repo/lib'],
    ['two databases above each other', ['repo/.signalbox', 'repo/lib/.signalbox'], 'repo/lib'],
    ['a database one below', ['repo/.git', 'repo/lib/.signalbox'], 'repo'],
    ['a database two below', ['repo/.git', 'repo/packages/a/.signalbox'], 'repo'],
  ])('refuses %s', (_, folders, from) => {
    for (const folder of folders) made(folder);
    expect(findRoot(made(from))).toMatchObject({ refused: true, code: 'UNAVAILABLE' });
  });

  it('refuses the whole disk, and what is no folder', () => {
    expect(findRoot('/')).toMatchObject({ code: 'UNAVAILABLE' });
    writeFileSync(join(top, 'file'), '');
    expect(findRoot(join(top, 'file'))).toMatchObject({ code: 'NOT_FOUND' });
    expect(findRoot(join(top, 'nowhere'))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

it.each(['.signalbox', '.signalbox/kept'])(
  'promise 9: %s as a link that leads outside is not followed',
  async (name) => {
    const outside = made('outside');
    const root = made('repo');
    if (name !== '.signalbox') made('repo/.signalbox');
    symlinkSync(outside, join(root, name));
    await expect(openWorkspace({ root })).rejects.toThrow('is not a folder');
    expect(readdirSync(outside)).toEqual([]);
  },
);
