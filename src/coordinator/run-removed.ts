import type { Written } from '../processes/runner.js';
import type { Parts } from './parts.js';

interface Began {
  readonly since: number;
  readonly began: number;
  readonly written: readonly Written[];
}

/**
 * Files that a command wrote and that somebody removed meanwhile, around Signalbox: they were there before, are not now,
 * something was done in their folder since the command began, and no change on record says so.
 */
export async function removedMeanwhile(
  parts: Parts,
  { since, began, written }: Began,
  paths: readonly string[],
): Promise<ReadonlySet<string>> {
  const files = new Set(written.filter(({ kind }) => kind === 'file').map(({ path }) => path));
  const absent = paths.filter((path) => files.has(path) && (parts.workspace.changedAround(path) ?? 0) > began);
  const unrecorded: string[] = [];
  for (const path of absent) {
    const [first] = await parts.store.changes({ path, after: since, limit: 1 });
    if (first === undefined) unrecorded.push(path);
  }
  if (unrecorded.length === 0) return new Set();
  const known = await parts.store.view({ paths: unrecorded }, (view) =>
    unrecorded.map((path) => [path, view.file(path)?.hash] as const),
  );
  const unknown = known.flatMap(([path, hash]) => (hash === undefined ? [path] : []));
  const versioned = (await parts.git?.tracked(unknown)) ?? new Set<string>();
  const wereThere = known.filter(([path, hash]) => (hash === undefined ? versioned.has(path) : hash !== null));
  return new Set(wereThere.map(([path]) => path));
}
