import { type Json, type Refusal, refuse } from '../../domain/refusal.js';
import type { Hunk } from './hunk.js';

/** What happens to the text of a file. `hunks` without any hunk leaves it as it is. */
export type TextChange =
  | { readonly kind: 'replace'; readonly old: string; readonly new: string; readonly all: boolean }
  | { readonly kind: 'hunks'; readonly hunks: readonly Hunk[] }
  | { readonly kind: 'content'; readonly text: string };

/** Where an operation was given, for the words of a refusal. Numbers from 1. */
export type Source = { readonly edit: number } | { readonly diffLine: number };

/**
 * One step of a patch on one file: edits and both kinds of diff come down to it. The text changes first; then the
 * file is deleted or moved. A deletion with hunks demands that they take away all that the file holds.
 */
export interface Operation {
  readonly source: Source;
  readonly path: string;
  readonly change?: TextChange;
  readonly delete?: true;
  readonly moveTo?: string;
  /** First characters, ten or more, of the version that the change was made from. */
  readonly base?: string;
}

/** Every path that the operations read or write, once each: both sides of a move. */
export function pathsOf(operations: readonly Operation[]): string[] {
  return [...new Set(operations.flatMap(({ path, moveTo }) => (moveTo === undefined ? [path] : [path, moveTo])))];
}

/** The same operations with each path as `canonical` names it; throws for a path that it leaves out. */
export function withPaths(operations: readonly Operation[], canonical: ReadonlyMap<string, string>): Operation[] {
  const named = (path: string): string => {
    const name = canonical.get(path);
    if (name === undefined) throw new Error(`no canonical path for ${path}`);
    return name;
  };
  return operations.map((operation) => ({
    ...operation,
    path: named(operation.path),
    ...(operation.moveTo === undefined ? {} : { moveTo: named(operation.moveTo) }),
  }));
}

/** `edit 2` or `line 14 of the diff`. */
export function placeOf(source: Source): string {
  return 'edit' in source ? `edit ${source.edit}` : `line ${source.diffLine} of the diff`;
}

export function sourceFacts(source: Source): { readonly [key: string]: Json } {
  return 'edit' in source ? { edit: source.edit } : { diff_line: source.diffLine };
}

export interface Wrong {
  readonly argument: string;
  readonly expected: string;
  readonly got: string;
  readonly next: string;
  readonly path?: string;
}

/** INVALID, naming the argument, what was expected and what came. */
export function invalid(source: Source, wrong: Wrong): Refusal {
  const { argument, expected, got, next, path } = wrong;
  const where = path === undefined ? placeOf(source) : `${placeOf(source)} (${path})`;
  return refuse('INVALID', `${argument} in ${where}: expected ${expected}, got ${got}.`, next, {
    ...sourceFacts(source),
    ...(path === undefined ? {} : { path }),
    argument,
    expected,
    got,
  });
}
