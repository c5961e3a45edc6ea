import type { RunEnding } from '../domain/event.js';
import type { Refusal } from '../domain/refusal.js';
import type { Phase, Product, Status } from '../domain/scope.js';
import type { Mode } from '../domain/unit.js';
import type { Caller, Declaration, ListedRun, PastAttempt } from './contract.js';

/** Which scopes to list: newest first, a page at a time. */
export interface ScopesInput {
  readonly status?: Status;
  readonly phase?: Phase;
  /** Only scopes that hold or wait for something that overlaps it. */
  readonly path?: string;
  readonly parent?: string;
  /** Goes on after this scope: `next` of the page before. */
  readonly cursor?: string;
  /** 100 where left out, 500 at the most. */
  readonly limit?: number;
}

export interface ScopeSummary {
  readonly id: string;
  readonly title: string;
  readonly status: Status;
  readonly phase: Phase;
  readonly priority: number;
  /** What it needs, as its contract says. */
  readonly units: readonly string[];
  /** Who has it. */
  readonly agent?: string;
  readonly parent?: string;
  /** Consumed scopes that are not done. */
  readonly blocked_on?: readonly string[];
  /** How often it was lost or failed. */
  readonly attempts: number;
}

export interface ScopePage {
  readonly scopes: readonly ScopeSummary[];
  /** There are more: pass it as `cursor`. */
  readonly next?: string;
}

/** A scope with all that is known of it. Times are ISO 8601. */
export interface ScopeDetail extends ScopeSummary {
  readonly note?: string;
  readonly consumes: readonly string[];
  readonly produces: readonly Product[];
  readonly inputs: readonly string[];
  readonly non_goals: readonly string[];
  readonly done: readonly string[];
  readonly checks: readonly string[];
  readonly children: readonly string[];
  /** What it was raised for, where Signalbox raised it by itself. */
  readonly cause?: string;
  readonly conflict?: {
    readonly between: readonly string[];
    readonly paths: readonly string[];
    readonly sides: readonly string[];
  };
  readonly locks: readonly { readonly unit: string; readonly mode: Mode; readonly generation: number }[];
  /** Its owner has lost it, for this reason: its units are free when its commands have ended. */
  readonly stopping?: string;
  /** Its place in the queue, while it waits for units. */
  readonly queue?: {
    readonly position: number;
    readonly units: readonly string[];
    readonly mode: Mode;
    readonly ahead: readonly { readonly id: string; readonly agent: string; readonly units: readonly string[] }[];
  };
  /** How earlier attempts ended, the latest of them. */
  readonly history: readonly PastAttempt[];
  /** From whom it was taken over, and why. */
  readonly handover?: { readonly from: string; readonly note: string };
  /** For its owner, not shown to it yet. */
  readonly notes: readonly { readonly from: string; readonly text: string }[];
  readonly summary?: string;
  readonly commit?: string;
  /** The scope that took its changes back. */
  readonly undone_by?: string;
  readonly artifacts: readonly ArtifactRecord[];
  /** The files that it changed: their contents before its first change and after its last. */
  readonly changes: readonly { readonly path: string; readonly before: string | null; readonly after: string | null }[];
  /** Its commands that are under way, then the latest that have ended. */
  readonly runs: readonly ListedRun[];
  readonly opened_by: string;
  readonly opened_at: string;
  readonly updated_at: string;
  /** Differs whenever the scope does: what `amend` takes as `match`. */
  readonly revision: string;
}

/** What may be changed about a scope after it was opened. */
export interface AmendInput
  extends Partial<
    Pick<
      Declaration,
      | 'title'
      | 'note'
      | 'phase'
      | 'units'
      | 'consumes'
      | 'produces'
      | 'inputs'
      | 'non_goals'
      | 'done'
      | 'checks'
      | 'priority'
    >
  > {
  /** Only if one of these is its revision still; else STALE_BASE. */
  readonly match?: readonly string[];
}

/** Who acts on a scope, why, and on which revision of it. */
export interface OperateInput {
  readonly reason?: string;
  /** Only if one of these is its revision still; else STALE_BASE. */
  readonly match?: readonly string[];
}

export interface OperateOutput {
  readonly id: string;
  readonly status: Status;
  /** Its owner has lost it for this reason, but its commands cannot be known to be dead yet: it keeps its units until then. */
  readonly stopping?: string;
}

export interface UndoInput {
  readonly reason?: string;
  /** Where others built on it, opens a scope in which somebody brings both together. */
  readonly conflict?: boolean;
}

export interface UndoOutput {
  readonly id: string;
  /** `already`: nothing of it is left. `unchanged`: it changed no file. `conflict`: others built on it, and `by` is open now. */
  readonly status: 'undone' | 'already' | 'unchanged' | 'conflict';
  /** The scope that took its changes back, or the conflict scope. */
  readonly by?: string;
  readonly paths: readonly string[];
  readonly commit?: string;
  readonly branch?: string;
}

/** Lines next to one another that were made at once. */
export interface BlamedLines {
  /** From 1. */
  readonly from: number;
  readonly to: number;
  /** `outside`: edited around Signalbox. `before`: there before Signalbox first changed the file. `unknown`: from a content that is not kept any more. */
  readonly by: 'scope' | 'outside' | 'before' | 'unknown';
  readonly scope?: string;
  readonly title?: string;
  /** Who made the change under that scope. */
  readonly agent?: string;
  /** The command that wrote them. */
  readonly run?: string;
  /** The event of the change. */
  readonly seq?: number;
  readonly time?: string;
  readonly text: string;
}

export interface BlameOutput {
  readonly path: string;
  readonly version: string;
  readonly total_lines: number;
  readonly ranges: readonly BlamedLines[];
}

export interface ArtifactsInput {
  readonly scope?: string;
  readonly path?: string;
  readonly type?: string;
  readonly hash?: string;
  /** Goes on after this artifact: `next` of the page before. */
  readonly cursor?: string;
  /** 100 where left out, 500 at the most. */
  readonly limit?: number;
}

/** An artifact and where it comes from. */
export interface ArtifactRecord {
  readonly id: string;
  readonly type: string;
  readonly path?: string;
  readonly hash: string;
  readonly scope: string;
  readonly agent: string;
  /** What its scope worked from: references in the words of the contract, and artifacts of the scopes that it consumed. */
  readonly inputs: {
    readonly references: readonly string[];
    readonly artifacts: readonly { readonly id: string; readonly scope: string; readonly hash: string }[];
  };
  /** The command that made it. */
  readonly run?: string;
  readonly commit?: string;
  /** The event of its publication. */
  readonly seq: number;
  /** The next artifact with the same path and type. */
  readonly superseded_by?: string;
}

/** A content, under its whole hash. */
export interface Stored {
  readonly hash: string;
  readonly bytes: Uint8Array;
}

export interface ArtifactPage {
  /** Oldest first. */
  readonly artifacts: readonly ArtifactRecord[];
  readonly next?: string;
}

export interface RunRecord {
  readonly run: string;
  readonly scope?: string;
  readonly agent: string;
  readonly command: string;
  readonly containment: string;
  readonly state: 'running' | RunEnding;
  readonly exit_code?: number;
  readonly rejected: number;
  /** Artifacts: what it printed, and what it changed. */
  readonly log?: string;
  readonly diff?: string;
  readonly started_at: string;
}

/**
 * What people and programs do beyond the eight use cases of agents. Each action is an event with the caller's name.
 * Scopes may be named by id or handle.
 */
export interface ControlPlane {
  /** Declares many scopes, all or nothing. → their ids, in the order given. */
  declare(caller: Caller, scopes: readonly Declaration[]): Promise<readonly string[] | Refusal>;
  scopes(caller: Caller, input: ScopesInput): Promise<ScopePage | Refusal>;
  scope(caller: Caller, id: string): Promise<ScopeDetail | Refusal>;
  /** What it changed, as one unified diff. */
  diff(caller: Caller, id: string): Promise<string | Refusal>;
  amend(caller: Caller, id: string, input: AmendInput): Promise<OperateOutput | Refusal>;
  pause(caller: Caller, id: string, input: OperateInput): Promise<OperateOutput | Refusal>;
  resume(caller: Caller, id: string, input: OperateInput): Promise<OperateOutput | Refusal>;
  cancel(caller: Caller, id: string, input: OperateInput): Promise<OperateOutput | Refusal>;
  /** Opens a failed or cancelled scope again, with its attempts counted anew. */
  reopen(caller: Caller, id: string, input: OperateInput): Promise<OperateOutput | Refusal>;
  /** Takes it away from its owner. What it changed stays, and whoever claims it next is told. */
  release(caller: Caller, id: string, input: OperateInput): Promise<OperateOutput | Refusal>;
  /** A sentence that its owner is shown with its next result. */
  note(caller: Caller, id: string, text: string): Promise<OperateOutput | Refusal>;
  /** Takes back exactly what an ended scope changed. BLOCKED where others built on it. */
  undo(caller: Caller, id: string, input: UndoInput): Promise<UndoOutput | Refusal>;
  /** Who made which lines of a file; `src/a.ts:120-180` for some of them. */
  blame(caller: Caller, path: string): Promise<BlameOutput | Refusal>;
  artifacts(caller: Caller, input: ArtifactsInput): Promise<ArtifactPage | Refusal>;
  /** The content of an artifact, by its hash or the beginning of it. */
  content(caller: Caller, hash: string): Promise<Stored | Refusal>;
  run(caller: Caller, id: string): Promise<RunRecord | Refusal>;
}
