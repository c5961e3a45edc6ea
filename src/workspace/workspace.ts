import type { FileChange } from '../domain/event.js';
import { LARGEST_FILE, MOST_FILES } from '../domain/file-limits.js';
import type { Content, IntentFile } from '../domain/intent.js';
import type { Refusal } from '../domain/refusal.js';
import type { Hash } from '../domain/scope.js';
import type { LateEdit } from './files/finish.js';
import type { Swept } from './files/sweep.js';

/** A file as it was read: its bytes, their hash and what the disk said of it. */
export interface Snapshot {
  /** Relative to the root, canonical, with links inside the root resolved. */
  readonly path: string;
  readonly version: Hash;
  readonly bytes: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  /** When the disk last changed the file or what it says of it: wall time in milliseconds. */
  readonly changed: number;
}

export interface ListEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly size?: number;
}

export type Looked =
  | { readonly kind: 'file'; readonly file: Snapshot }
  | { readonly kind: 'folder'; readonly path: string; readonly entries: readonly ListEntry[] }
  | { readonly kind: 'none'; readonly path: string };

/** What a path shall become. `bytes: null` deletes it. `base` is the version that the change was made from; null: no file. */
export interface Wanted {
  readonly path: string;
  readonly bytes: Uint8Array | null;
  readonly base: Hash | null;
  /** Permission bits; those of the base, or 0644, where left out. */
  readonly mode?: number;
}

/** New contents lying beside their targets, ready to be renamed. */
export interface Prepared {
  readonly files: readonly IntentFile[];
  /** New and former contents. */
  readonly contents: readonly Content[];
  readonly changes: readonly FileChange[];
}

/** A path whose file is not the version expected. `found` is null where there is no regular file within the limits. */
export interface Moved {
  readonly path: string;
  readonly expected: Hash | null;
  readonly found: Hash | null;
}

/** A piece of scratch that takes its place in the tree, or goes. */
export interface Move {
  readonly path: string;
  readonly folder: boolean;
  /** Where it lies now, below `.signalbox/`, from the root; null: what is at the path goes. */
  readonly from: string | null;
  /** A folder below `.signalbox/`, from the root, that takes what goes. */
  readonly aside: string;
}

/** `folder`: both are folders, so nothing was moved yet: what is in it has to be, piece by piece. */
export type MovedOver = 'done' | 'folder' | Refusal;

/** How a change is prepared whose paths nobody has chosen one by one. */
export interface Preparing {
  /** Files, where they may be more than the workspace's own limit. */
  readonly most?: number;
  /** Is told of each path that cannot be changed, and why; without it, the first one is all that is told. */
  readonly unfit?: (path: string, why: Refusal) => void;
}

/** Limits of the files that Signalbox handles. */
export interface FileSettings {
  /** Bytes of one file. */
  readonly maxFile: number;
  /** Files of one change. */
  readonly maxFiles: number;
  /** Protected paths that agents may write all the same, with all that lies below them. */
  readonly unprotect: readonly string[];
  /** Walks by path even where descriptors would do; found out where left out. */
  readonly weak?: boolean;
}

export const FILE_SETTINGS: FileSettings = { maxFile: LARGEST_FILE, maxFiles: MOST_FILES, unprotect: [] };

/** The files of one workspace. Nothing here reads or writes outside the root, whatever links do meanwhile. */
export interface Workspace {
  readonly root: string;
  /** Whether the disk takes `A` and `a` for the same name. */
  readonly folds: boolean;
  /** Whether folders are reached by path, because this system knows no way through their descriptors: a swap in the instant of a call is then not noticed. */
  readonly weak: boolean;
  /** A path as an agent gave it → canonical path inside the root, links resolved; the root is `.`. Refuses OUTSIDE, PROTECTED (when `write`, and `.signalbox` always), INVALID. */
  resolve(path: string, purpose: 'read' | 'write'): Promise<string | Refusal>;
  /** Whether a resolved path is a folder now. */
  isFolder(path: string): boolean;
  /** Where nothing is at a resolved path: when the folder around it, or the nearest one that is there, last changed. Wall time in milliseconds. */
  changedAround(path: string): number | undefined;
  /** Folders with one of these names, near the root first, none inside another one; not those that lie deep, nor all in a very wide tree. */
  named(names: ReadonlySet<string>): readonly string[];
  /** Makes a folder where there is nothing; false where there is something, or the folder around it is not there. */
  makeFolder(path: string): boolean;
  /** Removes a folder if nothing is in it. */
  dropEmpty(path: string): void;
  /** Reads a file or lists a folder. Refuses FIFOs, devices and sockets at once, and files above `maxFile` with LIMIT. */
  look(path: string): Promise<Looked | Refusal>;
  /**
   * Writes the new contents to temporary files in the target folders. No lock is held yet. Paths are resolved ones.
   * Refuses STALE_BASE (its fact `moved` lists what `verify` would), LIMIT, INVALID, OUTSIDE, PROTECTED, BLOCKED, and
   * UNAVAILABLE where the disk is full; nothing is left behind then.
   */
  prepare(wanted: readonly Wanted[], how?: Preparing): Promise<Prepared | Refusal>;
  /** Under the write lock: which paths are no longer at their base. Synchronous. */
  verify(prepared: Prepared): readonly Moved[];
  /** Under the write lock, after `verify` and `mark`: the renames. Synchronous; throws `Denied` where the disk refuses, and `Overtaken` where somebody saved since `verify`. What was renamed must be undone then. */
  apply(prepared: Prepared): void;
  /**
   * After COMMIT: syncs the files and folders, then looks at the former files, at once and 2 s later, for a save that came
   * in between. `late` tells whether it is stored now; if not, the former file stays, and a sweep names it.
   */
  finish(prepared: Prepared, late: (edit: LateEdit) => Promise<boolean>): Promise<void>;
  /** Removes the temporary files of a change that was not made. */
  discard(prepared: Prepared): Promise<void>;
  /**
   * Under the write lock: each piece by one rename, without a look at contents, never through a link, and never over
   * something of another kind. Done again, it changes nothing. Synchronous. Refuses INVALID, OUTSIDE, PROTECTED, BLOCKED,
   * UNAVAILABLE and BUSY, each for itself.
   */
  moveOver(moves: readonly Move[]): readonly MovedOver[];
  /** What a folder that is to be moved consists of. */
  piecesOf(move: Move): readonly Move[];
  /** Removes what killed processes left behind an hour ago or earlier. */
  sweep(): Promise<Swept>;
  /** Ends the waits of `finish` early and resolves when its work is done: for closing. */
  flush(): Promise<void>;
}
