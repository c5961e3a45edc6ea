import type { Hash, Scope, ScopeId } from './scope.js';
import type { Settings } from './settings.js';
import type { State } from './state.js';

/** Signs of life of one connection or waiting claim, in lock time. Read in every transaction, never cached. */
export interface Life {
  /** The last beat. */
  readonly seen: number;
  /** The last call. */
  readonly called: number;
  /** When the connection ended, if it said so. */
  readonly ended?: number;
}

/** What the ledger knows of a path that Signalbox has touched. */
export interface FileRecord {
  readonly path: string;
  readonly hash: Hash | null;
  readonly mode: number;
  /** The scope that made this version; undefined for an edit from outside. */
  readonly scope?: ScopeId;
  readonly seq: number;
}

/** All that a rule may look at. */
export interface View {
  readonly state: State;
  /** Lock time, in milliseconds. */
  readonly now: number;
  readonly settings: Settings;
  /** By connection, and by `ticket:<scope>` for a claim that waits or has not been collected. */
  life(key: string): Life | undefined;
  /** Only paths that the transaction asked for. */
  file(path: string): FileRecord | undefined;
  /** A live scope, or an ended one that the transaction asked for. */
  scope(id: ScopeId): Scope | undefined;
}
