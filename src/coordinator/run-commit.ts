import { hash as digest } from 'node:crypto';
import { draft } from '../domain/draft.js';
import { printHandle } from '../domain/handle.js';
import type { ChangeRow } from '../domain/intent.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope, ScopeId } from '../domain/scope.js';
import { allowWrite } from '../domain/write.js';
import type { ScratchPiece, Written } from '../processes/runner.js';
import type { Wanted } from '../workspace/workspace.js';
import { type Changed, change, type MovedOn } from './change.js';
import type { Caller, RunOutput } from './contract.js';
import { keepScratch } from './keep-scratch.js';
import { merge3 } from './merge.js';
import { claimant, type Parts, scopeNeeds } from './parts.js';
import { type Present, presentFile } from './present.js';
import { type Collision, rejectCollisions } from './run-collision.js';

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
  for (let attempt = 1; ; attempt++) {
    const { wanted, collisions, rejected } = await sort(parts, caller, commit, handle);
    const done = await changeAll(parts, caller, commit.run, handle, wanted);
    const failed = isRefusal(done) || (done !== undefined && 'moved' in done) ? done : undefined;
    if (failed !== undefined && attempt < ATTEMPTS) continue;
    const collided = await rejectCollisions(parts, caller, commit, collisions);
    if (failed !== undefined) {
      const reason = whyNot(failed);
      return { changed: [], rejected: [...rejected, ...collided, ...wanted.map(({ path }) => ({ path, reason }))] };
    }
    return {
      changed: wanted.map(changedFile),
      rejected: [...rejected, ...collided],
      ...(done !== undefined && 'claimed' in done && done.claimed.length > 0 ? { handle: done.handle } : {}),
    };
  }
}

/** Undefined where there is nothing to change. */
async function changeAll(
  parts: Parts,
  caller: Caller,
  run: string,
  scope: string,
  wanted: readonly Wanted[],
): Promise<Changed | MovedOn | Refusal | undefined> {
  if (wanted.length === 0) return undefined;
  const write = { paths: wanted.map((file) => file.path), title: `Run ${run}`, scope };
  return change(parts, caller, { tool: 'run', cause: 'run', run, write, wanted });
}

function whyNot(done: Refusal | MovedOn): string {
  return isRefusal(done) ? reasonOf(done) : 'it changed again and again while the run was being committed: run again';
}

function reasonOf(refusal: Refusal): string {
  return `${refusal.code}: ${refusal.sentence} ${refusal.next}`;
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

/** What can be committed now, each with the version that it replaces, and what cannot. */
async function sort(
  parts: Parts,
  caller: Caller,
  commit: Commit & { readonly own: Scope },
  handle: string,
): Promise<{ wanted: Wanted[]; collisions: Collision[]; rejected: Rejected[] }> {
  const wanted: Wanted[] = [];
  const collisions: Collision[] = [];
  const rejected: Rejected[] = [];
  for (const written of commit.written) {
    const reason = unversionable(written) ?? (await forbidden(parts, caller, written.path, handle));
    const file = reason ?? (await onPresent(parts, commit, written));
    if (typeof file === 'string') rejected.push({ path: written.path, reason: file });
    else if (file !== undefined && 'made' in file) collisions.push(file);
    else if (file !== undefined) wanted.push(file);
  }
  return { wanted, collisions, rejected };
}

function unversionable(written: Written): string | undefined {
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

async function forbidden(parts: Parts, caller: Caller, path: string, handle: string): Promise<string | undefined> {
  const resolved = await parts.workspace.resolve(path, 'write');
  if (isRefusal(resolved)) return reasonOf(resolved);
  const needs = { scopes: scopeNeeds(handle) };
  const write = { paths: [resolved], title: path, scope: handle };
  const seen = await parts.store.view(needs, (view) => allowWrite(draft(view), claimant(parts, caller), write));
  return isRefusal(seen) ? reasonOf(seen) : undefined;
}

/** The file that a write makes of the present one. What others changed since the run began is merged, or collides. */
async function onPresent(
  parts: Parts,
  commit: Commit & { readonly own: Scope },
  written: Written,
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
    if (await isEdited(parts, path, present, commit.began)) return collision;
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
