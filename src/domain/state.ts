import { Map as PersistentMap, type Set as PersistentSet } from 'immutable';
import { EMPTY_INDEX, type LockIndex } from './lock-index.js';
import type { OpenRun } from './open-runs.js';
import type { Pieces } from './pieces.js';
import type { Ready } from './ready.js';
import type { Scope, ScopeId } from './scope.js';

/**
 * The lock state of one workspace: live scopes only, so it does not grow with the ledger.
 * Immutable throughout: a transaction that rolls back keeps the former value, and replay is a plain fold.
 */
export interface State {
  /** The last event folded in. */
  readonly seq: number;
  /** The last generation given out. */
  readonly generation: number;
  /** The numbers of the last scope, run and artifact. */
  readonly scopeCount: number;
  readonly runCount: number;
  readonly artifactCount: number;
  /** Scopes that have not ended. */
  readonly scopes: PersistentMap<ScopeId, Scope>;
  /** Commands whose end is not on record, by their ids. */
  readonly runs: PersistentMap<string, OpenRun>;
  /** Held units. */
  readonly locks: LockIndex;
  /** Units that tickets wait for. */
  readonly queue: LockIndex;
  /** Open scopes whose inputs have come, in the order in which they are picked up. */
  readonly ready: Pieces<Ready>;
  /** Live scopes by the unfinished scope that they consume. */
  readonly consumers: PersistentMap<ScopeId, PersistentSet<ScopeId>>;
  /** Live scopes by the connection that owns them. */
  readonly owned: PersistentMap<string, PersistentSet<ScopeId>>;
}

export const EMPTY_STATE: State = {
  seq: 0,
  generation: 0,
  scopeCount: 0,
  runCount: 0,
  artifactCount: 0,
  scopes: PersistentMap(),
  runs: PersistentMap(),
  locks: EMPTY_INDEX,
  queue: EMPTY_INDEX,
  ready: [],
  consumers: PersistentMap(),
  owned: PersistentMap(),
};
