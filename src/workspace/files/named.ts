import { readdirSync } from 'node:fs';
import { errno } from './errno.js';
import type { Place } from './look.js';
import { STATE_FOLDER } from './temps.js';
import { Trail } from './walk.js';

const SKIPPED = new Set(['.git', STATE_FOLDER]);
/** Names in the path of a folder that is found. */
const DEPTH = 4;
/** Folders looked into: a few milliseconds. */
const MOST = 500;

/** See `Workspace.named`. */
export function named(place: Place, names: ReadonlySet<string>): readonly string[] {
  const found: string[] = [];
  let left = MOST;
  let level: (readonly string[])[] = [[]];
  const trail = new Trail(place);
  try {
    for (let depth = 0; depth < DEPTH && level.length > 0; depth++) {
      const below: (readonly string[])[] = [];
      for (const folder of level) {
        if (left-- <= 0) return found;
        for (const name of foldersIn(trail, folder)) {
          if (names.has(name)) found.push([...folder, name].join('/'));
          else if (!SKIPPED.has(name)) below.push([...folder, name]);
        }
      }
      level = below;
    }
  } finally {
    trail.close();
  }
  return found;
}

function foldersIn(trail: Trail, folder: readonly string[]): string[] {
  try {
    const base = trail.enter(folder);
    if (typeof base !== 'string') return [];
    const entries = readdirSync(`${base}/.`, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (errno(error) === 'EACCES' || errno(error) === 'EPERM') return [];
    throw error;
  }
}
