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
  /** The caller that gave the agent this name, and may act for it; left out where it goes by the name itself. */
  readonly namedBy?: string;
}

/** A file that a scope will publish. */
export interface Product {
  readonly path: string;
  readonly type: string;
}

/** What a scope promises to do. Agreed when it is opened; only people and plans amend it. */
export interface Contract {
  readonly title: string;
  readonly note?: string;
  readonly phase: Phase;
  readonly units: readonly string[];
  readonly consumes: readonly ScopeId[];
  readonly produces: readonly Product[];
  readonly priority: number;
  /** Opened for anybody to pick up; a scope that was declared by its own claim is not. */
  readonly standing: boolean;
  /** What it works from, in the words of those who asked for it: `REQ-003`. */
  readonly inputs?: readonly string[];
  readonly nonGoals?: readonly string[];
  /** The definition of done, in words. */
  readonly done?: readonly string[];
  /** Commands that have to succeed before it may be published as done. */
  readonly checks?: readonly string[];
  readonly parent?: ScopeId;
  /** What it was raised for: at most one live scope has the same cause. */
  readonly cause?: string;
  /** Set for a conflict scope: whose work collided, where, and the contents of both sides. */
  readonly conflict?: {
    readonly between: readonly ScopeId[];
    readonly paths: readonly string[];
    readonly sides: readonly Hash[];
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

export interface Lapsed extends Pick<Ticket, 'units' | 'mode'> {
  readonly reason: string;
}

export interface Artifact {
  readonly id: string;
  readonly type: string;
  readonly path?: string;
  readonly hash: Hash;
  /** The command that made it, for a log or a difference. */
  readonly run?: string;
}

/** 12 → `A012`. */
export function artifactId(number: number): string {
  return `A${String(number).padStart(3, '0')}`;
}

/** `A012` → 12; undefined where it is no id. */
export function artifactNumber(id: string): number | undefined {
  return /^A\d{1,15}$/.test(id) ? Number(id.slice(1)) : undefined;
}

/** A sentence for the owner of a scope, shown with the next result of a call under it. */
export interface Note {
  readonly seq: number;
  readonly from: string;
  readonly text: string;
}

export interface Handover {
  readonly from: string;
  readonly note: string;
  /** Changes of the former owner are those with a sequence number up to this one. */
  readonly until: number;
}

/** A scope that its owner has lost, and that keeps its units until its commands have ended. */
export interface Stopping {
  /** What becomes of it then. */
  readonly how: 'released' | 'expired' | 'paused' | 'cancelled';
  readonly reason: string;
  /** The agent that it was taken from. */
  readonly from: string;
  readonly reverted: boolean;
  /** The operator, where one paused or cancelled it. */
  readonly by?: string;
  /** Lock time, in milliseconds. */
  readonly since: number;
}

/** A scope as it stands. Everything here is folded from its events. */
export interface Scope {
  readonly id: ScopeId;
  readonly contract: Contract;
  readonly status: Status;
  readonly openedBy: string;
  readonly openedAt: number;
  /** Set while waiting or active, but for a scope that is stopping. */
  readonly owner?: Owner;
  readonly stopping?: Stopping;
  /** The generation with which this ownership began: it makes the handle, so an old handle is worthless. */
  readonly tenure: number;
  /** The generation of the latest grant. */
  readonly generation: number;
  readonly grantedAt?: number;
  readonly locks: PersistentMap<string, Lock>;
  readonly ticket?: Ticket;
  /** The further units whose place in the queue it has lost since its last claim, and why. */
  readonly lapsed?: Lapsed;
  /** Consumed scopes that are not done; those among them that are not alive have failed or been cancelled. */
  readonly pending: readonly ScopeId[];
  /** How often it was lost or failed. */
  readonly attempts: number;
  readonly changes: number;
  readonly handover?: Handover;
  readonly artifacts: readonly Artifact[];
  /** Not shown yet, oldest first. */
  readonly notes: readonly Note[];
  readonly summary?: string;
  readonly commit?: string;
  /** The event up to which the changes are published: what came later is not published yet. */
  readonly published: number;
}

export function isEnded(status: Status): boolean {
  return status === 'done' || status === 'failed' || status === 'cancelled';
}
