import type { RunEnding } from '../domain/event.js';
import type { Refusal } from '../domain/refusal.js';
import type { Hash } from '../domain/scope.js';

export type Containment = 'transactional' | 'confined' | 'none';

/** One command to run. */
export interface RunSpec {
  readonly id: string;
  readonly command: string;
  /** Set for a judged command: it runs without containment, as these words, with this environment and no other. */
  readonly program?: { readonly argv: readonly string[]; readonly env: { readonly [name: string]: string } };
  /** Relative to the root. */
  readonly cwd: string;
  /** Added to the cleaned environment. */
  readonly env: { readonly [name: string]: string };
  /** Milliseconds until the whole tree is killed; the ending is then `timed_out`. */
  readonly timeout: number;
  /** Claimed folders, each with a slash at its end (`./` is the root): a `confined` command may write there. */
  readonly writable: readonly string[];
  /** Ignored folders that exist and are bound read-write (`node_modules`, caches), relative to the root. */
  readonly scratch: readonly string[];
  /** Names that no `confined` command may write, at any depth, as `.git`. */
  readonly sealed: readonly string[];
  readonly network: boolean;
  /** Unix sockets that it may connect to: `docker`, `ssh-agent`, `display`, or an absolute path. */
  readonly sockets?: readonly string[];
  /** A command that has to see what others change while it runs (a server, a watcher): it is not run on an overlay. */
  readonly live: boolean;
}

/**
 * A path that a command changed. At level `transactional` the change is in the layer only; at level `confined` it is on
 * disk, and `before` holds what was there (null: nothing, or no file), and `was` its mode, but for `protected` and
 * `special`, which were removed again.
 * Scratch is told of at level `transactional` only: at the others it is where it belongs. `hash` is there where a file
 * could have had a version, had it not been for its name or for all the others.
 */
export type Written =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly bytes: Uint8Array;
      readonly mode: number;
      readonly before?: Uint8Array | null;
      readonly was?: number;
    }
  | { readonly kind: 'large'; readonly path: string; readonly size: number; readonly hash?: Hash }
  | { readonly kind: 'deleted'; readonly path: string; readonly before?: Uint8Array | null; readonly was?: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'special'; readonly path: string; readonly hash?: Hash }
  | { readonly kind: 'protected'; readonly path: string }
  | ScratchPiece;

/** Scratch that a command made, replaced or removed in its layer, to be moved over as it is. */
export interface ScratchPiece {
  readonly kind: 'scratch';
  readonly path: string;
  /** A folder goes over with all that is in it; one that both the tree and the layer have comes in pieces. */
  readonly folder: boolean;
  /** The topmost scratch folder that it lies in, or itself; empty for a folder that only its own `.gitignore` makes scratch. */
  readonly top: string;
  /** Where it lies now, from the root; null: it was removed. */
  readonly from: string | null;
  /** A folder of the layer, from the root, that takes what has to make room: it goes with the layer. */
  readonly aside: string;
}

/** What counts as scratch. */
export interface ScratchRules {
  /** Names that agents may not make, at any depth, as `.git`. */
  readonly sealed: readonly string[];
  /**
   * Which of these paths are scratch: from the root, folders with a slash at their end. `alone` are new folders with a
   * `.gitignore` of their own that leaves out all of them, as test runners and virtual environments make: scratch too,
   * unless something in them is versioned.
   */
  among(paths: readonly string[], alone: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Where nothing is scratch. */
export const NO_SCRATCH: ScratchRules = { sealed: [], among: async () => new Set() };

export interface Ended {
  readonly ending: RunEnding;
  readonly exit: number | null;
  readonly duration: number;
}

export interface OutputPage {
  readonly text: string;
  /** Where to go on reading; absent at the end of a finished run. */
  readonly next?: number;
  /** Bytes printed so far, kept or not. */
  readonly total: number;
}

/** What is kept for good of an output: plain UTF-8 text. `cut` says what it leaves out, in bytes of the output. */
export interface Log {
  readonly bytes: Uint8Array;
  readonly cut?: { readonly at: number; readonly bytes: number };
}

/** A command under way. Its processes are all dead when `ended` resolves. */
export interface Run {
  readonly id: string;
  readonly containment: Containment;
  /**
   * Before anything of it was mounted, by the clock of the disk (which lags behind ours by a few milliseconds, or
   * seconds): what is saved while it runs has this time of change or a later one.
   */
  readonly began: number;
  readonly ended: Promise<Ended>;
  /** Output as text, from a byte offset; without one: the head and the tail with a line between that says what is left out. */
  output(from?: number): Promise<OutputPage>;
  /** Ends the whole tree; the first cause wins. */
  stop(cause: 'stopped' | 'lease_lost'): void;
  /** What the command printed, once it has ended. */
  log(): Promise<Log>;
  /** What the command wrote, once it has ended. Empty at level `none`. */
  written(): Promise<readonly Written[]>;
  /** To be called when the result is on record: removes the layer and what else the run left in private state. */
  dispose(): Promise<void>;
}

/** What a run left whose server is gone, and it with that. */
export interface Left {
  /** How it ended, where it had ended by itself before its server died; undefined where it was cut off. */
  readonly ended: Ended | undefined;
  /** Bytes that it printed. */
  readonly total: number;
  log(): Promise<Log>;
  written(): Promise<readonly Written[]>;
  dispose(): Promise<void>;
}

export interface Level {
  readonly level: Containment;
  readonly works: boolean;
  /** Why it does not work and what to install. */
  readonly reason?: string;
  /** Folders of the host in which not all Unix sockets are out of a command's reach; absent where there are none. */
  readonly open?: readonly string[];
}

export interface Runner {
  /** What was found by trying, best first. Probed once and cached. */
  levels(): Promise<readonly Level[]>;
  start(spec: RunSpec): Promise<Run | Refusal>;
  /** Output of a run that another server process sees to, as far as it is recorded. */
  output(id: string, from?: number): Promise<OutputPage | undefined>;
  /** The same, as a log. */
  log(id: string): Promise<Log | undefined>;
  /** What became of a run: `served` while a server sees to it, until its result is settled (see `dispose`). */
  fate(id: string): Promise<'served' | 'over' | 'unknown'>;
  /** Runs whose servers are gone and that nobody has disposed of. */
  left(): Promise<readonly string[]>;
  /** Takes over what a run left whose server is gone. `level` is the one that it ran at. */
  adopt(id: string, level: Containment): Promise<Left | undefined>;
  /** Kills a run of any server on this machine. True when it is known that none of its processes lives. */
  kill(id: string): Promise<boolean>;
  /** The same on behalf of whoever may stop it: the server that sees to it then takes it for stopped. */
  stop(id: string): Promise<boolean>;
  /** Ends all that is under way. */
  close(): Promise<void>;
}
