import type { Hash } from './scope.js';

/** A file that a command removed, as it stands in the tree. */
export interface Removal {
  readonly path: string;
  readonly hash: Hash;
}

/** Something that a command wrote and that is not kept. */
export interface Loss {
  readonly path: string;
  /** Of what it holds, where that is known. */
  readonly hash?: Hash;
}

/**
 * Which removals have to be left undone, each with the lost path that is the reason: a file whose bytes went to a place
 * that is not kept would be gone from the tree, and so would one whose place was taken by something that is not kept.
 *
 * @param kept what is kept of what the command wrote.
 */
export function heldBack(
  removals: readonly Removal[],
  losses: readonly Loss[],
  kept: readonly string[],
): ReadonlyMap<string, string> {
  const lost = new Set(losses.map(({ path }) => path));
  const byHash = new Map(losses.flatMap(({ path, hash }) => (hash === undefined ? [] : [[hash, path]])));
  const above = new Map(losses.flatMap(({ path }) => foldersOf(path).map((folder) => [folder, path])));
  // Something is kept below: then the file has to make room.
  for (const path of kept) for (const folder of foldersOf(path)) above.delete(folder);
  const found = new Map<string, string>();
  for (const { path, hash } of removals) {
    const reason = byHash.get(hash) ?? foldersOf(path).find((folder) => lost.has(folder)) ?? above.get(path);
    if (reason !== undefined) found.set(path, reason);
  }
  return found;
}

function foldersOf(path: string): string[] {
  const names = path.split('/');
  return names.slice(1).map((_, at) => names.slice(0, at + 1).join('/'));
}
