import { isRefusal, type Refusal } from '../../domain/refusal.js';
import type { Hash } from '../../domain/scope.js';
import { invalid, type Operation } from './operation.js';

/** A file as it is now. */
export interface Present {
  readonly bytes: Uint8Array;
  readonly version: Hash;
}

/** Every path that the operations name, with its file; null where there is none. */
export type PresentFiles = ReadonlyMap<string, Present | null>;

export function presentAt(files: PresentFiles, path: string): Present | null {
  const present = files.get(path);
  if (present === undefined) throw new Error(`nobody looked whether ${path} exists`);
  return present;
}

export function isStale(base: string, present: Present): boolean {
  return !present.version.startsWith(base);
}

/**
 * Which version the operations take each present file to be, by the file's path. All edits of one file were made from
 * one version: a base that is given with one of them holds for the others, and two different ones are INVALID.
 */
export function basesOf(operations: readonly Operation[], files: PresentFiles): Map<string, string> | Refusal {
  const bases = new Map<string, string>();
  // Under which name each present file stands while the operations go on; null: none that was there before.
  const names = new Map<string, string | null>();
  const nameOf = (path: string): string | null => {
    const name = names.get(path);
    return name === undefined ? presentAt(files, path) && path : name;
  };
  for (const operation of operations) {
    const { path, moveTo, base } = operation;
    const file = nameOf(path);
    // A move over a file needs the base of the file that disappears.
    const subject = (moveTo === undefined ? null : nameOf(moveTo)) ?? file;
    if (base !== undefined && subject !== null) {
      const known = bases.get(subject) ?? base;
      if (!known.startsWith(base) && !base.startsWith(known)) return twoBases(operation, known, base);
      bases.set(subject, base.length > known.length ? base : known);
    }
    if (operation.delete === true || moveTo !== undefined) names.set(path, null);
    if (moveTo !== undefined) names.set(moveTo, file);
  }
  return bases;
}

function twoBases({ source, path }: Operation, known: string, base: string): Refusal {
  const next = 'Read the file and make all edits of it from that one version.';
  return invalid(source, {
    path,
    argument: 'base',
    expected: `${known}, as in an earlier edit of this file`,
    got: base,
    next,
  });
}

/**
 * The versions that edits were made from and that are not the present ones: `outcomes` wants their contents, so that
 * it can rebase the edits, or show what changed.
 */
export function staleBases(
  operations: readonly Operation[],
  files: PresentFiles,
): { readonly path: string; readonly base: string }[] {
  const bases = basesOf(operations, files);
  if (isRefusal(bases)) return [];
  return [...bases].flatMap(([path, base]) => {
    const present = presentAt(files, path);
    return present !== null && isStale(base, present) ? [{ path, base }] : [];
  });
}
