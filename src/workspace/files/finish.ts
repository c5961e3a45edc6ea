import { closeSync, fsync as fsyncCallback } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Hash } from '../../domain/scope.js';
import { hashWhole, isUnwritten, LARGE, openFile, readHashed } from './bytes.js';
import type { Change, Target } from './change.js';
import { ifStillThere } from './errno.js';
import { PERMISSIONS, type Place } from './look.js';
import { Trail } from './walk.js';

/** An editor that had the file open when it was replaced has written its save by then. */
const LATE = 2_000;
/** Files are synced together, at most so long after their change: the syncs of a quick series would slow its own commits. */
const TOGETHER = 500;
const STRETCH_FILES = 32;

const fsync = promisify(fsyncCallback);

/** A save into a former file: the bytes that a person wrote while the file was being replaced. */
export interface LateEdit {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/** Waits that end early when the workspace closes, and that keep no process alive. */
export class Waits {
  readonly #open = new Set<() => void>();
  readonly #work = new Set<Promise<unknown>>();
  #closing = false;

  pause(ms: number): Promise<void> {
    if (this.#closing) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#open.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      timer.unref();
      this.#open.add(end);
    });
  }

  /** Keeps work in mind until it is over. */
  follow<T>(work: Promise<T>): Promise<T> {
    const over = () => this.#work.delete(work);
    this.#work.add(work);
    work.then(over, over);
    return work;
  }

  /** Ends all waits, now and later ones, and resolves when the work is over. */
  async flush(): Promise<void> {
    this.#closing = true;
    for (const end of this.#open) end();
    await Promise.allSettled(this.#work);
    this.#closing = false;
  }
}

/** See `Workspace.finish`. */
export async function finish(
  change: Change,
  syncing: Syncing,
  late: (edit: LateEdit) => Promise<boolean>,
): Promise<void> {
  const { place, waits } = syncing;
  await syncing.soon(change);
  const reported = new Map<Target, Hash>();
  await report(place, change, reported, late);
  await waits.pause(LATE);
  await report(place, change, reported, late);
  await letGo(place, change);
}

/** Syncs the files of all changes that come within half a second at once: one that changed ten times is synced once. */
export class Syncing {
  readonly place: Place;
  readonly waits: Waits;
  #gathered: Target[] = [];
  #next: Promise<void> | undefined;

  constructor(place: Place, waits: Waits) {
    this.place = place;
    this.waits = waits;
  }

  /** Resolves when the files and folders of a change are on the disk. */
  soon(change: Change): Promise<void> {
    this.#gathered.push(...change.targets);
    this.#next ??= this.#together();
    return this.#next;
  }

  async #together(): Promise<void> {
    await this.waits.pause(TOGETHER);
    const targets = this.#gathered;
    this.#gathered = [];
    this.#next = undefined;
    await sync(this.place, targets);
  }
}

/** Files first, then the folders that name them. */
async function sync(place: Place, all: readonly Target[]): Promise<void> {
  await eachFolder(place, all, async (trail, base, targets) => {
    const names = new Set(targets.filter(({ after }) => after !== null).map(({ name }) => name));
    for (const name of names) await syncFile(`${base}/${name}`);
    await fsync(trail.fd);
  });
}

async function syncFile(path: string): Promise<void> {
  const found = openFile(path);
  if (found.kind !== 'file' && found.kind !== 'folder') return;
  try {
    await fsync(found.fd);
  } finally {
    closeSync(found.fd);
  }
}

async function report(
  place: Place,
  change: Change,
  reported: Map<Target, Hash>,
  late: (edit: LateEdit) => Promise<boolean>,
): Promise<void> {
  await eachKept(place, change, async (path, target) => {
    const former = await formerNow(place, path, target);
    if (former === undefined || former.hash === target.before || former.hash === reported.get(target)) return;
    reported.set(target, former.hash);
    // This file has the only copy of it until somebody else does.
    if (!(await late({ path: target.path, bytes: former.bytes, mode: former.mode }))) delete target.kept;
  });
}

/** What a former file holds now, unless the disk says that nobody wrote to it. */
async function formerNow(place: Place, path: string, target: Target) {
  const found = openFile(path);
  if (found.kind !== 'file') return undefined;
  const { fd, stat } = found;
  try {
    if (target.mark !== undefined && !target.mark.young && isUnwritten(target.mark, stat)) return undefined;
    const size = Number(stat.size);
    if (size < LARGE && hashWhole(fd, size, place.maxFile) === target.before) return undefined;
    const read = await readHashed(fd, size, place.maxFile);
    // It grew past what can be handed on: it stays where it is, and a sweep names it.
    if (read === undefined) delete target.kept;
    return read && { ...read, mode: Number(stat.mode) & PERMISSIONS };
  } finally {
    closeSync(fd);
  }
}

async function letGo(place: Place, change: Change): Promise<void> {
  await eachKept(place, change, async (path, target) => {
    // Off the event loop: to give up a file's last name can take the disk a millisecond.
    await ifStillThere(unlink(path));
    delete target.kept;
  });
}

async function eachKept(
  place: Place,
  change: Change,
  visit: (path: string, target: Target) => Promise<void>,
): Promise<void> {
  const trail = new Trail(place);
  try {
    for (const [at, target] of change.targets.entries()) {
      if (at % STRETCH_FILES === STRETCH_FILES - 1) await setImmediate();
      if (target.kept === undefined) continue;
      const base = trail.enter(target.kept.folder);
      if (typeof base === 'string') await visit(`${base}/${target.kept.name}`, target);
    }
  } finally {
    trail.close();
  }
}

/** Visits each folder whose names changed, with the targets in it; new folders count as names in the ones above them. */
async function eachFolder(
  place: Place,
  all: readonly Target[],
  visit: (trail: Trail, base: string, targets: readonly Target[]) => Promise<void>,
): Promise<void> {
  const folders = new Map<string, Target[]>();
  for (const target of all) {
    for (let depth = target.tempDepth; depth < target.folder.length; depth++) {
      const above = target.folder.slice(0, depth).join('/');
      if (!folders.has(above)) folders.set(above, []);
    }
    const folder = target.folder.join('/');
    const there = folders.get(folder);
    if (there === undefined) folders.set(folder, [target]);
    else there.push(target);
  }
  for (const [folder, targets] of folders) {
    const trail = new Trail(place);
    try {
      const base = trail.enter(folder === '' ? [] : folder.split('/'));
      if (typeof base === 'string') await visit(trail, base, targets);
    } finally {
      trail.close();
    }
  }
}
