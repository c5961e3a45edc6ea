import type { Event, EventBody, RunEnding } from '../domain/event.js';
import type {
  ChangeRow,
  Content,
  Intent,
  IntentFile,
  IntentId,
  Publication,
  StoredPublication,
} from '../domain/intent.js';
import type { Refusal } from '../domain/refusal.js';
import type { Artifact, Hash, Phase, Scope, ScopeId } from '../domain/scope.js';
import type { View } from '../domain/view.js';

/** What a transaction decides: events to record, and what to answer. A refusal may come with events too. */
export interface Decision<T> {
  readonly events: readonly EventBody[];
  readonly answer: T | Refusal;
  /** Rows of the table of liveness to write along with the decision. */
  readonly life?: readonly LifeChange[];
}

/** A sign of life of a connection, a stateless scope or a waiting claim. Being seen or called takes an end back. */
export interface LifeChange {
  readonly key: string;
  /** `seen`: a beat. `called`: a call, which is a beat too. `ended`: it said goodbye. `gone`: its row goes. */
  readonly touch: 'seen' | 'called' | 'ended' | 'gone';
}

/** Who is on record as having caused the events. */
export interface Author {
  readonly agent: string;
  readonly connection: string;
  readonly trace?: string;
}

/** What a transaction came to. The events are on record. */
export interface Outcome<T> {
  readonly answer: T | Refusal;
  readonly events: readonly Event[];
}

/** What a step sees: the view, and the means for a file effect. */
export interface Transaction extends View {
  /**
   * Names the files that are about to change, and stores the contents that are among the needs; call it once, directly
   * before the first rename. How to put the files back is on the disk when it returns. From here on, a failure before
   * COMMIT undoes what was done to them; so does a step that then throws, refuses or records no event.
   *
   * @returns what to `settle` once the files are synced.
   */
  mark(files: readonly IntentFile[]): IntentId;
}

export interface Needs {
  /** Paths whose file records the step looks at; `file` throws for any other. */
  readonly paths?: readonly string[];
  /** Scopes that may have ended and that the step looks at. */
  readonly scopes?: readonly ScopeId[];
  /** New and former contents of the files that the step marks. */
  readonly contents?: readonly Content[];
}

/** How long what nothing needs any more is kept, in milliseconds of wall time; for ever where it is left out. */
export interface Keep {
  readonly contents?: number;
  readonly events?: number;
}

/** How much of what was kept went. */
export interface Expired {
  readonly contents: number;
  readonly events: number;
}

export interface EventQuery {
  /** Events after this sequence number. */
  readonly after: number;
  /** Events up to this one, which bounds how many are looked through. */
  readonly until?: number;
  readonly limit: number;
  readonly scope?: ScopeId;
  readonly agent?: string;
  readonly type?: string;
  /** Events about scopes that are in this phase now. */
  readonly phase?: Phase;
  /** Newest first. */
  readonly newest?: true;
}

export interface ChangeQuery {
  readonly scope?: ScopeId;
  readonly path?: string;
  /** Changes after this sequence number; all where left out. */
  readonly after?: number;
  readonly limit: number;
}

export interface RunQuery {
  readonly scope?: ScopeId;
  readonly tree?: string;
  /** Whose log or diff has a hash that begins so. */
  readonly artifact?: Hash;
  readonly limit: number;
}

export interface ScopeQuery {
  readonly status?: string;
  readonly phase?: string;
  readonly limit: number;
  /** Scopes with a number below this one, newest first. */
  readonly before?: number;
  readonly parent?: ScopeId;
  /** Scopes that were raised or opened for exactly this. */
  readonly cause?: string;
  /** Scopes whose contract consumes this one. */
  readonly consumes?: ScopeId;
}

export interface ArtifactQuery {
  readonly scope?: ScopeId;
  readonly path?: string;
  readonly type?: string;
  readonly hash?: Hash;
  /** Artifacts with a number above this one, oldest first. */
  readonly after?: number;
  readonly limit: number;
  /** Newest first. */
  readonly newest?: true;
}

/** One artifact, with what its publication says of it. */
export interface ArtifactRow extends Artifact {
  readonly scope: ScopeId;
  readonly agent: string;
  readonly commit?: string;
  /** The event of its publication. */
  readonly seq: number;
  /** The next artifact with the same path and type. */
  readonly supersededBy?: string;
}

/** One command, as the ledger has it. What comes of it is null until it has ended. */
export interface RunRow {
  readonly run: string;
  readonly scope: ScopeId | null;
  readonly agent: string;
  readonly command: string;
  readonly containment: string;
  readonly ending: RunEnding | null;
  readonly exit: number | null;
  readonly output: number;
  readonly rejected: number;
  /** The events of its start, of the commit of what it wrote, and of its end. */
  readonly started: number;
  readonly changed: number | null;
  readonly ended: number | null;
  /** Artifacts: what it printed (null for nothing), and what it changed. */
  readonly log: Hash | null;
  readonly diff: Hash | null;
  /** What the log leaves out of the output. */
  readonly cut: { readonly at: number; readonly bytes: number } | null;
}

/**
 * The ledger of one workspace. Every verb may answer later, so that a database across a network fits too.
 *
 * Throws `StoreBusy` when the write lock could not be had in time and `StoreBroken` when the store cannot work
 * (full, I/O error, corrupt, replaced under us). Nothing is granted then.
 */
export interface Store {
  /**
   * decide → record → effect, as one step. `step` runs synchronously under the write lock, on a state that no other
   * process can change; its events and the tables are committed together, or nothing is. The answer is durable.
   */
  transact<T>(author: Author, needs: Needs, step: (tx: Transaction) => Decision<T>): Promise<Outcome<T>>;
  /** A consistent look without a lock. */
  view<T>(needs: Needs, look: (view: View) => T): Promise<T>;
  /** Puts on record that a commit is about to be made, durably, before any lock is taken. */
  prepare(publication: Publication): Promise<IntentId>;
  /** Drops what is through: the files are synced, or how the publication ended is known. */
  settle(id: IntentId): Promise<void>;
  /** Stores contents by hash, durably. */
  keep(contents: readonly Content[]): Promise<void>;
  /** By the hash, or by so much of it that no other begins alike (10 characters at the least). */
  content(hash: Hash): Promise<Uint8Array | undefined>;
  /** Drops what need not be kept any longer, a little at a time, unless it was done within the last hour. */
  expire(keep: Keep): Promise<Expired>;
  events(query: EventQuery): Promise<Event[]>;
  changes(query: ChangeQuery): Promise<ChangeRow[]>;
  scopes(query: ScopeQuery): Promise<Scope[]>;
  artifacts(query: ArtifactQuery): Promise<ArtifactRow[]>;
  run(id: string): Promise<RunRow | undefined>;
  /** Runs of a scope, or checks that have succeeded on a working tree; the latest first. */
  runs(query: RunQuery): Promise<RunRow[]>;
  /** Publications recorded at least `age` milliseconds of lock time ago whose end is not on record: their process may be gone. */
  unfinished(age: number): Promise<StoredPublication[]>;
  /** Resolves when something was committed by anyone after sequence number `seq`, or when `signal` aborts. */
  changed(seq: number, signal: AbortSignal): Promise<void>;
  /** Paths whose files are being renamed, or were when their server was killed: what is seen there may be undone again. */
  applying(): readonly string[];
  close(): Promise<void>;
}

type ContentOf = (hash: Hash) => Uint8Array | undefined;

/**
 * Puts files back or finishes them; the workspace knows how. Runs under the write lock, synchronously, and may run
 * again for the same intent where its events could not be recorded. If it throws, the store refuses all writes.
 */
export interface Recovery {
  /** An effect that was cut off before COMMIT: puts the former contents back where the new ones stand. */
  undo(intent: Intent, content: ContentOf): readonly EventBody[];
  /**
   * A committed effect whose files may not have reached the disk before the machine went down. Where the ledger has another
   * version of a path than this effect made, one that comes next goes on from it.
   */
  redo(intent: Intent, content: ContentOf, recorded: (path: string) => Hash | null | undefined): readonly EventBody[];
}

export class StoreBusy extends Error {
  override readonly name = 'StoreBusy';
}

export class StoreBroken extends Error {
  override readonly name = 'StoreBroken';
}
