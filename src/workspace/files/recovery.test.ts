import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FILE_SETTINGS } from '../workspace.js';
import { Overtaken } from './apply.js';
import { at, kept, many, prepared, redone, root, tree, undone, workspace } from './recovery.testsuite.js';
import { sweep } from './sweep.js';
import { edit, hash } from './wanted.testsuite.js';

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
    for (const name of ['replaced', 'mode']) writeFileSync(at(name), name, { mode: 0o640 });
    const change = await prepared(edit('replaced', 'replaced', 'new'), edit('mode', 'mode', 'mode', 0o755));
    workspace.apply(change);
    for (const name of kept()) unlinkSync(at(`.signalbox/kept/${name}`));
    expect(undone(change)).toEqual([]);
    expect(tree()).toEqual({ mode: '640 mode', replaced: '640 replaced' });
  });

  it('promise 8: leaves what a person made or removed before the change came to it, though it is as the change wanted it', async () => {
    for (const name of ['a', 'b', 'same']) writeFileSync(at(name), name);
    const wanted = [edit('a', 'a', 'new'), edit('new', null, 'new'), edit('same', 'same', 'as wanted')];
    const change = await prepared(...wanted);
    expect(workspace.verify(change)).toEqual([]);
    for (const [name, text] of [
      ['new', 'new'],
      ['same', 'as wanted'],
    ] as const)
      writeFileSync(at(name), text);
    expect(() => workspace.apply(change)).toThrow(Overtaken);
    expect(undone(change)).toMatchObject([
      {
        files: [
          { path: 'new', before: null, after: hash('new') },
          { path: 'same', before: hash('same'), after: hash('as wanted') },
        ],
      },
    ]);
    expect(tree()).toEqual({ a: '644 a', b: '644 b', new: '644 new', same: '644 as wanted' });

    const deletion = await prepared(edit('a', 'a', 'new'), edit('b', 'b', null));
    expect(workspace.verify(deletion)).toEqual([]);
    unlinkSync(at('b'));
    expect(() => workspace.apply(deletion)).toThrow(Overtaken);
    expect(undone(deletion)).toMatchObject([{ files: [{ path: 'b', before: hash('b'), after: null }] }]);
    expect(Object.keys(tree())).toEqual(['a', 'new', 'same']);
    expect(kept()).toEqual([]);
  });

  it('promise 6: brings a deleted file back after a power cut that has lost the former one', async () => {
    writeFileSync(at('a'), 'a');
    const change = await prepared(edit('a', 'a', null));
    workspace.apply(change);
    for (const name of kept()) unlinkSync(at(`.signalbox/kept/${name}`));
    expect(undone(change, true)).toEqual([]);
    expect(tree()).toEqual({ a: '644 a' });
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

  it('stays for that hour', async () => {
    await prepared(edit('n', null, 'n'));
    expect(await workspace.sweep()).toEqual({ removed: 0, saved: [] });
    expect(Object.keys(tree())).toEqual([expect.stringMatching(/^\.signalbox-/)]);
  });

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
