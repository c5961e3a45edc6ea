import { closeSync, lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { hashOf, openFile, readWhole } from './bytes.js';
import { errno, ifThere } from './errno.js';
import type { Place } from './look.js';
import { isTemp, KEPT_FOLDER, keptHash, STATE_FOLDER } from './temps.js';
import { Trail } from './walk.js';

/** Nobody prepares a change and applies it so much later; whoever was stopped meanwhile fails, and undoes. */
const STALE = 60 * 60 * 1_000;
const SKIPPED = new Set(['.git', 'node_modules', STATE_FOLDER]);
const MAX_DEPTH = 64;
const STRETCH_FOLDERS = 64;

/** What a sweep found. */
export interface Swept {
  /** How many leftovers of killed processes were removed. */
  readonly removed: number;
  /** Former files that somebody wrote to while they were replaced, and whose process was killed before it could tell. They stay. */
  readonly saved: readonly string[];
}

/** Removes what killed processes left: temporary files in the tree, and kept files that nobody wrote to. */
export async function sweep(place: Place, now: number): Promise<Swept> {
  const found = { removed: 0, saved: [] as string[] };
  let visited = 0;
  const open: (readonly string[])[] = [KEPT_FOLDER, []];
  const trail = new Trail(place);
  try {
    for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
      visited += 1;
      if (visited % STRETCH_FOLDERS === 0) await setImmediate();
      open.push(...sweepFolder(place, trail, folder, now, found));
    }
  } finally {
    trail.close();
  }
  return found;
}

/** → the folders below. */
function sweepFolder(
  place: Place,
  trail: Trail,
  folder: readonly string[],
  now: number,
  found: { removed: number; readonly saved: string[] },
): (readonly string[])[] {
  const base = entered(trail, folder);
  if (base === undefined) return [];
  const below: (readonly string[])[] = [];
  for (const entry of readdirSync(`${base}/.`, { withFileTypes: true })) {
    const { name } = entry;
    const path = `${base}/${name}`;
    if (entry.isDirectory() && !SKIPPED.has(name) && folder.length < MAX_DEPTH) below.push([...folder, name]);
    if (!entry.isFile() || !(isTemp(name) || folder === KEPT_FOLDER) || !isStale(path, now)) continue;
    if (isWorthKeeping(place, path, name)) found.saved.push([...folder, name].join('/'));
    else {
      ifThere(() => unlinkSync(path));
      found.removed += 1;
    }
  }
  return below;
}

function entered(trail: Trail, folder: readonly string[]): string | undefined {
  try {
    const base = trail.enter(folder);
    return typeof base === 'string' ? base : undefined;
  } catch (error) {
    // A folder that we may not read holds nothing of ours.
    if (errno(error) === 'EACCES' || errno(error) === 'EPERM') return undefined;
    throw error;
  }
}

function isStale(path: string, now: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && now - stat.ctimeMs >= STALE;
}

/** Whether this is a former file with another content than it was put aside with. */
function isWorthKeeping(place: Place, path: string, name: string): boolean {
  const digits = keptHash(name);
  if (digits === undefined) return false;
  const found = openFile(path);
  if (found.kind !== 'file') return found.kind !== 'missing';
  try {
    const bytes = readWhole(found.fd, Number(found.stat.size), place.maxFile);
    return bytes === undefined || !hashOf(bytes).startsWith(digits);
  } finally {
    closeSync(found.fd);
  }
}
