import { fstatSync, lstatSync, mkdirSync, rmdirSync } from 'node:fs';
import { located } from './change.js';
import { errno } from './errno.js';
import type { Place } from './look.js';
import { walking } from './walk.js';

/** See `Workspace.makeFolder`. */
export function makeNew(place: Place, path: string): boolean {
  return inFolder(place, path, ['EEXIST', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC'], (at) => mkdirSync(at));
}

/** See `Workspace.dropEmpty`. */
export function dropEmpty(place: Place, path: string): void {
  inFolder(place, path, ['ENOENT', 'ENOTEMPTY', 'ENOTDIR', 'EACCES', 'EPERM', 'EBUSY'], (at) => rmdirSync(at));
}

/** See `Workspace.changedAround`. */
export function changedAround(place: Place, path: string): number | undefined {
  const { folder, name } = located(path);
  return walking(place, (trail) => {
    const base = trail.enter(folder);
    const isThere = typeof base === 'string' && lstatSync(`${base}/${name}`, { throwIfNoEntry: false }) !== undefined;
    return isThere ? undefined : fstatSync(trail.fd).ctimeMs;
  });
}

/** Whether it worked; what is listed is no fault. */
function inFolder(place: Place, path: string, expected: readonly string[], work: (at: string) => void): boolean {
  const { folder, name } = located(path);
  return walking(place, (trail) => {
    const base = trail.enter(folder);
    if (typeof base !== 'string') return false;
    try {
      work(`${base}/${name}`);
      return true;
    } catch (error) {
      if (expected.includes(errno(error) ?? '')) return false;
      throw error;
    }
  });
}
