import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRefusal, type Refusal } from '../../domain/refusal.js';
import type { Prepared, Wanted, Workspace } from '../workspace.js';
import { Overtaken } from './apply.js';
import type { LateEdit } from './finish.js';
import { openWorkspace } from './open.js';
import { edit, hash, preparedIn } from './wanted.testsuite.js';

let root: string;
let workspace: Workspace;

const at = (path: string) => join(root, path);
const text = (path: string) => readFileSync(at(path), 'utf8');

const prepared = (...wanted: Wanted[]) => preparedIn(workspace, wanted);

/** What becomes of a file: its new content. */
const FATES: [string, string | null][] = [
  ['replaced', 'new'],
  ['deleted', null],
];

/** All names in the tree, but for our own state. */
function tree(): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('.signalbox/') && name !== '.signalbox')
    .sort();
}

async function finished(change: Prepared, stored = true): Promise<LateEdit[]> {
  const late: LateEdit[] = [];
  const work = workspace.finish(change, async (each) => {
    late.push(each);
    return stored;
  });
  await workspace.flush();
  await work;
  return late;
}

describe.each([{ weak: false }, { weak: true }])('changing files, weak: $weak', ({ weak }) => {
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'signalbox-change-'));
    mkdirSync(at('src'));
    writeFileSync(at('src/a.ts'), 'old\r\n', { mode: 0o755 });
    workspace = await openWorkspace({ root, settings: { weak, maxFiles: 50, maxFile: 10_000 } });
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('replaces, creates and deletes, and leaves nothing behind', async () => {
    writeFileSync(at('gone'), 'gone');
    const change = await prepared(
      edit('src/a.ts', 'old\r\n', '\ufeffnew\r\nlast'),
      edit('src/b.ts', null, ''),
      edit('x/y/z.ts', null, 'z'),
      edit('x/y/w.sh', null, 'w', 0o700),
      edit('gone', 'gone', null),
    );
    expect(text('src/a.ts')).toBe('old\r\n');
    expect(existsSync(at('x'))).toBe(false);
    expect(workspace.verify(change)).toEqual([]);
    workspace.apply(change);
    expect(text('src/a.ts')).toBe('\ufeffnew\r\nlast');
    expect(statSync(at('src/a.ts')).mode & 0o777).toBe(0o755);
    expect(statSync(at('x/y/z.ts')).mode & 0o777).toBe(0o644);
    expect(statSync(at('x/y/w.sh')).mode & 0o777).toBe(0o700);
    expect(tree()).toEqual(['src', 'src/a.ts', 'src/b.ts', 'x', 'x/y', 'x/y/w.sh', 'x/y/z.ts']);
    expect(readdirSync(at('.signalbox/kept'))).toHaveLength(2);
    expect(await finished(change)).toEqual([]);
    expect(readdirSync(at('.signalbox/kept'))).toEqual([]);
  });

  it('tells of every path: former and new version, mode, and both contents', async () => {
    const change = await prepared(edit('src/a.ts', 'old\r\n', 'new'), edit('src/n', null, 'n'));
    expect(change.changes).toEqual([
      { path: 'src/a.ts', before: hash('old\r\n'), after: hash('new'), mode: 0o755 },
      { path: 'src/n', before: null, after: hash('n'), mode: 0o644 },
    ]);
    expect(change.files).toMatchObject([
      {
        path: 'src/a.ts',
        beforeMode: 0o755,
        afterMode: 0o755,
        temp: expect.stringMatching(/^src\/\.signalbox-[0-9a-f]{16}~$/),
      },
      { path: 'src/n', beforeMode: null, afterMode: 0o644 },
    ]);
    expect(new Set(change.contents.map((content) => content.hash))).toEqual(new Set(['old\r\n', 'new', 'n'].map(hash)));
  });

  it('gives exactly the mode asked for, whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      const change = await prepared(edit('open', null, 'x', 0o666), edit('src/a.ts', 'old\r\n', 'new'));
      workspace.apply(change);
      expect(statSync(at('open')).mode & 0o777).toBe(0o666);
      expect(statSync(at('src/a.ts')).mode & 0o777).toBe(0o755);
    } finally {
      process.umask(before);
    }
  });

  it('lets a folder take the place of a deleted file', async () => {
    writeFileSync(at('thing'), 'file');
    const change = await prepared(edit('thing/inner.ts', null, 'x'), edit('thing', 'file', null));
    expect(workspace.verify(change)).toEqual([]);
    workspace.apply(change);
    expect(text('thing/inner.ts')).toBe('x');
  });

  it('discards without a trace', async () => {
    const before = tree();
    await workspace.discard(await prepared(edit('src/a.ts', 'old\r\n', 'new'), edit('p/q', null, 'q')));
    expect(tree()).toEqual(before);
  });

  it('promise 5: refuses a stale base, naming both versions, and leaves nothing behind', async () => {
    const before = tree();
    const answer = await workspace.prepare([edit('src/n', null, 'n'), edit('src/a.ts', 'other', 'new')]);
    expect(answer).toMatchObject({
      code: 'STALE_BASE',
      facts: { moved: [{ path: 'src/a.ts', expected: hash('other'), found: hash('old\r\n') }] },
    });
    expect(tree()).toEqual(before);
  });

  it.each([
    ['a saved file', () => writeFileSync(at('src/a.ts'), 'mine'), 'src/a.ts', () => hash('mine')],
    [
      'a save of the same length that hides its time',
      () => {
        const { atime, mtime } = statSync(at('src/a.ts'));
        writeFileSync(at('src/a.ts'), 'OLD\r\n');
        utimesSync(at('src/a.ts'), atime, mtime);
      },
      'src/a.ts',
      () => hash('OLD\r\n'),
    ],
    ['a removed file', () => unlinkSync(at('src/a.ts')), 'src/a.ts', () => null],
    ['a file in the place of a new one', () => writeFileSync(at('src/n'), 'theirs'), 'src/n', () => hash('theirs')],
    [
      'a link in the place of a file',
      () => {
        unlinkSync(at('src/a.ts'));
        symlinkSync('/etc/hostname', at('src/a.ts'));
      },
      'src/a.ts',
      () => null,
    ],
    ['a file that grew past the limit', () => truncateSync(at('src/a.ts'), 20_000), 'src/a.ts', () => null],
  ])('promise 8: notices before the renames: %s', async (_, meanwhile, path, found) => {
    const change = await prepared(edit('src/a.ts', 'old\r\n', 'new'), edit('src/n', null, 'n'));
    meanwhile();
    expect(workspace.verify(change)).toMatchObject([{ path, found: found() }]);
  });

  it('promise 8: a folder swapped for a link is noticed for existing and for new files', async () => {
    const change = await prepared(edit('src/a.ts', 'old\r\n', 'new'), edit('src/n', null, 'n'));
    renameSync(at('src'), at('elsewhere'));
    symlinkSync('elsewhere', at('src'));
    expect(workspace.verify(change).map(({ path }) => path)).toEqual(['src/a.ts', 'src/n']);
    expect(() => workspace.apply(change)).toThrow(Overtaken);
    expect(text('elsewhere/a.ts')).toBe('old\r\n');
  });

  it('takes a touched file with the same content for the same version', async () => {
    const change = await prepared(edit('src/a.ts', 'old\r\n', 'new'));
    unlinkSync(at('src/a.ts'));
    writeFileSync(at('src/a.ts'), 'old\r\n');
    expect(workspace.verify(change)).toEqual([]);
    workspace.apply(change);
    expect(text('src/a.ts')).toBe('new');
  });

  it.each(FATES)(
    'promise 8: a save by rename after the check is not overwritten when the file is %s',
    async (_, next) => {
      const change = await prepared(edit('src/a.ts', 'old\r\n', next));
      expect(workspace.verify(change)).toEqual([]);
      writeFileSync(at('save'), 'mine');
      renameSync(at('save'), at('src/a.ts'));
      expect(() => workspace.apply(change)).toThrow(Overtaken);
      expect(text('src/a.ts')).toBe('mine');
      expect(readdirSync(at('.signalbox/kept'))).toEqual([]);
    },
  );

  it('promise 8: a new file never overwrites one that came after the check', async () => {
    const change = await prepared(edit('src/n', null, 'n'), edit('p/q', null, 'q'));
    writeFileSync(at('src/n'), 'theirs');
    expect(() => workspace.apply(change)).toThrow(Overtaken);
    expect(text('src/n')).toBe('theirs');
  });

  it.each(FATES)('promise 8: a file that is gone since the check does not come back when it is %s', async (_, next) => {
    const change = await prepared(edit('src/a.ts', 'old\r\n', next));
    unlinkSync(at('src/a.ts'));
    expect(() => workspace.apply(change)).toThrow(Overtaken);
    expect(existsSync(at('src/a.ts'))).toBe(false);
  });

  it.each(FATES)(
    'promise 8: a save in place into a file being %s is reported once, with its bytes',
    async (_, next) => {
      const change = await prepared(edit('src/a.ts', 'old\r\n', next));
      const editor = openSync(at('src/a.ts'), 'r+');
      expect(workspace.verify(change)).toEqual([]);
      workspace.apply(change);
      writeSync(editor, 'by a person', 0);
      closeSync(editor);
      const late = await finished(change);
      expect(late.map(({ path, bytes, mode }) => [path, Buffer.from(bytes).toString(), mode])).toEqual([
        ['src/a.ts', 'by a person', 0o755],
      ]);
      expect(readdirSync(at('.signalbox/kept'))).toEqual([]);
    },
  );

  it('promise 8: a save that nobody could store stays where it is', async () => {
    const change = await prepared(edit('src/a.ts', 'old\r\n', 'new'));
    const editor = openSync(at('src/a.ts'), 'r+');
    workspace.apply(change);
    writeSync(editor, 'by a person', 0);
    closeSync(editor);
    expect(await finished(change, false)).toHaveLength(1);
    const [name] = readdirSync(at('.signalbox/kept'));
    expect(text(`.signalbox/kept/${name}`)).toBe('by a person');
  });

  it('promise 8: a save that comes after the first look is seen by the second', async () => {
    const change = await prepared(edit('src/a.ts', 'old\r\n', 'new'));
    const editor = openSync(at('src/a.ts'), 'r+');
    workspace.apply(change);
    writeSync(editor, 'first save ', 0);
    const late: string[] = [];
    const work = workspace.finish(change, async ({ bytes }) => {
      late.push(Buffer.from(bytes).toString());
      if (late.length === 1) writeSync(editor, 'second save', 0);
      void workspace.flush();
      return true;
    });
    await work;
    closeSync(editor);
    expect(late).toEqual(['first save ', 'second save']);
  });

  it.each([
    ['a path named twice', () => [edit('src/n', null, 'a'), edit('src/n', null, 'b')], 'INVALID'],
    ['a file below a new file', () => [edit('n', null, 'a'), edit('n/b', null, 'b')], 'INVALID'],
    ['a file below a file', () => [edit('src/a.ts/b', null, 'b')], 'INVALID'],
    ['a folder as target', () => [edit('src', null, 'b')], 'INVALID'],
    ['a path that is not canonical', () => [edit('./src/n', null, 'b')], 'INVALID'],
    ['the root', () => [edit('.', null, 'b')], 'INVALID'],
    ['a deletion of nothing', () => [edit('src/n', null, null)], 'INVALID'],
    ['a path outside', () => [edit('../n', null, 'b')], 'OUTSIDE'],
    ['a protected path', () => [edit('.claude/settings.json', null, 'b')], 'PROTECTED'],
    ['a link', () => [edit('link', null, 'b')], 'OUTSIDE'],
    ['a file below a link', () => [edit('folder/b', null, 'b')], 'OUTSIDE'],
    ['a pipe', () => [edit('pipe', null, 'b')], 'INVALID'],
    ['a content above the limit', () => [edit('src/n', null, 'x'.repeat(10_001))], 'LIMIT'],
    ['more files than allowed', () => Array.from({ length: 51 }, (_, i) => edit(`n${i}`, null, 'b')), 'LIMIT'],
  ])('promise 12: refuses %s and leaves nothing behind', async (_, wanted, code) => {
    symlinkSync('/etc/hostname', at('link'));
    symlinkSync('/etc', at('folder'));
    execFileSync('mkfifo', [at('pipe')]);
    const before = tree();
    expect(await workspace.prepare([edit('first', null, 'first'), ...wanted()])).toMatchObject({ code });
    expect(tree()).toEqual(before);
  });

  it('tells of each path that cannot be changed, where it is asked to', async () => {
    symlinkSync('/etc/hostname', at('link'));
    mkdirSync(at('folder'));
    const before = tree();
    const unfit = new Map<string, string>();
    const told = { unfit: (path: string, { code }: Refusal) => void unfit.set(path, code) };
    const wanted = [
      edit('link', null, 'b'),
      edit('folder', null, 'b'),
      edit('src/a.ts/b', null, 'b'),
      edit('n', null, 'b'),
    ];
    expect(await workspace.prepare(wanted, told)).toMatchObject({ refused: true });
    expect([...unfit].toSorted()).toEqual([
      ['folder', 'INVALID'],
      ['link', 'OUTSIDE'],
      ['src/a.ts/b', 'INVALID'],
    ]);
    unfit.clear();
    await workspace.prepare([edit('big', null, 'x'.repeat(10_001)), edit('n', null, 'b')], told);
    expect([...unfit]).toEqual([['big', 'LIMIT']]);
    expect(tree()).toEqual(before);
    const many = Array.from({ length: 51 }, (_, number) => edit(`n${number}`, null, 'b'));
    expect(isRefusal(await workspace.prepare(many, { most: 51 }))).toBe(false);
  });

  it('tells when the folder last changed in which there is nothing', () => {
    const changed = (path: string) => statSync(at(path)).ctimeMs;
    expect(workspace.changedAround('src/a.ts')).toBeUndefined();
    expect(workspace.changedAround('src')).toBeUndefined();
    expect(workspace.changedAround('src/gone')).toBe(changed('src'));
    expect(workspace.changedAround('src/no/folder/gone')).toBe(changed('src'));
    expect(workspace.changedAround('gone')).toBe(changed('.'));
  });

  it.runIf(process.getuid?.() !== 0)('promise 11: refuses where the disk denies writing (not as root)', async () => {
    chmodSync(at('src'), 0o555);
    for (const wanted of [edit('src/n', null, 'n'), edit('src/a.ts', 'old\r\n', null)])
      expect(await workspace.prepare([wanted])).toMatchObject({ code: 'BLOCKED', facts: { path: wanted.path } });
    chmodSync(at('src'), 0o755);
  });
});
