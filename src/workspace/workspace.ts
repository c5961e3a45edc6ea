import type { FileChange } from '../domain/event.js';
import type { Refusal } from '../domain/refusal.js';
import type { Hash } from '../domain/scope.js';
import type { Content, IntentFile } from '../domain/intent.js';

/** A file as it was read: its bytes, their hash and what the disk said of it. */
export interface Snapshot {
  /** Relative to the root, canonical, with links inside the root resolved. */
  readonly path: string;
  readonly version: Hash;
  readonly bytes: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
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
  /** New and former contents, for the intent. */
  readonly contents: readonly Content[];
  readonly changes: readonly FileChange[];
}

/** A path whose file is not the version that the change was prepared on. */
export interface Moved {
  readonly path: string;
  readonly expected: Hash | null;
  readonly found: Hash | null;
}

/** The files of one workspace. Nothing here reads or writes outside the root, whatever links do meanwhile. */
export interface Workspace {
  readonly root: string;
  /** Whether the disk takes `A` and `a` for the same name. */
  readonly folds: boolean;
  /** A path as an agent gave it → canonical path inside the root, links resolved. Refuses OUTSIDE, PROTECTED (when `write`), INVALID. */
  resolve(path: string, purpose: 'read' | 'write'): Promise<string | Refusal>;
  /** Reads a file or lists a folder. Refuses FIFOs, devices and sockets at once, and files above `maxFile` with LIMIT. */
  look(path: string): Promise<Looked | Refusal>;
  /** Writes the new contents to temporary files in the target folders. No lock is held yet. */
  prepare(wanted: readonly Wanted[]): Promise<Prepared | Refusal>;
  /** Under the write lock: which paths are no longer at their base. Synchronous. */
  verify(prepared: Prepared): readonly Moved[];
  /** Under the write lock, after `verify` and the marker: the renames. Synchronous; throws where the disk refuses. */
  apply(prepared: Prepared): void;
  /** After COMMIT: syncs the files and folders, then looks at the former files for a save that came in between. */
  finish(prepared: Prepared, late: (edit: { path: string; bytes: Uint8Array; mode: number }) => void): Promise<void>;
  /** Removes the temporary files of a change that was not made. */
  discard(prepared: Prepared): Promise<void>;
}
