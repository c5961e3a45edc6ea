import { lstatSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EventBody } from '../../domain/event.js';
import type { Intent } from '../../domain/intent.js';
import type { Hash } from '../../domain/scope.js';
import { FILE_SETTINGS, type FileSettings, type Workspace } from '../workspace.js';
import { apply, verify } from './apply.js';
import { Change } from './change.js';
import { errno } from './errno.js';
import { finish, Syncing, Waits } from './finish.js';
import { changedAround, dropEmpty, makeNew } from './folders.js';
import { look, type Place, resolvePath } from './look.js';
import { moveOver, piecesOf } from './move-over.js';
import { named } from './named.js';
import { discardTemps, prepare } from './prepare.js';
import { redo, undo } from './recovery.js';
import { sweep } from './sweep.js';
import { KEPT_FOLDER, STATE_FOLDER } from './temps.js';
import { isWeak } from './walk.js';

/**
 * Opens the workspace at a root that `findRoot` gave, and makes `.signalbox/` where it is missing.
 * Throws where the root is no folder or cannot be written to.
 */
export async function openWorkspace(options: {
  readonly root: string;
  readonly settings?: Partial<FileSettings>;
}): Promise<Workspace> {
  const place = placeOf(options.root, { ...FILE_SETTINGS, ...options.settings });
  makeState(place.root);
  return workspaceAt(place);
}

function placeOf(given: string, settings: FileSettings): Place & { maxFiles: number } {
  const root = realpathSync(resolve(given));
  return { ...settings, root, roots: [...new Set([root, resolve(given)])], weak: settings.weak ?? isWeak() };
}

function workspaceAt(place: Place & { maxFiles: number }): Workspace {
  const waits = new Waits();
  const syncing = new Syncing(place, waits);
  return {
    root: place.root,
    folds: foldsNames(place.root),
    weak: place.weak,
    resolve: async (path, purpose) => resolvePath(place, path, purpose),
    isFolder: (path) => lstatSync(join(place.root, path), { throwIfNoEntry: false })?.isDirectory() ?? false,
    named: (names) => named(place, names),
    makeFolder: (path) => makeNew(place, path),
    dropEmpty: (path) => dropEmpty(place, path),
    look: (path) => look(place, path),
    changedAround: (path) => changedAround(place, path),
    prepare: (wanted, how = {}) => prepare(place, wanted, { most: place.maxFiles, ...how }),
    verify: (prepared) => verify(place, Change.of(prepared)),
    apply: (prepared) => apply(place, Change.of(prepared)),
    finish: (prepared, late) => waits.follow(finish(Change.of(prepared), syncing, late)),
    discard: async (prepared) => discardTemps(place, Change.of(prepared).targets),
    moveOver: (moves) => moveOver(place, moves),
    piecesOf: (move) => piecesOf(place, move),
    sweep: () => sweep(place, Date.now()),
    flush: () => waits.flush(),
  };
}

/** How the files of this workspace are put right after a crash: the `Recovery` of the store's contract. */
export function recovery(workspace: Pick<Workspace, 'root' | 'weak'>, settings: Partial<FileSettings> = {}) {
  const place = placeOf(workspace.root, { ...FILE_SETTINGS, ...settings, weak: workspace.weak });
  type Content = (hash: Hash) => Uint8Array | undefined;
  type Recorded = (path: string) => Hash | null | undefined;
  return {
    undo: (intent: Intent, content: Content): readonly EventBody[] => undo(place, intent, content),
    redo: (intent: Intent, content: Content, recorded: Recorded): readonly EventBody[] =>
      redo(place, intent, content, recorded),
  };
}

/** `.signalbox/` is for its user alone, and git leaves all of it out. */
function makeState(root: string): void {
  makeFolder(join(root, STATE_FOLDER));
  makeFolder(join(root, ...KEPT_FOLDER));
  unlessThere(() => writeFileSync(join(root, STATE_FOLDER, '.gitignore'), '*\n', { flag: 'wx' }));
}

/** Looked at before anything is made in it: a repository may bring a link of this name that leads outside. */
function makeFolder(path: string): void {
  unlessThere(() => mkdirSync(path, { mode: 0o700 }));
  if (!lstatSync(path).isDirectory()) throw new Error(`${path} is not a folder`);
}

function unlessThere(make: () => void): void {
  try {
    make();
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
  }
}

/** Asked of the disk, by looking for our own folder under another spelling. */
function foldsNames(root: string): boolean {
  const other = lstatSync(join(root, STATE_FOLDER.toUpperCase()), { throwIfNoEntry: false });
  return other !== undefined && other.ino === lstatSync(join(root, STATE_FOLDER)).ino;
}
