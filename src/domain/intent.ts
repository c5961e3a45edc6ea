import type { Hash, ScopeId } from './scope.js';

/** Names what is not through yet: an effect whose files are not synced, or a publication. */
export type IntentId = number;

/** One path of an intent. Contents are found by hash. `temp` is where the new content waits, relative to the root. */
export interface IntentFile {
  readonly path: string;
  readonly before: Hash | null;
  readonly after: Hash | null;
  readonly beforeMode: number | null;
  readonly afterMode: number | null;
  readonly temp?: string;
}

/** An effect on files, as whoever puts them right after a crash is told of it. */
export interface Intent {
  readonly files: readonly IntentFile[];
  /** Whether the machine went down since: then the new files may be lost, though their names are there. */
  readonly rebooted: boolean;
}

/** A built commit and the ref that shall move to it: `HEAD` or a branch. `former`: where the ref stands until then. */
export interface PlannedCommit {
  readonly ref: string;
  readonly former: string | null;
  readonly commit: string;
}

/** A publication that is about to make a commit, on record before it. */
export interface Publication {
  readonly scope: ScopeId;
  readonly commit: PlannedCommit & {
    /** The event of the last change that the commit holds. */
    readonly through?: number;
    /** Names the process that publishes, so that others can tell whether it still does. */
    readonly maker?: string;
  };
}

export interface StoredPublication extends Publication {
  readonly id: IntentId;
}

export interface Content {
  readonly hash: Hash;
  readonly bytes: Uint8Array;
}

/** One path that one event changed, as the table of changes keeps it. */
export interface ChangeRow {
  readonly seq: number;
  /** Null for an edit from outside. */
  readonly scope: ScopeId | null;
  readonly path: string;
  readonly before: Hash | null;
  readonly after: Hash | null;
  readonly mode: number | null;
}
