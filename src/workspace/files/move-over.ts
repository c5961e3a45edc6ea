import { lstatSync, readdirSync, renameSync, type Stats } from 'node:fs';
import { type Refusal, refuse } from '../../domain/refusal.js';
import type { Move, MovedOver } from '../workspace.js';
import { located } from './change.js';
import { errno, refusalOf } from './errno.js';
import type { Place } from './look.js';
import { canonical, outside, partsOf } from './paths.js';
import { protectedName, protectedRefusal } from './protected.js';
import { newId } from './temps.js';
import { Trail } from './walk.js';

/** See `Workspace.moveOver`. */
export function moveOver(place: Place, moves: readonly Move[]): readonly MovedOver[] {
  const trails = { to: new Trail(place), from: new Trail(place), aside: new Trail(place) };
  try {
    return moves.map((move) => unfit(place, move) ?? moved(trails, move));
  } finally {
    for (const trail of Object.values(trails)) trail.close();
  }
}

/** See `Workspace.piecesOf`. */
export function piecesOf(place: Place, move: Move): readonly Move[] {
  const { path, from } = move;
  if (from === null) return [];
  const trail = new Trail(place);
  try {
    const base = trail.enter(partsOf(from));
    if (typeof base !== 'string') return [];
    return readdirSync(`${base}/.`).map((name) => ({ ...move, path: `${path}/${name}`, from: `${from}/${name}` }));
  } finally {
    trail.close();
  }
}

interface Trails {
  readonly to: Trail;
  readonly from: Trail;
  readonly aside: Trail;
}

function unfit(place: Place, { path }: Move): Refusal | undefined {
  const same = canonical(path, place.roots);
  if (typeof same !== 'string') return same;
  if (same !== path || path === '.') return invalid(path, 'is not the canonical path of something below the root');
  const name = protectedName(path, place.unprotect);
  return name === undefined ? undefined : protectedRefusal(path, name);
}

function moved(trails: Trails, move: Move): MovedOver {
  const { path, from } = move;
  const { folder, name } = located(path);
  try {
    const base = trails.to.enter(folder, from !== null);
    if (typeof base !== 'string') {
      if (base.why === 'link') return outside(path);
      return from === null
        ? 'done'
        : invalid(path, `cannot be: ${folder.slice(0, base.depth + 1).join('/')} is a file`);
    }
    return from === null ? removed(trails, `${base}/${name}`, move) : put(trails, `${base}/${name}`, move, from);
  } catch (error) {
    return refusedMove(path, error);
  }
}

/** What goes is put aside: a rename, however much lies below. */
function removed({ aside }: Trails, at: string, { path, folder, aside: into }: Move): MovedOver {
  const present = statusOf(at);
  if (present === undefined) return 'done';
  if (present.isDirectory() !== folder) return otherwise(path);
  const base = aside.enter(partsOf(into), true);
  if (typeof base !== 'string') throw new Error(`${into} is not a folder`);
  renameSync(at, `${base}/${newId()}`);
  return 'done';
}

function put({ from: trail }: Trails, at: string, { path }: Move, from: string): MovedOver {
  const source = located(from);
  const base = trail.enter(source.folder);
  const mine = typeof base === 'string' ? statusOf(`${base}/${source.name}`) : undefined;
  // An earlier server moved it, and was killed before it could say so.
  if (typeof base !== 'string' || mine === undefined) return 'done';
  const present = statusOf(at);
  if (present?.isDirectory() && mine.isDirectory()) return 'folder';
  if (present !== undefined && present.isDirectory() !== mine.isDirectory()) return otherwise(path);
  renameSync(`${base}/${source.name}`, at);
  return 'done';
}

const statusOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

function refusedMove(path: string, error: unknown): MovedOver {
  switch (errno(error)) {
    // A folder has appeared there in this very instant.
    case 'ENOTEMPTY':
    case 'EEXIST':
      return 'folder';
    case 'EISDIR':
      return otherwise(path);
    case 'EBUSY':
      return refuse('BLOCKED', `${path} is in use as a mount point.`, 'Empty it instead of removing it.', { path });
    case 'EXDEV':
      return refuse(
        'BLOCKED',
        `${path} lies on another disk than .signalbox/, so it can not be moved there.`,
        'Make that folder first, ignored by git under the name of a dependency folder or a cache: then commands write to it directly.',
        { path },
      );
    default: {
      const no = refusalOf(error);
      if (no === undefined) throw error;
      return no;
    }
  }
}

function otherwise(path: string): Refusal {
  return invalid(path, 'became something else, a folder or a file, while the command ran');
}

function invalid(path: string, what: string): Refusal {
  return refuse('INVALID', `${path} ${what}.`, 'Look at it and run the command again.', { path });
}
