const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Limits and durations of one workspace. Durations are lock time in milliseconds. */
export interface Settings {
  /** Whether the disk takes `A` for `a`: units that differ only so overlap. */
  readonly folds: boolean;
  /** Whether a patch or run may claim free paths by itself. */
  readonly claims: 'auto' | 'explicit';
  /** A connection without a beat for this long has ended. */
  readonly lease: number;
  /** A connection without a call for this long counts as gone. */
  readonly idle: number;
  /** The same for a scope held over stateless HTTP. */
  readonly idleStateless: number;
  /** A ticket with no claim call for this long lapses. */
  readonly ticket: number;
  /** A grant that nobody has come for is held this long. */
  readonly collect: number;
  /** Waiting this long raises a ticket as much as one step of priority. */
  readonly aging: number;
  /** How many scopes may hold a named process at once; 1 where it is not named here. */
  readonly capacity: ReadonlyMap<string, number>;
  /** Units that one scope may hold or ask for. */
  readonly maxUnits: number;
  readonly maxLiveScopes: number;
  /** Units that all scopes together may hold; what has queued for its units gets them all the same. */
  readonly maxHeldUnits: number;
  /** Units that all tickets together may wait for. */
  readonly maxQueuedUnits: number;
  readonly maxTitle: number;
  /** A scope that was lost or failed more often than this has failed for good. */
  readonly maxAttempts: number;
  /** Scopes that are declared at once. */
  readonly maxPlan: number;
  /** Units and outputs that these name together. */
  readonly maxPlanUnits: number;
  /** Scopes that these consume together. */
  readonly maxPlanConsumes: number;
  /** Artifacts of one publication. */
  readonly maxArtifacts: number;
  /** Artifacts of one scope: they are all in its row. */
  readonly maxScopeArtifacts: number;
  /** Bytes of the artifacts of one publication. */
  readonly maxArtifactBytes: number;
}

export const DEFAULTS: Settings = {
  folds: false,
  claims: 'auto',
  lease: 60 * SECOND,
  idle: 30 * MINUTE,
  idleStateless: 10 * MINUTE,
  ticket: 60 * SECOND,
  collect: 2 * MINUTE,
  aging: 5 * MINUTE,
  capacity: new Map(),
  maxUnits: 1_000,
  maxLiveScopes: 20_000,
  maxHeldUnits: 100_000,
  maxQueuedUnits: 10_000,
  maxTitle: 200,
  maxAttempts: 3,
  maxPlan: 10_000,
  maxPlanUnits: 30_000,
  maxPlanConsumes: 30_000,
  maxArtifacts: 1_000,
  maxScopeArtifacts: 2_000,
  maxArtifactBytes: 64_000_000,
};
