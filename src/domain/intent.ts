import type { Hash, ScopeId } from './scope.js';

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

/** A built commit and the ref that shall move to it: `HEAD` or a branch. `former`: where the ref stands until then. */
export interface PlannedCommit {
  readonly ref: string;
  readonly former: string | null;
  readonly commit: string;
}

/** The log of one effect on files, or of the commit of a publication, recorded before it. */
export interface Intent {
  readonly scope?: ScopeId;
  readonly files: readonly IntentFile[];
  readonly commit?: PlannedCommit & {
    /** The event of the last change that the commit holds. */
    readonly through?: number;
    /** Names the process that publishes, so that others can tell whether it still does. */
    readonly maker?: string;
  };
}

export interface StoredIntent extends Intent {
  readonly id: IntentId;
  /** `applied` once its events are committed. Its row goes when its files are synced too. */
  readonly state: 'pending' | 'applied';
  /** The boot of the machine in which it was recorded. */
  readonly boot: string;
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
