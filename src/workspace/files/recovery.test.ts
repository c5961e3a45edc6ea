import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Intent } from '../../domain/intent.js';
import { isRefusal } from '../../domain/refusal.js';
import { FILE_SETTINGS, type Prepared, type Wanted, type Workspace } from '../workspace.js';
import { openWorkspace, recovery } from './open.js';
import { sweep } from './sweep.js';

let root: string;
let workspace: Workspace;

const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const at = (path: string) => join(root, path);
const kept = () => readdirSync(at('.signalbox/kept'));

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'signalbox-recovery-'));
  workspace = await openWorkspace({ root });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Every path with its content and mode; folders as such. */
function tree(): Record<string, string> {
  const all: Record<string, string> = {};
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (name.startsWith('.signalbox/') || name === '.signalbox') continue;
    const stat = lstatSync(at(name));
    all[name] = stat.isDirectory()
      ? 'folder'
      : `${(stat.mode & 0o777).toString(8)} ${readFileSync(at(name), 'latin1')}`;
  }
  return all;
}

async function prepared(...wanted: Wanted[]): Promise<Prepared> {
  const answer = await workspace.prepare(wanted);
  if (isRefusal(answer)) throw new Error(`${answer.code}: ${answer.sentence}`);
  return answer;
}

function edit(path: string, former: string | null, next: string | null, mode?: number): Wanted {
  return {
    path,
    base: former === null ? null : hash(former),
    bytes: next === null ? null : Buffer.from(next),
    ...(mode === undefined ? {} : { mode }),
  };
}

/** What the store would hand to recovery. */
function stored(
  change: Prepared,
  rebooted: boolean,
): { intent: Intent; content: (hash: string) => Uint8Array | undefined } {
  const contents = new Map(change.contents.map((each) => [each.hash, each.bytes]));
  return { intent: { files: change.files, rebooted }, content: (each) => contents.get(each) };
}

function undone(change: Prepared, rebooted = false) {
  const { intent, content } = stored(change, rebooted);
  return recovery(workspace).undo(intent, content);
}

/** @param recorded what the ledger has of each path; what the change made of it, where left out. */
function redone(change: Prepared, recorded?: (path: string) => string | null | undefined) {
  const { intent, content } = stored(change, true);
  const made = new Map(change.files.map(({ path, after }) => [path, after]));
  return recovery(workspace).redo(intent, content, recorded ?? ((path) => made.get(path)));
}

function many(): Promise<Prepared> {
  for (const name of ['gone', 'replaced', 'mode', 'thing']) writeFileSync(at(name), name, { mode: 0o640 });
  return prepared(
    edit('gone', 'gone', null),
    edit('thing', 'thing', null),
    edit('thing/inside', null, 'x'),
    edit('replaced', 'replaced', 'new'),
    edit('mode', 'mode', 'mode', 0o755),
    edit('fresh', null, 'f'),
    edit('p/q/one', null, '1'),
    edit('p/q/two', null, '2'),
  );
}

describe('promise 6: undo after a crash', () => {
  it.each(Array.from({ length: 9 }, (_, prefix) => [prefix]))(
    'restores everything after %i renames',
    async (prefix) => {
      const change = await many();
      const before = Object.fromEntries(Object.entries(tree()).filter(([name]) => !name.startsWith('.signalbox-')));
      const stopper = change.files[prefix];
      // The renames stop at a path whose new content is gone; a deletion cannot stop them, so one stops before it.
      if (stopper?.after != null && stopper.temp !== undefined) unlinkSync(at(stopper.temp));
      if (stopper === undefined) workspace.apply(change);
      else if (stopper.after !== null) expect(() => workspace.apply(change)).toThrow(/ENOENT/);
      expect(undone(change)).toEqual([]);
      expect(tree()).toEqual(before);
      expect(kept()).toEqual([]);
      expect(undone(change)).toEqual([]);
      expect(tree()).toEqual(before);
    },
  );

  it('restores after the link of a new file, before its temporary name went', async () => {
    const change = await prepared(edit('fresh', null, 'f'));
    linkSync(at(change.files[0]?.temp ?? ''), at('fresh'));
    expect(undone(change)).toEqual([]);
    expect(tree()).toEqual({});
  });

  it('restores from the stored contents where the former files are not kept any more', async () => {
    const change = await many();
    const before = { gone: '640 gone', mode: '640 mode', replaced: '640 replaced', thing: '640 thing' };
    workspace.apply(change);
    for (const name of kept()) unlinkSync(at(`.signalbox/kept/${name}`));
    expect(undone(change)).toEqual([]);
    expect(tree()).toEqual(before);
  });

  it('promise 8: leaves what a person wrote meanwhile, and records it', async () => {
    const change = await many();
    workspace.apply(change);
    writeFileSync(at('replaced'), 'mine');
    writeFileSync(at('gone'), 'back');
    writeFileSync(at('p/q/one'), 'edited');
    chmodSync(at('replaced'), 0o600);
    expect(undone(change)).toEqual([
      {
        type: 'files.outside',
        files: [
          { path: 'p/q/one', before: null, after: hash('edited'), mode: 0o644 },
          { path: 'gone', before: hash('gone'), after: hash('back'), mode: expect.any(Number) },
          { path: 'replaced', before: hash('replaced'), after: hash('mine'), mode: 0o600 },
        ],
      },
    ]);
    expect(tree()).toMatchObject({ replaced: '600 mine', thing: '640 thing', 'p/q/one': '644 edited' });
    expect(existsSync(at('p/q/two'))).toBe(false);
    expect(kept()).toEqual([]);
  });

  it('promise 8: brings a save into the former file back with it', async () => {
    writeFileSync(at('a'), 'old');
    const change = await prepared(edit('a', 'old', 'new'));
    const editor = openSync(at('a'), 'r+');
    workspace.apply(change);
    writeSync(editor, 'a person', 0);
    closeSync(editor);
    expect(undone(change)).toMatchObject([{ files: [{ path: 'a', before: hash('old'), after: hash('a person') }] }]);
    expect(readFileSync(at('a'), 'utf8')).toBe('a person');
  });

  it('promise 8: keeps a save into the former file where the path has moved on too, and names it', async () => {
    writeFileSync(at('a'), 'old');
    const change = await prepared(edit('a', 'old', 'new'));
    const editor = openSync(at('a'), 'r+');
    workspace.apply(change);
    writeSync(editor, 'late', 0);
    closeSync(editor);
    writeFileSync(at('a'), 'later');
    const [name] = kept();
    expect(undone(change)).toMatchObject([
      { kept: [`.signalbox/kept/${name}`], files: [{ after: hash('later') }, { after: hash('late') }] },
    ]);
    expect(readFileSync(at(`.signalbox/kept/${name}`), 'utf8')).toBe('late');
  });
});

describe('promise 6: undo after a power cut', () => {
  it.each([
    ['is missing', null],
    ['is empty', ''],
    ['is filled with NUL', '\0\0\0'],
    ['has the new content', 'new'],
    ['has its former content', 'old'],
  ])('puts the former content back where a file %s', async (_, found) => {
    writeFileSync(at('a'), 'old', { mode: 0o755 });
    const change = await prepared(edit('a', 'old', 'new'), edit('fresh', null, 'f'));
    workspace.apply(change);
    for (const name of kept()) unlinkSync(at(`.signalbox/kept/${name}`));
    unlinkSync(at('a'));
    if (found !== null) writeFileSync(at('a'), found, { mode: 0o755 });
    writeFileSync(at('fresh'), '\0');
    expect(undone(change, true)).toEqual([]);
    expect(tree()).toEqual({ a: '755 old' });
    expect(kept()).toEqual([]);
  });

  it('promise 8: within one boot, a file that was emptied or removed is the doing of a person', async () => {
    for (const name of ['a', 'b']) writeFileSync(at(name), 'old');
    const change = await prepared(edit('a', 'old', 'new'), edit('b', 'old', 'new'));
    workspace.apply(change);
    writeFileSync(at('a'), '');
    unlinkSync(at('b'));
    expect(undone(change)).toMatchObject([
      {
        files: [
          { path: 'a', after: hash('') },
          { path: 'b', after: null },
        ],
      },
    ]);
    expect(tree()).toEqual({ a: '644 ' });
  });
});

describe('promise 11: redo after a power cut', () => {
  it.each([
    ['is missing', null],
    ['is empty', ''],
    ['is filled with NUL', '\0\0\0'],
    ['has its former content', 'old'],
    ['has the new content', 'new'],
  ])('writes a file again that %s', async (_, found) => {
    writeFileSync(at('a'), 'old', { mode: 0o755 });
    const change = await prepared(edit('a', 'old', 'new'));
    workspace.apply(change);
    unlinkSync(at('a'));
    if (found !== null) writeFileSync(at('a'), found, { mode: 0o755 });
    expect(redone(change)).toEqual([]);
    expect(tree()).toEqual({ a: '755 new' });
    expect(kept()).toEqual([]);
  });

  it.each([
    ['neither', 'old'],
    ['the earlier', 'new'],
    ['both', 'newer'],
  ])('finishes two changes of one file of which %s reached the disk, without an edit of a person', async (_, found) => {
    writeFileSync(at('a'), 'old');
    const earlier = await prepared(edit('a', 'old', 'new'));
    workspace.apply(earlier);
    const later = await prepared(edit('a', 'new', 'newer'));
    workspace.apply(later);
    writeFileSync(at('a'), found);
    expect([earlier, later].flatMap((change) => redone(change, () => hash('newer')))).toEqual([]);
    expect(tree()).toEqual({ a: '644 newer' });
  });

  it('makes lost folders again, and deletes again what came back', async () => {
    const change = await many();
    workspace.apply(change);
    const after = tree();
    rmSync(at('p'), { recursive: true });
    rmSync(at('thing'), { recursive: true });
    writeFileSync(at('gone'), 'gone');
    writeFileSync(at('thing'), 'thing');
    expect(redone(change)).toEqual([]);
    expect(tree()).toEqual(after);
  });

  it('promise 8: keeps and records everything else as an edit of a person', async () => {
    writeFileSync(at('a'), 'old');
    writeFileSync(at('b'), 'old');
    const change = await prepared(edit('a', 'old', 'new'), edit('b', 'old', null), edit('c', null, 'c'));
    workspace.apply(change);
    writeFileSync(at('a'), 'mine');
    writeFileSync(at('b'), '');
    rmSync(at('c'));
    mkdirSync(at('c'));
    expect(redone(change)).toEqual([
      {
        type: 'files.outside',
        files: [
          { path: 'b', before: null, after: hash(''), mode: 0o644 },
          { path: 'a', before: hash('new'), after: hash('mine'), mode: 0o644 },
          { path: 'c', before: hash('c'), after: null },
        ],
      },
    ]);
    expect(tree()).toMatchObject({ a: '644 mine', b: '644 ', c: 'folder' });
  });
});

describe('what killed processes left', () => {
  const place = () => ({ ...FILE_SETTINGS, root, roots: [root], weak: workspace.weak });
  const later = () => Date.now() + 2 * 60 * 60 * 1_000;

  it('is removed after an hour, but for a former file that somebody wrote to', async () => {
    for (const name of ['a', 'b']) writeFileSync(at(name), name);
    mkdirSync(at('deep/er'), { recursive: true });
    await prepared(edit('deep/er/n', null, 'n'));
    const change = await prepared(edit('a', 'a', 'new'), edit('b', 'b', 'new'));
    const editor = openSync(at('a'), 'r+');
    workspace.apply(change);
    writeSync(editor, 'late', 0);
    closeSync(editor);
    const { removed, saved } = await sweep(place(), later());
    expect(removed).toBe(2);
    expect(saved.map((path) => readFileSync(at(path), 'utf8'))).toEqual(['late']);
    expect(tree()).toEqual({ a: '644 new', b: '644 new', deep: 'folder', 'deep/er': 'folder' });
  });
});

describe('promise 6: any sequence of changes', () => {
  const PATHS = ['a', 'b', 'd/a', 'd/b', 'd/e/a', 'f/g/h/a'];
  const step = fc.record({
    writes: fc.uniqueArray(fc.tuple(fc.constantFrom(...PATHS), fc.option(fc.string({ maxLength: 5 }))), {
      selector: ([path]) => path,
      minLength: 1,
    }),
    fate: fc.constantFrom('applied', 'undone', 'cut off', 'discarded', 'applied and redone'),
    cut: fc.nat(),
  });

  it('is there wholly or not at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        rmSync(root, { recursive: true, force: true });
        mkdirSync(root);
        workspace = await openWorkspace({ root });
        const model = new Map<string, string>();
        for (const { writes, fate, cut } of steps) await take(model, writes, fate, cut);
      }),
      { numRuns: 25 },
    );
  });

  async function take(model: Map<string, string>, writes: [string, string | null][], fate: string, cut: number) {
    const wanted = writes
      .filter(([path, next]) => next !== null || model.has(path))
      .map(([path, next]) => edit(path, model.get(path) ?? null, next));
    const change = await prepared(...wanted);
    expect(workspace.verify(change)).toEqual([]);
    const stopper = change.files.filter(({ after }) => after !== null).at(cut % 3);
    if (fate === 'discarded') await workspace.discard(change);
    else if (fate === 'cut off' && stopper?.temp !== undefined) {
      unlinkSync(at(stopper.temp));
      expect(() => workspace.apply(change)).toThrow();
      expect(undone(change)).toEqual([]);
    } else {
      workspace.apply(change);
      if (fate === 'undone' || fate === 'cut off') expect(undone(change)).toEqual([]);
      else
        for (const { path, bytes } of wanted)
          bytes === null ? model.delete(path) : model.set(path, Buffer.from(bytes).toString());
      if (fate === 'applied and redone') expect(redone(change)).toEqual([]);
      const work = workspace.finish(change, () => expect.unreachable('nobody saved'));
      await workspace.flush();
      await work;
    }
    const files = Object.entries(tree()).filter(([, content]) => content !== 'folder');
    expect(new Map(files.map(([path]) => [path, readFileSync(at(path), 'utf8')]))).toEqual(new Map([...model].sort()));
    expect(kept()).toEqual([]);
  }
});
