import { type Draft, draft as newDraft } from '../domain/draft.js';
import type { EventBody, FileChange } from '../domain/event.js';
import { MOST_FILES_TOGETHER } from '../domain/file-limits.js';
import { printHandle } from '../domain/handle.js';
import type { IntentId } from '../domain/intent.js';
import { awaitsCommit } from '../domain/open-runs.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { ScopeId } from '../domain/scope.js';
import { allowWrite, type Write } from '../domain/write.js';
import { Denied, Overtaken } from '../workspace/files/apply.js';
import type { Prepared, Preparing, Wanted } from '../workspace/workspace.js';
import { inArgument } from './argument.js';
import type { Caller } from './contract.js';
import { noteDrift, seemsDrifted } from './drift.js';
import { noteLate } from './outside.js';
import { act, claimant, type Parts, type Step, scopeAlive, scopeNeeds } from './parts.js';

/** An effect on files, whoever causes it. */
export interface Change {
  readonly tool: string;
  readonly cause: 'patch' | 'run' | 'revert';
  readonly write: Write;
  readonly wanted: readonly Wanted[];
  /** Says in which argument a path came, where one is refused. */
  readonly argumentOf?: (path: string) => string;
  readonly run?: string;
  /** Is told of each path that cannot be changed, where others may be without it. */
  readonly unfit?: (path: string, why: Refusal) => void;
}

export interface Changed {
  readonly seq: number;
  readonly scope: ScopeId;
  readonly handle: string;
  readonly claimed: readonly string[];
  /** Paths that had been edited around Signalbox since their last version. */
  readonly outside: readonly string[];
}

/** Files are no longer what the change was made from; nothing was written. */
export interface MovedOn {
  readonly moved: readonly string[];
}

/** Files had been edited around Signalbox, and that is not on record yet; nothing was written. */
interface Drifted {
  readonly drifted: readonly string[];
}

/** How often a change is tried again because a person edited its files in between. */
const ATTEMPTS = 4;

/**
 * The one way in which files change: new contents are laid beside their targets; then, in one transaction, lease, locks
 * and versions are checked, the way back is put on the disk, the files are renamed and the events are committed.
 */
export async function change(parts: Parts, caller: Caller, request: Change): Promise<Changed | MovedOn | Refusal> {
  const early = await refusedEarly(parts, caller, request);
  if (early !== undefined) return early;
  const prepared = await parts.workspace.prepare(request.wanted, howOf(request));
  if (isRefusal(prepared) && prepared.code === 'STALE_BASE') return { moved: movedIn(prepared, request) };
  if (isRefusal(prepared)) return refused(parts, caller, request, prepared);
  try {
    const done = await made(parts, caller, request, prepared);
    if (isRefusal(done) || 'moved' in done) await parts.workspace.discard(prepared);
    return done;
  } catch (error) {
    await parts.workspace.discard(prepared);
    // A person saved in the instant between the last check and the rename; the store has put everything back.
    if (error instanceof Overtaken) return { moved: prepared.changes.map((file) => file.path) };
    if (error instanceof Denied) {
      request.unfit?.(error.path, error.refusal);
      return refused(parts, caller, request, error.refusal);
    }
    throw error;
  }
}

function movedIn({ facts }: Refusal, { wanted }: Change): string[] {
  const moved = new Set(Array.isArray(facts.moved) ? facts.moved.map((each) => Object(each).path) : []);
  return wanted.map((file) => file.path).filter((path) => moved.has(path));
}

/** Only the paths of a patch are chosen one by one. */
function howOf({ cause, unfit }: Change): Preparing {
  return {
    ...(cause === 'patch' ? {} : { most: MOST_FILES_TOGETHER }),
    ...(unfit === undefined ? {} : { unfit }),
  };
}

/** Edits from outside go on record first, and with them what they mean for the holder: then the change cannot hide them. */
async function made(
  parts: Parts,
  caller: Caller,
  request: Change,
  prepared: Prepared,
): Promise<Changed | MovedOn | Refusal> {
  const paths = prepared.changes.map((file) => file.path);
  const needs = { paths, scopes: scopeNeeds(request.write.scope), contents: prepared.contents };
  const outside = new Set<string>();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    let intent: IntentId | undefined;
    const done = await act<Omit<Changed, 'outside'> | MovedOn | Drifted>(
      parts,
      caller,
      request.tool,
      needs,
      (draft, tx) =>
        effect(parts, caller, request, prepared, draft, () => {
          intent = tx.mark(prepared.files);
        }),
    );
    if (isRefusal(done) || 'moved' in done) return done;
    if (!('drifted' in done)) {
      finish(parts, prepared, intent, done.scope);
      return { ...done, outside: [...outside] };
    }
    for (const path of done.drifted) outside.add(path);
    await noteDrift(parts, caller, done.drifted);
  }
  return { moved: paths };
}

/** What the disk or a path refused, with the argument that it came in. */
function refused(parts: Parts, caller: Caller, { tool, argumentOf }: Change, refusal: Refusal) {
  const { path } = refusal.facts;
  const answer = argumentOf === undefined || typeof path !== 'string' ? refusal : inArgument(refusal, argumentOf(path));
  return act<Changed>(parts, caller, tool, {}, () => ({ answer }));
}

/** A refusal that can be seen without the write lock spares the preparation; the decision itself comes later, under it. */
async function refusedEarly(parts: Parts, caller: Caller, request: Change): Promise<Refusal | undefined> {
  const needs = { scopes: scopeNeeds(request.write.scope) };
  const seen = await parts.store.view(needs, (view) =>
    allowWrite(newDraft(view), claimant(parts, caller), request.write),
  );
  if (!isRefusal(seen)) return undefined;
  const answer = await act(parts, caller, request.tool, needs, (decision) => {
    const again = allowWrite(decision, claimant(parts, caller), request.write);
    return { answer: isRefusal(again) ? again : ('free' as const) };
  });
  return isRefusal(answer) ? answer : undefined;
}

function effect(
  parts: Parts,
  caller: Caller,
  request: Change,
  prepared: Prepared,
  draft: Draft,
  mark: () => void,
): Step<Omit<Changed, 'outside'> | MovedOn | Drifted> {
  let stopped: MovedOn | Drifted | undefined;
  const answer = draft.attempt<Omit<Changed, 'outside'>>(() => {
    const allowed = allowWrite(draft, claimant(parts, caller), request.write);
    if (isRefusal(allowed)) return allowed;
    const { scope, claimed } = allowed;
    const { run } = request;
    if (run !== undefined && !awaitsCommit(draft.view.state, run)) return overtaken(run);
    stopped = movedOn(parts, prepared) ?? drifted(draft, prepared.changes);
    if (stopped !== undefined) return undone;
    mark();
    parts.workspace.apply(prepared);
    draft.emit(changedEvent(request, prepared.changes, scope.id, scope.generation));
    const handle = printHandle(scope, parts.mint);
    return { seq: draft.view.state.seq, scope: scope.id, handle, claimed };
  });
  if (stopped !== undefined) return { answer: stopped };
  return { answer, ...(isRefusal(answer) ? {} : { life: scopeAlive(caller, answer.scope) }) };
}

/** A server that was stopped until another one had settled its run commits nothing more of it. */
function overtaken(run: string): Refusal {
  return refuse('LEASE_LOST', `The end of ${run} is on record already.`, `See it with run {"run": "${run}"}.`, { run });
}

/** Takes back what the attempt had claimed. */
const undone: Refusal = { refused: true, code: 'STALE_BASE', sentence: '', facts: {}, next: '' };

function changedEvent(request: Change, files: readonly FileChange[], scope: ScopeId, generation: number): EventBody {
  const run = request.run === undefined ? {} : { run: request.run };
  return { type: 'files.changed', scope, cause: request.cause, generation, files, ...run };
}

function movedOn(parts: Parts, prepared: Prepared): MovedOn | undefined {
  const moved = parts.workspace.verify(prepared);
  return moved.length === 0 ? undefined : { moved: moved.map((file) => file.path) };
}

function drifted(draft: Draft, changes: readonly FileChange[]): Drifted | undefined {
  const found = changes.filter(({ path, before }) => seemsDrifted(draft.view, { path, version: before }));
  return found.length === 0 ? undefined : { drifted: found.map((file) => file.path) };
}

/** After the answer: the files are synced, then the store need not remember them. */
function finish(parts: Parts, prepared: Prepared, intent: IntentId | undefined, holder: ScopeId): void {
  parts.workspace
    .finish(prepared, (edit) => noteLate(parts, edit, holder))
    .then(() => (intent === undefined ? undefined : parts.store.settle(intent)))
    .catch((error: unknown) => parts.log(`the files of a change by ${holder} could not be synced: ${String(error)}`));
}
