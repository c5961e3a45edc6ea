import type { Map as PersistentMap } from 'immutable';
import type { Mode } from './unit.js';

export type ScopeId = string;
export type Hash = string;

export const PHASES = ['analyze', 'design', 'build', 'test', 'deploy', 'monitor', 'iterate'] as const;
export type Phase = (typeof PHASES)[number];

export const STATUSES = ['open', 'waiting', 'active', 'done', 'failed', 'cancelled', 'paused', 'review'] as const;
export type Status = (typeof STATUSES)[number];

/** Who acts. `connection` says who is alive; `agent` is a name that people read. */
export interface Owner {
  readonly connection: string;
  readonly agent: string;
}

/** What a scope promises to do: fixed when it is opened. */
export interface Contract {
  readonly title: string;
  readonly note?: string;
  readonly phase: Phase;
  readonly units: readonly string[];
  readonly consumes: readonly ScopeId[];
  readonly produces: readonly string[];
  readonly priority: number;
  /** Opened for anybody to pick up; a scope that was declared by its own claim is not. */
  readonly standing: boolean;
  /** What a conflict scope is about; its cause keeps it to one scope per collision. */
  readonly conflict?: {
    readonly cause: string;
    readonly between: readonly ScopeId[];
    readonly paths: readonly string[];
  };
}

/** One held unit. The generation is the fencing token of the grant that gave it. */
export interface Lock {
  readonly unit: string;
  readonly mode: Mode;
  readonly generation: number;
}

/** A scope's place in the queue. Times are lock time, in milliseconds. */
export interface Ticket {
  readonly units: readonly string[];
  readonly mode: Mode;
  readonly arrival: number;
  readonly since: number;
  readonly priority: number;
}

export interface Artifact {
  readonly id: string;
  readonly type: string;
  readonly path?: string;
  readonly hash: Hash;
}

export interface Handover {
  readonly from: string;
  readonly note: string;
  /** Changes of the former owner are those with a sequence number up to this one. */
  readonly until: number;
}

/** A scope as it stands. Everything here is folded from its events. */
export interface Scope {
  readonly id: ScopeId;
  readonly contract: Contract;
  readonly status: Status;
  readonly openedBy: string;
  readonly openedAt: number;
  /** Set while waiting or active. */
  readonly owner?: Owner;
  /** The generation with which this ownership began: it makes the handle, so an old handle is worthless. */
  readonly tenure: number;
  /** The generation of the latest grant. */
  readonly generation: number;
  readonly grantedAt?: number;
  readonly locks: PersistentMap<string, Lock>;
  readonly ticket?: Ticket;
  /** Consumed scopes that are not done yet. */
  readonly pending: readonly ScopeId[];
  readonly attempts: number;
  readonly changes: number;
  readonly handover?: Handover;
  readonly artifacts: readonly Artifact[];
  readonly summary?: string;
  readonly commit?: string;
  /** The event up to which the changes are published: what came later is not published yet. */
  readonly published: number;
}

export function isEnded(status: Status): boolean {
  return status === 'done' || status === 'failed' || status === 'cancelled';
}
