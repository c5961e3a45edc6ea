import { closeSync, lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { hashOf, openFile, readWhole } from './bytes.js';
import { errno, ifThere } from './errno.js';
import type { Place } from './look.js';
import { isTemp, KEPT_FOLDER, STATE_FOLDER } from './temps.js';
import { Trail } from './walk.js';

/** Nobody prepares a change and applies it so much later; whoever was stopped meanwhile fails, and undoes. */
const STALE = 60 * 60 * 1_000;
const SKIPPED = new Set(['.git', 'node_modules', STATE_FOLDER]);
const MAX_DEPTH = 64;

/** What a sweep found. */
export interface Swept {
  /** How many leftovers of killed processes were removed. */
  readonly removed: number;
  /** Former files that somebody wrote to while they were replaced, and whose process was killed before it could tell. They stay. */
  readonly saved: readonly string[];
}

/** Removes what killed processes left: temporary files in the tree, and kept files that nobody wrote to. */
export async function sweep(place: Place, now: number): Promise<Swept> {
  const trail = new Trail(place);
  try {
    const removed = await sweepTemps(trail, now);
    const kept = sweepKept(place, trail, now);
    return { removed: removed + kept.removed, saved: kept.saved };
  } finally {
    trail.close();
  }
}

async function sweepTemps(trail: Trail, now: number): Promise<number> {
  let removed = 0;
  let visited = 0;
  const open: (readonly string[])[] = [[]];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    visited += 1;
    if (visited % 64 === 0) await setImmediate();
    const base = entered(trail, folder);
    if (base === undefined) continue;
    for (const entry of readdirSync(`${base}/.`, { withFileTypes: true })) {
      if (entry.isDirectory() && !SKIPPED.has(entry.name) && folder.length < MAX_DEPTH)
        open.push([...folder, entry.name]);
      else if (entry.isFile() && isTemp(entry.name) && removedIfStale(`${base}/${entry.name}`, now)) removed += 1;
    }
  }
  return removed;
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

function removedIfStale(path: string, now: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || now - stat.ctimeMs < STALE) return false;
  ifThere(() => unlinkSync(path));
  return true;
}

function sweepKept(place: Place, trail: Trail, now: number): Swept {
  const base = entered(trail, KEPT_FOLDER);
  if (base === undefined) return { removed: 0, saved: [] };
  let removed = 0;
  const saved: string[] = [];
  for (const name of readdirSync(`${base}/.`)) {
    const stat = lstatSync(`${base}/${name}`, { throwIfNoEntry: false });
    if (stat === undefined || now - stat.ctimeMs < STALE) continue;
    if (isUntouched(place, `${base}/${name}`, name)) {
      ifThere(() => unlinkSync(`${base}/${name}`));
      removed += 1;
    } else saved.push([...KEPT_FOLDER, name].join('/'));
  }
  return { removed, saved };
}

/** A kept file bears the first digits of its own hash in its name. */
function isUntouched(place: Place, path: string, name: string): boolean {
  const found = openFile(path);
  if (found.kind !== 'file') return false;
  try {
    const bytes = readWhole(found.fd, Number(found.stat.size), place.maxFile);
    return bytes !== undefined && name.endsWith(`-${hashOf(bytes).slice(0, 16)}`);
  } finally {
    closeSync(found.fd);
  }
}
