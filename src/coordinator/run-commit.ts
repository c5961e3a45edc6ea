import { hash as digest } from 'node:crypto';
import { printHandle } from '../domain/handle.js';
import { heldBack, type Loss } from '../domain/hold-back.js';
import type { ChangeRow } from '../domain/intent.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope, ScopeId } from '../domain/scope.js';
import type { ScratchPiece, Written } from '../processes/runner.js';
import type { Wanted } from '../workspace/workspace.js';
import { type Changed, change, type MovedOn } from './change.js';
import type { Caller, RunOutput } from './contract.js';
import { keepScratch } from './keep-scratch.js';
import { merge3 } from './merge.js';
import type { Parts } from './parts.js';
import { type Present, presentFile } from './present.js';
import { allowedPaths, reasonOf } from './run-allowed.js';
import { type Collision, rejectCollisions } from './run-collision.js';
import { removedMeanwhile } from './run-removed.js';

/** What became of the writes of a run. */
export interface RunChanges {
  readonly changed: RunOutput['changed'];
  readonly rejected: RunOutput['rejected'];
  /** The handle, where the run claimed for the caller. */
  readonly handle?: string;
}

type Rejected = RunOutput['rejected'][number];

export interface Commit {
  readonly run: string;
  readonly own: Scope | undefined;
  /** The event of the run's start: what changed after it, the run has not seen. */
  readonly since: number;
  /** Wall time of the start by the clock of the disk, in milliseconds, to compare with the times of files. */
  readonly began: number;
  /** The named processes that the command was of, or that its scope holds. */
  readonly held: ReadonlySet<string>;
  /** The scope of its own with which the command took its turn. */
  readonly turn: ScopeId | undefined;
  readonly written: readonly Written[];
}

/** Tries while others change the same files. */
const ATTEMPTS = 3;
/** Changes of one file during a run that are looked through for whose they are. */
const MOST_CHANGES = 100;

/** Commits what the scope may change, like a patch; everything else comes back as rejected, with its reason. */
export async function commitRun(parts: Parts, caller: Caller, commit: Commit): Promise<RunChanges> {
  const { own } = commit;
  const pieces = commit.written.filter((written): written is ScratchPiece => written.kind === 'scratch');
  const rest = commit.written.filter(({ kind }) => kind !== 'scratch');
  const rejected = await keepScratch(parts, caller, commit, pieces);
  if (own === undefined) return { changed: [], rejected: [...rejected, ...rest.map(withoutScope)] };
  const result = await commitOwn(parts, caller, { ...commit, own, written: rest });
  return { ...result, rejected: [...rejected, ...result.rejected] };
}

async function commitOwn(parts: Parts, caller: Caller, commit: Commit & { readonly own: Scope }): Promise<RunChanges> {
  const handle = printHandle(commit.own, parts.mint);
  const refused = new Map<string, string>();
  for (let attempt = 1; ; attempt++) {
    const { wanted, free, collisions, rejected } = await sort(parts, caller, commit, handle, refused);
    const known = refused.size;
    const done = await changeAll(parts, caller, { run: commit.run, handle, wanted, refused });
    if (done === undefined || (!isRefusal(done) && !('moved' in done))) {
      const collided = await rejectCollisions(parts, caller, commit, collisions);
      const claimed = done !== undefined && done.claimed.length > 0 ? { handle: done.handle } : {};
      return { changed: wanted.map(changedFile), rejected: [...rejected, ...collided], ...claimed };
    }
    if (refused.size > known || attempt < ATTEMPTS) continue;
    // What is held already does not fail with what could not be claimed.
    const all = free.length > 0 ? free : wanted.map((file) => file.path);
    const moved = isRefusal(done) || done.moved.length === 0 ? all : done.moved;
    for (const path of moved) refused.set(path, whyNot(done));
  }
}

interface Whole {
  readonly run: string;
  readonly handle: string;
  readonly wanted: readonly Wanted[];
  /** Takes what cannot be changed, with the reason. */
  readonly refused: Map<string, string>;
}

/** Undefined where there is nothing to change. */
async function changeAll(
  parts: Parts,
  caller: Caller,
  { run, handle, wanted, refused }: Whole,
): Promise<Changed | MovedOn | Refusal | undefined> {
  if (wanted.length === 0) return undefined;
  const write = { paths: wanted.map((file) => file.path), title: `Run ${run}`, scope: handle };
  const unfit = (path: string, why: Refusal) => void refused.set(path, reasonOf(why));
  return change(parts, caller, { tool: 'run', cause: 'run', run, write, wanted, unfit });
}

function whyNot(done: Refusal | MovedOn): string {
  return isRefusal(done) ? reasonOf(done) : 'it changed again and again while the run was being committed: run again';
}

function changedFile(file: Wanted): { path: string; version: string | null } {
  return {
    path: file.path,
    version: file.bytes === null ? null : digest('sha256', file.bytes),
  };
}

function withoutScope(written: Written): Rejected {
  return {
    path: written.path,
    reason:
      unversionable(written) ??
      'NOT_CLAIMED: the command ran without a scope, so what it wrote to versioned files is not kept; claim_scope first and pass scope',
  };
}

interface Sorted {
  readonly wanted: readonly Wanted[];
  /** Those of them that are to be claimed with the commit. */
  readonly free: readonly string[];
  readonly collisions: readonly Collision[];
  readonly rejected: Rejected[];
}

/** What can be committed now, each with the version that it replaces, and what cannot. @param refused found out before. */
async function sort(
  parts: Parts,
  caller: Caller,
  commit: Commit & { readonly own: Scope },
  handle: string,
  refused: ReadonlyMap<string, string>,
): Promise<Sorted> {
  const reasons = new Map(refused);
  for (const written of commit.written) {
    const reason = unversionable(written);
    if (reason !== undefined) reasons.set(written.path, reason);
  }
  const open = new Map(commit.written.flatMap((each) => (reasons.has(each.path) ? [] : [[each.path, each]])));
  const allowed = await allowedPaths(parts, caller, { own: commit.own, handle }, [...open.keys()]);
  for (const [path, reason] of allowed.refused) reasons.set(path, reason);
  const removed = await removedMeanwhile(parts, commit, allowed.paths);
  const wanted: Wanted[] = [];
  const collisions: Collision[] = [];
  for (const path of allowed.paths) {
    const written = open.get(path);
    const file = written && (await onPresent(parts, commit, written, removed.has(path)));
    if (typeof file === 'string') reasons.set(path, file);
    else if (file !== undefined && 'made' in file) collisions.push(file);
    else if (file !== undefined) wanted.push(file);
  }
  const torn = tornBy(commit.written, wanted, new Set([...reasons.keys(), ...collisions.map(({ path }) => path)]));
  for (const [path, other] of torn)
    reasons.set(path, `INCOMPLETE: it stays, because ${other}, which came of it or took its place, was rejected`);
  const kept = wanted.filter(({ path }) => !torn.has(path));
  return {
    wanted: kept,
    collisions,
    free: kept.flatMap(({ path }) => (allowed.free.has(path) ? [path] : [])),
    rejected: commit.written.flatMap(({ path }) => {
      const reason = reasons.get(path);
      return reason === undefined ? [] : [{ path, reason }];
    }),
  };
}

/** Files that may not go from their places, because what came of them is lost. */
function tornBy(
  written: readonly Written[],
  wanted: readonly Wanted[],
  lost: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const gone = wanted.flatMap(({ path, bytes, base }) =>
    bytes === null && base !== null ? [{ path, hash: base }] : [],
  );
  if (gone.length === 0) return new Map();
  const losses = written.filter(({ kind, path }) => kind !== 'deleted' && lost.has(path)).map(lossOf);
  const kept = wanted.flatMap(({ path, bytes }) => (bytes === null ? [] : [path]));
  return heldBack(gone, losses, kept);
}

function lossOf(written: Written): Loss {
  const { path } = written;
  if (written.kind === 'file') return { path, hash: digest('sha256', written.bytes) };
  return 'hash' in written && written.hash !== undefined ? { path, hash: written.hash } : { path };
}

function unversionable(written: Written): string | undefined {
  if (written.kind === 'large' && written.hash !== undefined)
    return 'LIMIT: with it, the writes of the command are too much for one change; run it again for the rest';
  if (written.kind === 'large')
    return `LIMIT: ${written.size} bytes are too many for a versioned file; write it to an ignored folder`;
  if (written.kind === 'link')
    return `INVALID: symbolic links are not committed (to ${written.target}); copy the file instead`;
  if (written.kind === 'special')
    return 'INVALID: a pipe, a socket, a device and a name that is not UTF-8 are not kept';
  if (written.kind === 'protected')
    return 'PROTECTED: it is, or holds, what agents may not make (.git, configuration of agents and editors); what lies beside it was kept';
  return undefined;
}

/** The file that a write makes of the present one. What others changed since the run began is merged, or collides. */
async function onPresent(
  parts: Parts,
  commit: Commit & { readonly own: Scope },
  written: Written,
  removed: boolean,
): Promise<Wanted | Collision | string | undefined> {
  const { path } = written;
  const present = await presentFile(parts, path);
  if (isRefusal(present)) return reasonOf(present);
  const theirs = written.kind === 'file' ? written.bytes : null;
  const mode = written.kind === 'file' ? { mode: written.mode } : {};
  if (theirs === null && present.bytes === null) return undefined;
  const since = await parts.store.changes({ path, after: commit.since, limit: MOST_CHANGES });
  const collision = { path, made: theirs, present: present.bytes, ...authors(since, commit.own) };
  const [first] = since;
  if (first === undefined) {
    if (removed || (await isEdited(parts, path, present, commit.began))) return collision;
    return { path, bytes: theirs, base: present.version, ...mode };
  }
  const base = first.before === null ? null : await parts.store.content(first.before);
  const merged = merge3(base ?? null, present.bytes, theirs);
  if (merged === undefined) return collision;
  return { path, bytes: merged, base: present.version, ...mode };
}

/** Whether somebody saved a file around Signalbox since then. One that is as the ledger has it was merely touched. */
async function isEdited(parts: Parts, path: string, { version, changed }: Present, began: number): Promise<boolean> {
  if (changed === undefined || changed < began) return false;
  return parts.store.view({ paths: [path] }, (view) => view.file(path)?.hash !== version);
}

/** Who, besides a scope itself, has changed a file. */
function authors(changes: readonly ChangeRow[], own: Scope): Pick<Collision, 'alone' | 'by'> {
  const others = changes.flatMap(({ scope }) => (scope === own.id ? [] : [scope]));
  const by = [...new Set(others.filter((scope) => scope !== null))];
  return { alone: changes.length > 0 && others.length === 0, by };
}
