import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRefusal } from '../../domain/refusal.js';
import type { Move, Workspace } from '../workspace.js';
import { openWorkspace } from './open.js';

const LAYER = '.signalbox/layers/R1';
let top: string;
let root: string;
let workspace: Workspace;

describe.each([{ weak: false }, { weak: true }])('moving scratch over, weak: $weak', ({ weak }) => {
  beforeEach(async () => {
    top = mkdtempSync(join(tmpdir(), 'signalbox-move-'));
    root = join(top, 'repo');
    mkdirSync(root);
    workspace = await openWorkspace({ root, settings: { weak } });
  });
  afterEach(() => rmSync(top, { recursive: true, force: true }));

  it('a new folder goes as one, with its links, times and modes', () => {
    made('dist/sub/a.js', 'a');
    symlinkSync('sub/a.js', join(root, LAYER, 'upper/dist/link'));
    execFileSync('touch', ['-d', '2001-01-01', join(root, LAYER, 'upper/dist/sub/a.js')]);
    const before = lstatSync(join(root, LAYER, 'upper/dist'));
    expect(workspace.moveOver([put('dist', true)])).toEqual(['done']);
    expect(lstatSync(join(root, 'dist')).ino).toBe(before.ino);
    expect(readlinkSync(join(root, 'dist/link'))).toBe('sub/a.js');
    expect(lstatSync(join(root, 'dist/sub/a.js')).mtime.getUTCFullYear()).toBeLessThan(2002);
  });

  it('where the folder is there, it comes in pieces; a file takes the place of a file', () => {
    made('dist/new/x', 'x');
    made('dist/old.js', 'new');
    here('dist/old.js', 'old');
    here('dist/kept', 'kept');
    expect(workspace.moveOver([put('dist', true)])).toEqual(['folder']);
    const pieces = workspace.piecesOf(put('dist', true));
    expect(pieces.map(({ path }) => path).toSorted()).toEqual(['dist/new', 'dist/old.js']);
    expect(workspace.moveOver(pieces)).toEqual(['done', 'done']);
    expect([text('dist/old.js'), text('dist/new/x'), text('dist/kept')]).toEqual(['new', 'x', 'kept']);
  });

  it('what goes is put aside, and done again nothing happens', () => {
    here('dist/a', 'a');
    here('b.log', 'b');
    const gone = [
      { ...put('dist', true), from: null },
      { ...put('b.log', false), from: null },
    ];
    expect(workspace.moveOver(gone)).toEqual(['done', 'done']);
    expect(readdirSync(root)).toEqual(['.signalbox']);
    expect(readdirSync(join(root, LAYER, 'aside'))).toHaveLength(2);
    expect(workspace.moveOver(gone)).toEqual(['done', 'done']);
    expect(workspace.moveOver([put('never-made', true)])).toEqual(['done']);
  });

  it('promise 9: it never leads through a link, nor over something of another kind', () => {
    mkdirSync(join(top, 'outside'));
    writeFileSync(join(top, 'outside/kept'), 'kept');
    symlinkSync('../outside', join(root, 'away'));
    made('away/x', 'x');
    expect(codes([put('away/x', false), { ...put('away/kept', false), from: null }])).toEqual(['OUTSIDE', 'OUTSIDE']);
    expect(readdirSync(join(top, 'outside'))).toEqual(['kept']);
    here('file', 'a person’s');
    here('folder/x', 'a person’s');
    made('file/x', 'x');
    made('folder', 'x');
    expect(codes([put('file', true), put('folder', false), { ...put('folder', false), from: null }])).toEqual([
      'INVALID',
      'INVALID',
      'INVALID',
    ]);
    expect([text('file'), text('folder/x')]).toEqual(['a person’s', 'a person’s']);
    // A link itself is replaced, and what it leads to is left alone.
    made('link', 'x');
    symlinkSync('../outside/kept', join(root, 'link'));
    expect(workspace.moveOver([put('link', false)])).toEqual(['done']);
    expect([text('link'), readFileSync(join(top, 'outside/kept'), 'utf8')]).toEqual(['x', 'kept']);
  });

  it('promise 9: nothing protected, and no path that climbs', () => {
    made('x', 'x');
    const at = (path: string): Move => ({ ...put('x', false), path });
    expect(codes(['.git/hooks/x', 'a/.claude/x', '.signalbox/x', '../x', 'a/../x', '.'].map(at))).toEqual([
      'PROTECTED',
      'PROTECTED',
      'PROTECTED',
      'OUTSIDE',
      'OUTSIDE',
      'INVALID',
    ]);
    expect(existsSync(join(top, 'x'))).toBe(false);
  });
});

const put = (path: string, folder: boolean): Move => ({
  path,
  folder,
  from: `${LAYER}/upper/${path}`,
  aside: `${LAYER}/aside`,
});
const made = (path: string, content: string): void => here(`${LAYER}/upper/${path}`, content);
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

function here(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function codes(moves: readonly Move[]): (string | undefined)[] {
  return workspace.moveOver(moves).map((result) => (isRefusal(result) ? result.code : result));
}
