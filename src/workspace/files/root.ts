import { type Dirent, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type Refusal, refuse } from '../../domain/refusal.js';
import { errno } from './errno.js';
import { STATE_FOLDER } from './temps.js';

const SKIPPED = new Set(['.git', 'node_modules', STATE_FOLDER]);
const DEPTH_BELOW = 2;

/**
 * The root of the workspace that a folder lies in: the nearest ancestor with `.signalbox/`, else the git top level, else
 * the folder itself. A linked worktree and a submodule are workspaces of their own. Absolute, without links.
 *
 * Refuses UNAVAILABLE where a second database lies above or below: two of them would each lock the same files.
 */
export function findRoot(from: string): string | Refusal {
  const start = folderAt(from);
  if (start === undefined)
    return refuse('NOT_FOUND', `${from} is not a folder.`, 'Start in the folder of the project.', { path: from });
  const above = ancestors(start);
  const guarded = above.filter((folder) => isFolder(join(folder, STATE_FOLDER)));
  const top = above.find((folder) => lstatSync(join(folder, '.git'), { throwIfNoEntry: false }) !== undefined);
  const root = nearest(guarded[0], top) ?? start;
  if (dirname(root) === root)
    return refuse('UNAVAILABLE', 'The whole disk cannot be a workspace.', 'Start in the folder of the project.', {
      root,
    });
  const second = guarded.find((folder) => folder !== root) ?? below(root, DEPTH_BELOW);
  if (second === undefined) return root;
  return refuse(
    'UNAVAILABLE',
    `${root} and ${second} would guard the same files, each with its own ${STATE_FOLDER}/.`,
    `Start in ${second}, or remove ${join(second, STATE_FOLDER)} when no Signalbox uses it.`,
    { root, second },
  );
}

/** What whoever stands in `from` calls the root: a name that may lead through links. */
export function nameOfRoot(from: string, root: string): string {
  const given = resolve(from);
  const below = relative(root, realpathSync(given));
  const name = given.endsWith(`/${below}`) ? given.slice(0, -below.length - 1) : given;
  return realpathSync(name) === root ? name : root;
}

/** The deeper of the two. Both are ancestors of one folder, so the longer one is. */
function nearest(guarded: string | undefined, top: string | undefined): string | undefined {
  if (guarded === undefined || top === undefined) return guarded ?? top;
  return top.length > guarded.length ? top : guarded;
}

function ancestors(start: string): string[] {
  const found = [start];
  for (let here = start; dirname(here) !== here; here = dirname(here)) found.push(dirname(here));
  return found;
}

function below(folder: string, depth: number): string | undefined {
  for (const entry of foldersIn(folder)) {
    const path = join(folder, entry.name);
    if (isFolder(join(path, STATE_FOLDER))) return path;
    const deeper = depth > 1 ? below(path, depth - 1) : undefined;
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

function foldersIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && !SKIPPED.has(entry.name),
    );
  } catch (error) {
    if (errno(error) === 'EACCES' || errno(error) === 'EPERM' || errno(error) === 'ENOENT') return [];
    throw error;
  }
}

function folderAt(path: string): string | undefined {
  try {
    const real = realpathSync(resolve(path));
    return isFolder(real) ? real : undefined;
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
