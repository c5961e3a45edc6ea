import { hash as digest } from 'node:crypto';
import { draft } from '../domain/draft.js';
import { printHandle } from '../domain/handle.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope, ScopeId } from '../domain/scope.js';
import { allowWrite } from '../domain/write.js';
import type { ScratchPiece, Written } from '../processes/runner.js';
import type { Wanted } from '../workspace/workspace.js';
import { change, type MovedOn } from './change.js';
import type { Caller, RunOutput } from './contract.js';
import { keepScratch } from './keep-scratch.js';
import { merge3 } from './merge.js';
import { claimant, type Parts, scopeNeeds } from './parts.js';
import { type Present, presentFile } from './present.js';

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
  let rejected: Rejected[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const sorted = await sort(parts, caller, commit, handle);
    rejected = sorted.rejected;
    if (sorted.wanted.length === 0) break;
    const paths = sorted.wanted.map((file) => file.path);
    const write = { paths, title: `Run ${commit.run}`, scope: handle };
    const done = await change(parts, caller, {
      tool: 'run',
      cause: 'run',
      run: commit.run,
      write,
      wanted: sorted.wanted,
    });
    if (!isRefusal(done) && !('moved' in done)) {
      return {
        changed: sorted.wanted.map(changedFile),
        rejected,
        ...(done.claimed.length > 0 ? { handle: done.handle } : {}),
      };
    }
    if (attempt === ATTEMPTS)
      rejected.push(...sorted.wanted.map((file) => ({ path: file.path, reason: whyNot(done) })));
  }
  return { changed: [], rejected };
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
): Promise<{ wanted: Wanted[]; rejected: Rejected[] }> {
  const wanted: Wanted[] = [];
  const rejected: Rejected[] = [];
  for (const written of commit.written) {
    const reason = unversionable(written) ?? (await forbidden(parts, caller, written.path, handle));
    const file = reason ?? (await onPresent(parts, commit, written));
    if (typeof file === 'string') rejected.push({ path: written.path, reason: file });
    else if (file !== undefined) wanted.push(file);
  }
  return { wanted, rejected };
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

/** The file that a write makes of the present one. What others changed since the run began is merged, or the write is rejected. */
async function onPresent(parts: Parts, commit: Commit, written: Written): Promise<Wanted | string | undefined> {
  const { path } = written;
  const present = await presentFile(parts, path);
  if (isRefusal(present)) return reasonOf(present);
  const theirs = written.kind === 'file' ? written.bytes : null;
  const mode = written.kind === 'file' ? { mode: written.mode } : {};
  if (theirs === null && present.bytes === null) return undefined;
  const [first] = await parts.store.changes({ path, after: commit.since, limit: 1 });
  if (first === undefined) {
    if (await isEdited(parts, path, present, commit.began))
      return 'STALE_BASE: it was edited outside Signalbox while the command ran; read it and run again';
    return { path, bytes: theirs, base: present.version, ...mode };
  }
  const base = first.before === null ? null : await parts.store.content(first.before);
  const merged = merge3(base ?? null, present.bytes, theirs);
  if (merged === undefined)
    return `STALE_BASE: ${first.scope ?? 'somebody outside'} changed the same lines while the command ran; read it and run again`;
  return { path, bytes: merged, base: present.version, ...mode };
}

/** Whether somebody saved a file around Signalbox since then. One that is as the ledger has it was merely touched. */
async function isEdited(parts: Parts, path: string, { version, changed }: Present, began: number): Promise<boolean> {
  if (changed === undefined || changed < began) return false;
  return parts.store.view({ paths: [path] }, (view) => view.file(path)?.hash !== version);
}
