import type { Containment } from '../processes/runner.js';
import type { Git } from '../workspace/git/git.js';
import type { NamedProcess, Parts } from './parts.js';
import type { Spec } from './run-spec.js';
import { clears, ownerInside, ownScratch, scratchFolders } from './scratch.js';

/** Mounts are made for each. */
const MOST = 100;

/** What tools make, by their usual settings, in the folder that they are started in. Empty, it disturbs none of them. */
const OUTPUTS = [
  'node_modules',
  'dist',
  'build',
  'out',
  'coverage',
  '.next',
  '.nuxt',
  '.svelte-kit',
  '.turbo',
  '.cache',
  '.parcel-cache',
];

interface Asked extends Pick<Spec, 'command' | 'cwd'> {
  readonly named: NamedProcess | undefined;
  readonly containment: Containment;
  /** Claimed folders. */
  readonly writable: readonly string[];
  /** Named processes that are held. */
  readonly held: ReadonlySet<string>;
  /** Dependency folders and caches that are there. */
  readonly caches: readonly string[];
}

/** Where a command writes directly. */
export interface RunScratch {
  readonly folders: readonly string[];
  /** Claimed folders, and scratch that its process owns. */
  readonly writable: readonly string[];
  /** Removes what was made for the command and is still empty. */
  drop(): void;
}

/**
 * In a layer, scratch is captured: only dependency folders and caches are written directly, for speed. On the live tree,
 * which is read-only but for scratch and what is claimed, all scratch folders are; one that is not there could not be
 * made, so the usual ones are, and those that its process owns.
 */
export async function scratchFor(parts: Parts, asked: Asked): Promise<RunScratch> {
  const { command, containment, named, writable, caches } = asked;
  if (containment === 'transactional')
    return { folders: caches.filter((path) => !clears(command, path)), writable, drop: () => undefined };
  const owned = await ownScratch(parts, named);
  const all = [...new Set([...writable, ...owned.map((folder) => `${folder}/`)])];
  if (containment === 'none' || parts.git === undefined)
    return { folders: [...caches, ...owned], writable: all, drop: () => undefined };
  // Where it has claimed a folder, it makes and removes scratch as it likes.
  const isClaimed = (path: string): boolean => all.some((unit) => unit === './' || `${path}/`.startsWith(unit));
  const isFree = (path: string): boolean => !isClaimed(path) && ownerInside(parts, asked.held, path) === undefined;
  const [usual, present] = [
    await usualFolders(parts, asked.cwd, isFree),
    await presentFolders(parts, parts.git, isFree),
  ];
  // Last: what is made here is removed by `drop` alone.
  const made = usual.filter((path) => parts.workspace.makeFolder(path));
  return {
    folders: [...new Set([...caches, ...owned, ...made, ...present])].slice(0, MOST),
    writable: all,
    drop: () => {
      for (const path of made) parts.workspace.dropEmpty(path);
    },
  };
}

async function usualFolders(parts: Parts, cwd: string, isFree: (path: string) => boolean): Promise<string[]> {
  const folders = [...new Set(['.', cwd])];
  const wanted = folders.flatMap((folder) => OUTPUTS.map((name) => (folder === '.' ? name : `${folder}/${name}`)));
  return scratchFolders(parts, wanted.filter(isFree));
}

async function presentFolders(parts: Parts, git: Git, isFree: (path: string) => boolean): Promise<string[]> {
  const entries = (await git.ignoredEntries())
    .filter((entry) => entry.endsWith('/'))
    .map((entry) => entry.slice(0, -1));
  const found: string[] = [];
  for (const path of await scratchFolders(parts, entries.filter(isFree))) {
    // Not what is protected, nor a name that leads elsewhere.
    if (found.length < MOST && (await parts.workspace.resolve(path, 'write')) === path) found.push(path);
  }
  return found;
}
