import type { Code, Json } from './refusal.js';
import type { Artifact, Contract, Hash, Owner, ScopeId, Stopping } from './scope.js';
import type { Mode } from './unit.js';

/** One path that an effect changed. `null` stands for "no file". */
export interface FileChange {
  readonly path: string;
  readonly before: Hash | null;
  readonly after: Hash | null;
  /** Permission bits of the file after the change. */
  readonly mode?: number;
  /** Those that it had before, where the change altered them or took the file away. */
  readonly was?: number;
}

export const RUN_ENDINGS = ['exited', 'timed_out', 'stopped', 'lease_lost', 'output_limit'] as const;
export type RunEnding = (typeof RUN_ENDINGS)[number];

/** What happened: everything needed to fold the state, and nothing that a clock or a disk would have to add. */
export type EventBody =
  | {
      readonly type: 'scope.opened';
      readonly scope: ScopeId;
      readonly contract: Contract;
      readonly by: string;
      readonly pending: readonly ScopeId[];
    }
  | {
      readonly type: 'scope.queued';
      readonly scope: ScopeId;
      readonly units: readonly string[];
      readonly mode: Mode;
      readonly owner: Owner;
      readonly priority: number;
      readonly generation: number;
    }
  | {
      readonly type: 'scope.granted';
      readonly scope: ScopeId;
      readonly units: readonly string[];
      readonly mode: Mode;
      readonly owner: Owner;
      readonly generation: number;
      readonly queued: boolean;
    }
  | {
      readonly type: 'scope.lapsed';
      readonly scope: ScopeId;
      readonly reason: string;
      readonly to: 'open' | 'cancelled' | 'active';
    }
  | { readonly type: 'scope.expired'; readonly scope: ScopeId; readonly reason: string; readonly from: string }
  | {
      /** Its owner has lost it while commands of it were under way: it keeps its units until they have ended. */
      readonly type: 'scope.stopping';
      readonly scope: ScopeId;
      readonly how: Stopping['how'];
      readonly reason: string;
      readonly from: string;
      /** Its changes were taken back. */
      readonly reverted: boolean;
      readonly by?: string;
    }
  | {
      readonly type: 'scope.released';
      readonly scope: ScopeId;
      readonly to: 'open' | 'cancelled';
      readonly reason: string;
      readonly from: string;
    }
  | { readonly type: 'scope.paused'; readonly scope: ScopeId; readonly reason: string; readonly by: string }
  | { readonly type: 'scope.resumed'; readonly scope: ScopeId; readonly by: string }
  | { readonly type: 'scope.cancelled'; readonly scope: ScopeId; readonly reason: string; readonly by: string }
  | {
      /** An ended scope is open again. The fold has forgotten it, so all that stays of it stands here. */
      readonly type: 'scope.reopened';
      readonly scope: ScopeId;
      readonly contract: Contract;
      readonly by: string;
      readonly reason: string;
      readonly pending: readonly ScopeId[];
      readonly opened: { readonly by: string; readonly at: number };
      readonly changes: number;
      readonly published: number;
      readonly artifacts: readonly Artifact[];
    }
  | {
      readonly type: 'scope.amended';
      readonly scope: ScopeId;
      readonly contract: Contract;
      readonly pending: readonly ScopeId[];
      readonly by: string;
    }
  | { readonly type: 'scope.noted'; readonly scope: ScopeId; readonly from: string; readonly text: string }
  | {
      /** Its owner has been shown the notes up to this event. */
      readonly type: 'scope.told';
      readonly scope: ScopeId;
      readonly until: number;
    }
  | {
      readonly type: 'scope.progressed';
      readonly scope: ScopeId;
      readonly summary: string;
      readonly artifacts: readonly Artifact[];
      readonly commit?: string;
      /** The event of the last change that was published, where others may have come since. */
      readonly through?: number;
    }
  | {
      readonly type: 'scope.done';
      readonly scope: ScopeId;
      readonly summary: string;
      readonly artifacts: readonly Artifact[];
      readonly commit?: string;
    }
  | {
      readonly type: 'scope.failed';
      readonly scope: ScopeId;
      readonly summary: string;
      readonly artifacts: readonly Artifact[];
      /** `open`: somebody may try again. */
      readonly to: 'open' | 'failed';
      /** Who gave it up; left out where it was lost too often. */
      readonly from?: string;
    }
  | {
      readonly type: 'files.changed';
      readonly scope: ScopeId;
      readonly cause: 'patch' | 'run' | 'revert';
      readonly generation: number;
      readonly files: readonly FileChange[];
      readonly run?: string;
    }
  | {
      readonly type: 'files.outside';
      readonly files: readonly FileChange[];
      readonly holder?: ScopeId;
      /** The command on the repository itself that caused it: a branch switch is one change. */
      readonly run?: string;
      readonly kept?: readonly string[];
    }
  | {
      readonly type: 'run.started';
      readonly run: string;
      readonly scope?: ScopeId;
      readonly command: string;
      readonly cwd: string;
      readonly containment: string;
      /** The tenure of its scope, which is its fence. */
      readonly tenure?: number;
      /** The scope that holds its process unit. */
      readonly turn?: ScopeId;
    }
  | {
      readonly type: 'run.ended';
      /** The working tree on which it began, ended and succeeded, where it is a check. */
      readonly tree?: string;
      readonly run: string;
      readonly scope?: ScopeId;
      readonly ending: RunEnding;
      readonly exit: number | null;
      /** Bytes that it printed. */
      readonly output: number;
      readonly rejected: number;
      /** The first of what was rejected, with its reasons. */
      readonly refused?: readonly { readonly path: string; readonly reason: string }[];
      /** Artifacts: what it printed, and what it changed. */
      readonly log?: Hash;
      readonly diff?: Hash;
      /** The artifact with all that was rejected, where that is much. */
      readonly rejections?: Hash;
      /** Bytes of the output that the log leaves out, and from where. */
      readonly cut?: { readonly at: number; readonly bytes: number };
    }
  | {
      readonly type: 'refused';
      readonly tool: string;
      readonly code: Code;
      readonly scope?: ScopeId;
      readonly sentence: string;
      readonly facts: { readonly [key: string]: Json };
    };

/** An event as it stands in the ledger. */
export interface Event {
  /** Place in the ledger, from 1, without gaps. */
  readonly seq: number;
  /** Lock time in milliseconds. */
  readonly at: number;
  /** Wall time in milliseconds, for people only: no rule reads it. */
  readonly wall: number;
  readonly agent: string;
  readonly connection: string;
  readonly body: EventBody;
  /** W3C trace id of the call that caused it, where the caller sent one. */
  readonly trace?: string;
  /** SHA-256 over the former hash and this event. */
  readonly hash: Hash;
}

/** The scope that an event is about, if it is about one. */
export function scopeOf(body: EventBody): ScopeId | undefined {
  return 'scope' in body ? body.scope : undefined;
}
