import { type BigIntStats, closeSync, lstatSync, readdirSync } from 'node:fs';
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import type { ListEntry, Looked } from '../workspace.js';
import { type Opened, openFile, readHashed } from './bytes.js';
import { ifThere, refusalOf } from './errno.js';
import { follow } from './follow.js';
import { canonical, partsOf } from './paths.js';
import { isState, protectedName, protectedRefusal } from './protected.js';
import { isTemp, STATE_FOLDER } from './temps.js';
import { type Ground, Trail, walking } from './walk.js';

/** Sizes are told of at most so many files of one folder. */
const MAX_SIZED = 2_000;
/** The slot of a mode that says what kind of file it is stays out. */
export const PERMISSIONS = 0o777;

/** What finding and reading needs to know of the workspace. */
export interface Place extends Ground {
  /** The names under which the root is known: as given, and without links. */
  readonly roots: readonly string[];
  /** Bytes. */
  readonly maxFile: number;
  readonly unprotect: readonly string[];
}

/** See `Workspace.resolve`. */
export function resolvePath(place: Place, given: string, purpose: 'read' | 'write'): string | Refusal {
  const path = canonical(given, place.roots);
  if (isRefusal(path)) return path;
  const resolved = linkless(place, path);
  if (isRefusal(resolved)) return resolved;
  for (const each of path === resolved ? [path] : [path, resolved]) {
    const name = purpose === 'write' ? protectedName(each, place.unprotect) : stateName(each);
    if (name !== undefined) return protectedRefusal(each, name);
  }
  return resolved;
}

/** See `Workspace.look`. */
export async function look(place: Place, given: string): Promise<Looked | Refusal> {
  const path = canonical(given, place.roots);
  if (isRefusal(path)) return path;
  const trail = new Trail(place);
  try {
    return await seen(place, trail, path);
  } catch (error) {
    const no = refusalOf(error);
    if (no === undefined) throw error;
    return no;
  } finally {
    trail.close();
  }
}

async function seen(place: Place, trail: Trail, path: string): Promise<Looked | Refusal> {
  if (isState(path)) return protectedRefusal(path, STATE_FOLDER);
  const found = openAt(trail, path);
  switch (found.kind) {
    case 'missing':
      return { kind: 'none', path };
    case 'special':
      return refuse('INVALID', `${path} is a pipe, a device or a socket.`, 'Read a regular file or a folder.', {
        path,
      });
    case 'folder':
      closeSync(found.fd);
      return listed(trail, path);
    case 'file':
      return whole(place, path, found);
    case 'link': {
      const resolved = follow(trail, path, place.roots);
      if (isRefusal(resolved)) return resolved;
      // A path that comes out of the resolution with a link in it was swapped in the same instant.
      if (resolved === path) return refuse('BUSY', `${path} is being replaced right now.`, 'Call again.', { path });
      return seen(place, trail, resolved);
    }
  }
}

/** Opens what a canonical path names, through its folders. */
export function openAt(trail: Trail, path: string): Opened {
  const parts = partsOf(path);
  const base = trail.enter(parts.slice(0, -1));
  if (typeof base === 'string') return openFile(`${base}/${parts.at(-1) ?? '.'}`);
  return base.why === 'link' ? { kind: 'link' } : { kind: 'missing' };
}

async function whole(place: Place, path: string, found: { fd: number; stat: BigIntStats }): Promise<Looked | Refusal> {
  const { fd, stat } = found;
  try {
    const size = Number(stat.size);
    const read = await readHashed(fd, size, place.maxFile);
    if (read === undefined) return tooLarge(path, size, place.maxFile);
    return {
      kind: 'file',
      file: {
        path,
        version: read.hash,
        bytes: read.bytes,
        mode: Number(stat.mode) & PERMISSIONS,
        changed: Number(stat.ctimeMs),
      },
    };
  } finally {
    closeSync(fd);
  }
}

function listed(trail: Trail, path: string): Looked {
  const base = trail.enter(partsOf(path));
  // Gone since it was opened.
  if (typeof base !== 'string') return { kind: 'none', path };
  const shown = readdirSync(`${base}/.`, { withFileTypes: true })
    .filter(({ name }) => name !== '.git' && name !== STATE_FOLDER && !isTemp(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  let sized = 0;
  const entries = shown.map((entry): ListEntry => {
    if (entry.isDirectory()) return { name: entry.name, kind: 'folder' };
    if (entry.isSymbolicLink()) return { name: entry.name, kind: 'link' };
    if (!entry.isFile()) return { name: entry.name, kind: 'other' };
    sized += 1;
    const size = sized > MAX_SIZED ? undefined : ifThere(() => lstatSync(`${base}/${entry.name}`).size);
    return { name: entry.name, kind: 'file', ...(size === undefined ? {} : { size }) };
  });
  return { kind: 'folder', path, entries };
}

function linkless(place: Place, path: string): string | Refusal {
  try {
    return walking(place, (trail) => (isPlain(trail, path) ? path : follow(trail, path, place.roots)));
  } catch (error) {
    const no = refusalOf(error);
    if (no === undefined) throw error;
    return no;
  }
}

/** Whether nothing on the way is a link, which is nearly always so. */
function isPlain(trail: Trail, path: string): boolean {
  const parts = partsOf(path);
  const base = trail.enter(parts.slice(0, -1));
  if (typeof base !== 'string') return base.why !== 'link';
  return !lstatSync(`${base}/${parts.at(-1) ?? '.'}`, { throwIfNoEntry: false })?.isSymbolicLink();
}

function stateName(path: string): string | undefined {
  return isState(path) ? STATE_FOLDER : undefined;
}

export function tooLarge(path: string, size: number, limit: number): Refusal {
  return refuse(
    'LIMIT',
    `${path} is larger than ${limit} bytes.`,
    'Look at a part of it with `run` (head, tail, grep).',
    {
      path,
      size,
      limit,
    },
  );
}
