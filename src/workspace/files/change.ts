import type { FileChange } from '../../domain/event.js';
import type { Content, IntentFile } from '../../domain/intent.js';
import type { Hash } from '../../domain/scope.js';
import type { Prepared } from '../workspace.js';
import type { Mark } from './bytes.js';
import { partsOf } from './paths.js';
import { tempName } from './temps.js';

/** Where a former file is kept. */
export interface Kept {
  readonly folder: readonly string[];
  readonly name: string;
}

/** One path of a change: what was found there, and what lies ready to replace it. */
export interface Target {
  readonly path: string;
  readonly folder: readonly string[];
  readonly name: string;
  /** Names the new content while it waits and the former one while it is kept. */
  readonly id: string;
  /** How many folders lead to the new content: fewer than to the target where folders are missing. */
  readonly tempDepth: number;
  readonly before: Hash | null;
  readonly after: Hash | null;
  readonly beforeMode: number | null;
  readonly afterMode: number | null;
  /** What the disk said of the former file when its hash was taken. */
  mark: Mark | undefined;
  /** Where the former file went; set by the renames. */
  kept?: Kept;
}

/** A prepared change, with what only this room needs to know of it. */
export class Change implements Prepared {
  readonly files: readonly IntentFile[];
  readonly changes: readonly FileChange[];

  constructor(
    /** Deletions first, so that a folder may take the place of a file; then by path, so that neighbours share a walk. */
    readonly targets: readonly Target[],
    readonly contents: readonly Content[],
  ) {
    this.files = targets.map(intentFile);
    this.changes = targets.map(({ path, before, after, beforeMode, afterMode }) => ({
      path,
      before,
      after,
      ...(afterMode === null ? {} : { mode: afterMode }),
      ...(beforeMode === null || beforeMode === afterMode ? {} : { was: beforeMode }),
    }));
  }

  static of(prepared: Prepared): Change {
    if (prepared instanceof Change) return prepared;
    throw new Error('this change was not prepared here');
  }
}

export function located(path: string): { folder: readonly string[]; name: string } {
  const parts = partsOf(path);
  return { folder: parts.slice(0, -1), name: parts.at(-1) ?? '' };
}

export function tempFolder(target: Pick<Target, 'folder' | 'tempDepth'>): readonly string[] {
  return target.tempDepth === target.folder.length ? target.folder : target.folder.slice(0, target.tempDepth);
}

/**
 * `temp` tells recovery three things: where the new content waits (for a deletion: where it would), the id of the kept
 * file, and which folders the change creates, namely those between the one of `temp` and the target.
 */
function intentFile(target: Target): IntentFile {
  const { path, before, after, beforeMode, afterMode } = target;
  return { path, before, after, beforeMode, afterMode, temp: [...tempFolder(target), tempName(target.id)].join('/') };
}
