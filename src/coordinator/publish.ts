import { stillWaiting } from '../domain/authority.js';
import { type Draft, draft as newDraft } from '../domain/draft.js';
import { publish as decidePublish, notWhileRunning, requireOwn } from '../domain/end.js';
import { tooMuch } from '../domain/outputs.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { type Rival, raiseSameOutputs } from '../domain/same-output.js';
import { type Artifact, artifactId, type Scope, type ScopeId } from '../domain/scope.js';
import { checksOf } from './check-run.js';
import { checked, type Passed } from './checks.js';
import { commitOf, type Staged } from './commit.js';
import type { Caller, PublishInput, PublishOutput } from './contract.js';
import { endRuns } from './end-runs.js';
import { collect, type Output } from './outputs.js';
import { act, claimant, type Parts, scopeAlive, scopeNeeds } from './parts.js';
import { rivalsOf } from './rivals.js';

/** What is ready to be published. */
interface Prepared {
  readonly outputs: readonly Output[];
  readonly staged: Staged | undefined;
}

interface Made {
  readonly scope: ScopeId;
  readonly artifacts: readonly Artifact[];
  readonly unblocked: readonly ScopeId[];
}

/** publish_output: stores the outputs, commits what this scope changed, marks it done and unblocks whoever waits for it. */
export async function publish(parts: Parts, caller: Caller, input: PublishInput): Promise<PublishOutput | Refusal> {
  const status = input.status ?? 'done';
  const checks = status === 'done' ? await runChecks(parts, caller, input) : undefined;
  if (checks !== undefined && !('changes' in checks)) return checks;
  if (status !== 'progress') await endRuns(parts, caller, input.scope);
  const own = await act<Scope>(parts, caller, 'publish_output', { scopes: scopeNeeds(input.scope) }, (draft) => ({
    answer: activeOwn(requireOwn(draft, claimant(parts, caller), input.scope), input.scope),
  }));
  if (isRefusal(own)) return own;
  if (status === 'done' && !hasPassed(own, checks)) return refusedPublication(parts, caller, workedOn(own));
  const outputs = await collect(parts, own, input);
  if (isRefusal(outputs)) return refusedPublication(parts, caller, outputs);
  await parts.store.keep(outputs.contents);
  const staged = status === 'failed' ? undefined : await commitOf(parts, caller, own, input);
  if (isRefusal(staged)) return refusedPublication(parts, caller, staged);
  const made = await record(parts, caller, own, input, { outputs: outputs.artifacts, staged });
  if (isRefusal(made)) return made;
  return {
    id: made.scope,
    status: status === 'progress' ? 'active' : status,
    ...(staged === undefined
      ? {}
      : { commit: staged.commit, ...(staged.branch === undefined ? {} : { branch: staged.branch }) }),
    artifacts: made.artifacts,
    unblocked: made.unblocked,
  };
}

/** A check that has not ended, or has failed, or the scope as they have passed for it. Who may not publish is told later. */
async function runChecks(
  parts: Parts,
  caller: Caller,
  { scope }: PublishInput,
): Promise<PublishOutput | Refusal | Passed | undefined> {
  const own = await parts.store.view({ scopes: scopeNeeds(scope) }, (view) =>
    requireOwn(newDraft(view), claimant(parts, caller), scope),
  );
  if (isRefusal(own) || own.status !== 'active') return undefined;
  const found = await checked(parts, caller, own);
  if ('changes' in found) return found;
  if (isRefusal(found)) return refusedPublication(parts, caller, found);
  const { command: check, run } = found;
  return { id: own.id, status: 'checking', check, run, artifacts: [], unblocked: [] };
}

/** Whether it is the scope that was checked, and as it was then. */
function hasPassed(own: Scope, passed: Passed | undefined): boolean {
  if (checksOf(own).length === 0) return true;
  return passed?.id === own.id && passed.tenure === own.tenure && passed.changes === own.changes;
}

function activeOwn(own: Scope | Refusal, given: string | undefined): Scope | Refusal {
  return isRefusal(own) || own.status === 'active' ? own : stillWaiting(own, given);
}

function refusedPublication(parts: Parts, caller: Caller, refusal: Refusal): Promise<PublishOutput | Refusal> {
  return act<PublishOutput>(parts, caller, 'publish_output', {}, () => ({ answer: refusal }));
}

/** The publication itself, in one transaction: the commit moves HEAD under the same lock that records it. */
async function record(
  parts: Parts,
  caller: Caller,
  own: Scope,
  input: PublishInput,
  { outputs, staged }: Prepared,
): Promise<Made | Refusal> {
  const status = input.status ?? 'done';
  try {
    const rivals = status === 'failed' ? [] : await rivalsOf(parts, own, outputs);
    const made = await act<Made>(parts, caller, 'publish_output', { scopes: [own.id] }, (draft) => {
      const answer = draft.attempt<Made>(() => {
        const again = activeOwn(requireOwn(draft, claimant(parts, caller), input.scope ?? own.id), input.scope);
        if (isRefusal(again)) return again;
        if (again.tenure !== own.tenure || again.changes !== own.changes) return workedOn(own);
        const refusal =
          tooMuch(again, { artifacts: outputs.length, bytes: 0 }, draft.view.settings) ??
          (status === 'progress' ? undefined : notWhileRunning(draft, again));
        if (refusal !== undefined) return refusal;
        const commit = staged === undefined ? {} : { commit: staged.commit };
        const artifacts = withIds(draft, outputs);
        if (status !== 'failed') raiseOverlaps(parts, draft, again, artifacts, rivals);
        const publication = { scope: own.id, status, summary: input.summary, artifacts, ...commit };
        const unblocked = decidePublish(draft, again, publication);
        const moved = staged?.move();
        return moved ?? { scope: own.id, artifacts, unblocked };
      });
      return { answer, life: scopeAlive(caller, own.id) };
    });
    await staged?.close(true);
    return made;
  } catch (error) {
    await staged?.close(false);
    throw error;
  }
}

function withIds({ view }: Draft, outputs: readonly Output[]): Artifact[] {
  const next = view.state.artifactCount + 1;
  return outputs.map((output, at) => ({ ...output, id: artifactId(next + at) }));
}

function raiseOverlaps(
  parts: Parts,
  draft: Draft,
  own: Scope,
  artifacts: readonly Artifact[],
  rivals: readonly Rival[],
): void {
  for (const { sentence } of raiseSameOutputs(draft, own, artifacts, rivals))
    parts.log(`no scope was opened for an output of ${own.id}: ${sentence}`);
}

function workedOn(own: Scope): Refusal {
  return refuse(
    'BUSY',
    `${own.id} was changed while it was being published; nothing was published.`,
    'Call publish_output again when your other calls are answered.',
    { scope: own.id },
  );
}
