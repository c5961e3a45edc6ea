import { type Draft, draft as newDraft } from '../domain/draft.js';
import type { EventBody, FileChange } from '../domain/event.js';
import { printHandle } from '../domain/handle.js';
import type { IntentId } from '../domain/intent.js';
import { awaitsCommit } from '../domain/open-runs.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { ScopeId } from '../domain/scope.js';
import { allowWrite, type Write } from '../domain/write.js';
import { Overtaken } from '../workspace/files/apply.js';
import type { Prepared, Wanted } from '../workspace/workspace.js';
import { inArgument } from './argument.js';
import type { Caller } from './contract.js';
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

/**
 * The one way in which files change: new contents are laid beside their targets; then, in one transaction, lease, locks
 * and versions are checked, the way back is put on the disk, the files are renamed and the events are committed.
 */
export async function change(parts: Parts, caller: Caller, request: Change): Promise<Changed | MovedOn | Refusal> {
  const early = await refusedEarly(parts, caller, request);
  if (early !== undefined) return early;
  const prepared = await parts.workspace.prepare(request.wanted);
  if (isRefusal(prepared) && prepared.code === 'STALE_BASE') return { moved: request.wanted.map((file) => file.path) };
  if (isRefusal(prepared)) {
    const answer = withArgument(prepared, request);
    return act<Changed>(parts, caller, request.tool, {}, () => ({ answer }));
  }
  const paths = prepared.changes.map((file) => file.path);
  const needs = { paths, scopes: scopeNeeds(request.write.scope), contents: prepared.contents };
  let intent: IntentId | undefined;
  try {
    const done = await act<Changed | MovedOn>(parts, caller, request.tool, needs, (draft, tx) =>
      effect(parts, caller, request, prepared, draft, () => {
        intent = tx.mark(prepared.files);
      }),
    );
    if (isRefusal(done) || 'moved' in done) await parts.workspace.discard(prepared);
    else finish(parts, prepared, intent, done.scope);
    return done;
  } catch (error) {
    await parts.workspace.discard(prepared);
    // A person saved in the instant between the last check and the rename; the store has put everything back.
    if (error instanceof Overtaken) return { moved: paths };
    throw error;
  }
}

function withArgument(refusal: Refusal, { argumentOf }: Change): Refusal {
  const { path } = refusal.facts;
  return argumentOf === undefined || typeof path !== 'string' ? refusal : inArgument(refusal, argumentOf(path));
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
): Step<Changed | MovedOn> {
  let moved: readonly string[] = [];
  const answer = draft.attempt<Changed>(() => {
    const allowed = allowWrite(draft, claimant(parts, caller), request.write);
    if (isRefusal(allowed)) return allowed;
    const { scope, claimed } = allowed;
    const { run } = request;
    if (run !== undefined && !awaitsCommit(draft.view.state, run)) return overtaken(run);
    moved = parts.workspace.verify(prepared).map((file) => file.path);
    if (moved.length > 0) return movedOn;
    const outside = noteOutside(draft, prepared.changes, scope.id);
    mark();
    parts.workspace.apply(prepared);
    draft.emit(changedEvent(request, prepared.changes, scope.id, scope.generation));
    const handle = printHandle(scope, parts.mint);
    return { seq: draft.view.state.seq, scope: scope.id, handle, claimed, outside };
  });
  if (moved.length > 0) return { answer: { moved } };
  return { answer, ...(isRefusal(answer) ? {} : { life: scopeAlive(caller, answer.scope) }) };
}

/** A server that was stopped until another one had settled its run commits nothing more of it. */
function overtaken(run: string): Refusal {
  return refuse('LEASE_LOST', `The end of ${run} is on record already.`, `See it with run {"run": "${run}"}.`, { run });
}

const movedOn: Refusal = { refused: true, code: 'STALE_BASE', sentence: '', facts: {}, next: '' };

function changedEvent(request: Change, files: readonly FileChange[], scope: ScopeId, generation: number): EventBody {
  const run = request.run === undefined ? {} : { run: request.run };
  return { type: 'files.changed', scope, cause: request.cause, generation, files, ...run };
}

/** A file that is not as Signalbox left it was edited around it: on record before the next change hides it. */
function noteOutside(draft: Draft, changes: readonly FileChange[], holder: ScopeId): string[] {
  const files = changes.flatMap((file): FileChange[] => {
    const known = draft.view.file(file.path);
    return known === undefined || known.hash === file.before
      ? []
      : [{ path: file.path, before: known.hash, after: file.before }];
  });
  if (files.length > 0) draft.emit({ type: 'files.outside', files, holder });
  return files.map((file) => file.path);
}

/** After the answer: the files are synced, then the store need not remember them. */
function finish(parts: Parts, prepared: Prepared, intent: IntentId | undefined, holder: ScopeId): void {
  parts.workspace
    .finish(prepared, (edit) => noteLate(parts, edit, holder))
    .then(() => (intent === undefined ? undefined : parts.store.settle(intent)))
    .catch((error: unknown) => parts.log(`the files of a change by ${holder} could not be synced: ${String(error)}`));
}
