import type { Limits } from '../domain/limits.js';
import type { Told } from '../domain/notes.js';
import type { Refusal } from '../domain/refusal.js';
import type { Phase, Product, Status } from '../domain/scope.js';
import type { Mode } from '../domain/unit.js';
import type { ListedRun, RunInput, RunOutput } from './run-contract.js';

export type { ListedRun, RunInput, RunOutput };

/** Who calls, as far as the door can tell. */
export interface Caller {
  /** The connection, which says who is alive. */
  readonly connection: string;
  /** The agent on it: its client's name, or the subagent that the client reports; or the name that the caller gives one. */
  readonly agent: string;
  /** The caller, where it gives the agent another name than its own. */
  readonly namedBy?: string;
  /** How long one call may block, in milliseconds. */
  readonly patience: number;
  /** Aborted when the client gives the call up. */
  readonly signal: AbortSignal;
  /** A sentence about what the call waits for. */
  readonly progress?: (sentence: string) => void;
  /** W3C trace id, where the client sent one. */
  readonly trace?: string;
  /** Takes what the agent is to be told with the answer of this call. */
  readonly heard?: (notes: readonly Told[]) => void;
  /** What its token reaches; everything where left out. */
  readonly limits?: Limits;
}

export interface HeldBy {
  readonly id: string;
  readonly agent: string;
  readonly mode: Mode;
}

export interface ReadInput {
  readonly paths: readonly string[];
}
export type ReadFile =
  | {
      readonly path: string;
      readonly version: string;
      readonly text: string;
      readonly from: number;
      readonly to: number;
      readonly total_lines: number;
      readonly truncated?: boolean;
      readonly held_by?: HeldBy;
    }
  | {
      readonly path: string;
      readonly version: string;
      readonly image: { readonly data: string; readonly mimeType: string };
      readonly held_by?: HeldBy;
    }
  | {
      readonly path: string;
      readonly entries: readonly {
        readonly name: string;
        readonly kind: string;
        readonly size?: number;
        readonly held_by?: HeldBy;
      }[];
      readonly more?: number;
    }
  | { readonly path: string; readonly error: string };
export interface ReadOutput {
  readonly files: readonly ReadFile[];
}

export interface Edit {
  readonly path: string;
  readonly old_string?: string;
  readonly new_string?: string;
  readonly replace_all?: boolean;
  readonly content?: string;
  readonly delete?: boolean;
  readonly move_to?: string;
  readonly base?: string;
}
export interface PatchInput {
  readonly edits?: readonly Edit[];
  readonly diff?: string;
  readonly scope?: string;
}
export interface PatchOutput {
  /** Place in the ledger of the change. */
  readonly seq: number;
  /** The handle, where the patch claimed for the caller. */
  readonly scope?: string;
  readonly files: readonly {
    readonly path: string;
    readonly version: string | null;
    readonly added: number;
    readonly removed: number;
    readonly rebased?: boolean;
    /** It had been edited around Signalbox since its last version; the change was made on top of that. */
    readonly outside?: boolean;
  }[];
  /** The files already were as wanted; nothing was written. */
  readonly already?: boolean;
  readonly claimed?: readonly string[];
}

export interface ClaimInput {
  readonly title?: string;
  readonly units?: readonly string[];
  readonly scope?: string;
  readonly mode?: Mode;
  readonly phase?: Phase;
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
  readonly agent?: string;
  readonly wait_s?: number;
}
export interface ClaimOutput {
  /** The handle: pass it to patch, run and publish_output. */
  readonly scope: string;
  readonly id: string;
  readonly status: 'active' | 'waiting';
  readonly generation: number;
  readonly units: readonly string[];
  readonly queue?: {
    readonly position: number;
    readonly ahead: readonly {
      readonly id: string;
      readonly agent: string;
      readonly title: string;
      readonly units: readonly string[];
      /** Its owner has lost it: its units are free when these runs have ended. */
      readonly until?: readonly string[];
    }[];
  };
  readonly blocked_on?: readonly string[];
  /** Inputs that have failed: wait for the next attempt, go on without them, or give up. */
  readonly failed?: readonly {
    readonly id: string;
    readonly title: string;
    readonly status: string;
    readonly attempts: number;
    readonly reason?: string;
  }[];
  readonly inputs?: readonly {
    readonly id: string;
    readonly type: string;
    readonly path?: string;
    readonly hash: string;
    readonly scope: string;
    readonly summary?: string;
  }[];
  readonly handover?: { readonly from: string; readonly diff: string; readonly note: string };
}

export interface PublishInput {
  readonly summary: string;
  readonly scope?: string;
  readonly status?: 'done' | 'progress' | 'failed';
  readonly artifacts?: readonly { readonly type: string; readonly path?: string; readonly content?: string }[];
  readonly branch?: string;
}
export interface PublishOutput {
  readonly id: string;
  /** `checking`: a check of its definition of done has not ended; the same call again goes on waiting. */
  readonly status: string;
  readonly check?: string;
  readonly run?: string;
  readonly commit?: string;
  readonly branch?: string;
  readonly artifacts: readonly {
    readonly id: string;
    readonly type: string;
    readonly path?: string;
    readonly hash: string;
  }[];
  readonly unblocked: readonly string[];
}

export interface OpenInput {
  readonly title: string;
  readonly note?: string;
  readonly units?: readonly string[];
  readonly phase?: Phase;
  readonly consumes?: readonly string[];
  readonly produces?: readonly (string | Product)[];
}

/** One scope as people and plans declare it: with all that a contract can say. */
export interface Declaration extends OpenInput {
  /** By which other entries of the same plan name it, in `consumes` and `parent`. */
  readonly key?: string;
  readonly inputs?: readonly string[];
  readonly non_goals?: readonly string[];
  readonly done?: readonly string[];
  readonly checks?: readonly string[];
  /** Higher comes first. */
  readonly priority?: number;
  readonly parent?: string;
}
export interface OpenOutput {
  readonly id: string;
}

export interface ReleaseInput {
  readonly scope?: string;
  readonly reason?: string;
  readonly changes?: 'keep' | 'revert';
}
export interface ReleaseOutput {
  readonly id: string;
  readonly status: string;
  readonly reverted: readonly string[];
  /** What the scope had published before, and is not taken back. */
  readonly published?: { readonly commit?: string };
}

export interface ListInput {
  readonly id?: string;
  readonly path?: string;
  readonly status?: Status;
  readonly phase?: Phase;
  readonly mine?: boolean;
}
/** How an earlier attempt at a scope ended, or that it was opened again after all. */
export interface PastAttempt {
  readonly how: 'expired' | 'failed' | 'released' | 'reopened';
  /** Whoever had it, or opened it again; left out where it was lost too often. */
  readonly agent?: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface ListedScope {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly phase: string;
  readonly agent?: string;
  readonly units: readonly string[];
  readonly mode?: Mode;
  /** The handle: only with `mine`, and only for a caller that can be told apart from others. */
  readonly scope?: string;
  readonly waiting_for?: readonly string[];
  readonly blocked_on?: readonly string[];
  readonly queue?: number;
  readonly note?: string;
  readonly summary?: string;
  readonly attempts?: number;
  /** With `id`: how earlier attempts ended, the latest of them. */
  readonly history?: readonly PastAttempt[];
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
  readonly artifacts?: readonly {
    readonly id: string;
    readonly type: string;
    readonly path?: string;
    readonly hash: string;
  }[];
  readonly commit?: string;
  /** Its owner has lost it: its units are free when its runs have ended. */
  readonly stopping?: string;
  /** Commands under way; with `id`, the latest ones that have ended too. */
  readonly runs?: readonly ListedRun[];
}
export interface ListOutput {
  readonly scopes: readonly ListedScope[];
  /** With `mine`: commands under way that the caller started without a scope. */
  readonly runs?: readonly ListedRun[];
  readonly seq: number;
  readonly more?: number;
  /** What the caller should know about the list. */
  readonly note?: string;
}

/** The eight use cases that agents have. Each answers with a value or a refusal, and records what happened. */
export interface Coordinator {
  read(caller: Caller, input: ReadInput): Promise<ReadOutput | Refusal>;
  patch(caller: Caller, input: PatchInput): Promise<PatchOutput | Refusal>;
  run(caller: Caller, input: RunInput): Promise<RunOutput | Refusal>;
  claim(caller: Caller, input: ClaimInput): Promise<ClaimOutput | Refusal>;
  publish(caller: Caller, input: PublishInput): Promise<PublishOutput | Refusal>;
  open(caller: Caller, input: OpenInput): Promise<OpenOutput | Refusal>;
  release(caller: Caller, input: ReleaseInput): Promise<ReleaseOutput | Refusal>;
  list(caller: Caller, input: ListInput): Promise<ListOutput | Refusal>;
  /** Records a refusal that a door made (a bad argument, a denied call). */
  refused(caller: Caller, tool: string, refusal: Refusal): Promise<void>;
  /** A connection came: from now on somebody beats for it. */
  connected(connection: string): Promise<void>;
  /** A connection ended: its locks are free after the lease unless it comes back. */
  disconnected(connection: string): Promise<void>;
  close(): Promise<void>;
}
