import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import type { Workspace } from '../workspace.js';
import { openWorkspace } from './open.js';

let top: string;
let root: string;
let workspace: Workspace;

describe.each([{ weak: false }, { weak: true }])('reading, weak: $weak', ({ weak }) => {
  beforeEach(async () => {
    top = mkdtempSync(join(tmpdir(), 'signalbox-look-'));
    root = join(top, 'repo');
    mkdirSync(join(root, 'src/auth'), { recursive: true });
    mkdirSync(join(top, 'repo-evil'));
    writeFileSync(join(top, 'repo-evil/secret'), 'secret');
    writeFileSync(join(root, 'src/a.ts'), 'one\n');
    workspace = await openWorkspace({ root, settings: { weak, maxFile: 1_000_000 } });
  });
  afterEach(() => rmSync(top, { recursive: true, force: true }));

  it.each([
    ['BOM', '\ufeffa\n'],
    ['CRLF', 'a\r\nb\r\n'],
    ['mixed ends, no final newline', 'a\nb\r\nc'],
    ['nothing', ''],
    ['invalid UTF-8 and NUL', Buffer.from([0xff, 0x00, 0xfe])],
    ['more than one stretch', Buffer.alloc(700_000, 'abc')],
  ])('gives the very bytes: %s', async (_, content) => {
    writeFileSync(join(root, 'file'), content, { mode: 0o755 });
    const bytes = Buffer.from(content);
    const looked = await workspace.look('file');
    if (isRefusal(looked) || looked.kind !== 'file') throw new Error('the file was not read');
    const { bytes: read, ...told } = looked.file;
    expect(bytes.equals(read)).toBe(true);
    expect(told).toEqual({
      path: 'file',
      version: createHash('sha256').update(bytes).digest('hex'),
      mode: 0o755,
      changed: Math.floor(statSync(join(root, 'file')).ctimeMs),
    });
  });

  it('says that nothing is there, also below a file', async () => {
    expect(await workspace.look('src/none.ts')).toEqual({ kind: 'none', path: 'src/none.ts' });
    expect(await workspace.look('src/a.ts/b')).toEqual({ kind: 'none', path: 'src/a.ts/b' });
    expect(await workspace.look('no/where')).toEqual({ kind: 'none', path: 'no/where' });
  });

  it('lists a folder with kinds and sizes, without .git, .signalbox and temporary files', async () => {
    mkdirSync(join(root, '.git'));
    symlinkSync('src', join(root, 'link'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    writeFileSync(join(root, '.signalbox-0123456789abcdef~'), '');
    writeFileSync(join(root, 'b.ts'), '12345');
    expect(await workspace.look('./')).toEqual({
      kind: 'folder',
      path: '.',
      entries: [
        { name: 'b.ts', kind: 'file', size: 5 },
        { name: 'link', kind: 'link' },
        { name: 'pipe', kind: 'other' },
        { name: 'src', kind: 'folder' },
      ],
    });
  });

  it('promise 9: resolves links that stay inside, step by step', async () => {
    symlinkSync('auth', join(root, 'src/login'));
    symlinkSync('../src/./login', join(root, 'src/twice'));
    symlinkSync(join(root, 'src'), join(root, 'absolute'));
    symlinkSync('../a.ts', join(root, 'src/auth/up'));
    symlinkSync(join(root, 'src/a.ts'), join(root, 'src/auth/absolute'));
    writeFileSync(join(root, 'src/auth/b.ts'), 'b');
    expect(await workspace.resolve('src/twice/b.ts', 'write')).toBe('src/auth/b.ts');
    expect(await workspace.resolve('absolute/new/c.ts', 'write')).toBe('src/new/c.ts');
    expect(await workspace.look('absolute/twice/b.ts')).toMatchObject({
      kind: 'file',
      file: { path: 'src/auth/b.ts' },
    });
    expect(await workspace.look('src/login/up')).toMatchObject({ kind: 'file', file: { path: 'src/a.ts' } });
    expect(await workspace.resolve('src/auth/absolute', 'read')).toBe('src/a.ts');
    expect(await workspace.look('src/login')).toMatchObject({ kind: 'folder', path: 'src/auth' });
  });

  it.each([
    ['to a folder outside', 'evil', '../repo-evil', 'evil/secret', 'OUTSIDE'],
    ['to a file outside', 'evil', '../repo-evil/secret', 'evil', 'OUTSIDE'],
    ['to an absolute path outside', 'evil', '/etc', 'evil/passwd', 'OUTSIDE'],
    ['out and in again', 'evil', '../repo/src', 'evil/a.ts', 'OUTSIDE'],
    ['to a device', 'evil', '/dev/zero', 'evil', 'OUTSIDE'],
    ['through the process', 'evil', '/proc/self/root', 'evil/etc/passwd', 'OUTSIDE'],
    ['to itself', 'evil', 'evil', 'evil/x', 'INVALID'],
    ['to our state', 'evil', '.signalbox', 'evil/db', 'PROTECTED'],
  ])('promise 9: refuses a link %s', async (_, name, target, path, code) => {
    symlinkSync(target, join(root, name));
    expect(await workspace.look(path)).toMatchObject({ refused: true, code });
    expect(await workspace.resolve(path, 'write')).toMatchObject({ refused: true, code });
  });

  it('promise 9: protects by the resolved name and by the given one', async () => {
    mkdirSync(join(root, '.git'));
    symlinkSync('.git', join(root, 'innocent'));
    symlinkSync('src', join(root, '.claude'));
    expect(await workspace.resolve('innocent/config', 'write')).toMatchObject({ code: 'PROTECTED' });
    expect(await workspace.resolve('.claude/a.ts', 'write')).toMatchObject({ code: 'PROTECTED' });
    expect(await workspace.resolve('innocent/config', 'read')).toBe('.git/config');
  });

  it('promise 9: never opens our own state, in any spelling', async () => {
    for (const path of ['.signalbox', '.signalbox/.gitignore', '.SIGNALBOX/db']) {
      expect(await workspace.look(path)).toMatchObject({ code: 'PROTECTED' });
      expect(await workspace.resolve(path, 'read')).toMatchObject({ code: 'PROTECTED' });
    }
  });

  it('promise 12: refuses a pipe and a socket at once', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    for (let i = 0; i < 8; i++) expect(await workspace.look('pipe')).toMatchObject({ code: 'INVALID' });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve));
    expect(await workspace.look('socket')).toMatchObject({ code: 'INVALID' });
    await new Promise((resolve) => server.close(resolve));
  });

  it.runIf(process.getuid?.() === 0)('promise 12: refuses a device at once (needs root to make one)', async () => {
    execFileSync('mknod', [join(root, 'zero'), 'c', '1', '5']);
    expect(await workspace.look('zero')).toMatchObject({ code: 'INVALID' });
  });

  it('promise 12: refuses a file above the limit', async () => {
    writeFileSync(join(root, 'big'), '');
    truncateSync(join(root, 'big'), 1_000_001);
    expect(await workspace.look('big')).toMatchObject({ code: 'LIMIT', facts: { size: 1_000_001 } });
    truncateSync(join(root, 'big'), 1_000_000);
    expect(await workspace.look('big')).toMatchObject({ kind: 'file' });
  });
});
