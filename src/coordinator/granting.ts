import { blockers, holderName } from '../domain/blockers.js';
import { placeLost } from '../domain/claim.js';
import { printHandle } from '../domain/handle.js';
import { stoppingScopes } from '../domain/open-runs.js';
import { type Refusal, refuse } from '../domain/refusal.js';
import { isEnded, type Scope, type ScopeId } from '../domain/scope.js';
import type { State } from '../domain/state.js';
import { endsAwaited } from '../domain/stopping.js';
import type { View } from '../domain/view.js';
import type { Caller, ClaimOutput } from './contract.js';
import { failedInputs, handover, inputs } from './inheritance.js';
import type { Parts } from './parts.js';
import { stopped } from './unfinished-runs.js';

/** How long to see to the commands of scopes that are stopping, before the look at what else there is: in milliseconds. */
const ENDING = 1_000;
/** How often a waiting caller is told its place, in milliseconds. */
export const TELL = 5_000;

/**
 * Waits for the grant until the deadline, or until an input has failed that the caller does not know of.
 * The ticket keeps its place whatever the answer.
 */
export async function granted(
  parts: Parts,
  caller: Caller,
  own: Scope,
  known: readonly string[],
  deadline: AbortSignal,
): Promise<ClaimOutput | Refusal> {
  let collected = false;
  parts.presence.waits(caller.connection, own.id);
  try {
    await overOrGranted(parts, caller, own, known, deadline);
    const { scope, queue } = await parts.store.view({ scopes: [own.id] }, (view) => standing(view, own.id));
    if (isOver(scope, own)) return takenAway(scope);
    if (scope.lapsed !== undefined) return placeLost(scope, scope.lapsed, printHandle(scope, parts.mint));
    // Where nobody hears the answer any more, the grant is held until it is fetched.
    collected = isGranted(scope) && !caller.signal.aborted;
    return await answer(parts, scope, queue);
  } finally {
    parts.presence.stopsWaiting(caller.connection, own.id, collected);
  }
}

/** Every commit of anybody wakes it: the queue is worked out only where somebody is to hear of it. */
async function overOrGranted(
  parts: Parts,
  caller: Caller,
  own: Scope,
  known: readonly string[],
  deadline: AbortSignal,
): Promise<void> {
  let told = Number.NEGATIVE_INFINITY;
  while (!deadline.aborted) {
    const { scope, failed, seq, now, stopping } = await parts.store.view({ scopes: [own.id] }, (view) => ({
      scope: scopeIn(view, own.id),
      failed: failures(view.state, scopeIn(view, own.id)),
      seq: view.state.seq,
      now: view.now,
      stopping: stoppingScopes(view.state),
    }));
    if (isGranted(scope) || isOver(scope, own) || failed.some((failure) => !known.includes(failure))) return;
    if (caller.progress !== undefined && now - told >= TELL) {
      caller.progress(waitingSentence(await parts.store.view({ scopes: [own.id] }, (view) => standing(view, own.id))));
      told = now;
    }
    // Whoever waits sees to it that what stops comes to its end.
    if (stopping.length === 0) await parts.store.changed(seq, deadline);
    else await Promise.all(stopping.map((id) => stopped(parts, id, ENDING, deadline)));
  }
}

export function isGranted(scope: Scope): boolean {
  return scope.status === 'active' && scope.ticket === undefined;
}

/** Whether the wait came to nothing; somebody else may have taken the scope up since. */
function isOver(scope: Scope, own: Scope): boolean {
  return isEnded(scope.status) || scope.tenure !== own.tenure;
}

interface Standing {
  readonly scope: Scope;
  readonly queue: ClaimOutput['queue'];
}

function standing(view: View, id: ScopeId): Standing {
  const scope = scopeIn(view, id);
  const { ticket } = scope;
  if (ticket === undefined) return { scope, queue: undefined };
  const ahead = blockers(view, { scope: id, units: ticket.units, mode: ticket.mode, ticket });
  const queue = {
    position: ahead.filter((blocker) => blocker.why === 'queued').length + 1,
    ahead: ahead.map((blocker) => ({
      id: blocker.scope.id,
      agent: holderName(blocker.scope),
      title: blocker.scope.contract.title,
      units: blocker.units,
      ...untilEnded(view, blocker.scope),
    })),
  };
  return { scope, queue };
}

/** A scope that was alive, or has ended since. */
function scopeIn(view: View, id: ScopeId): Scope {
  const scope = view.scope(id);
  if (scope === undefined) throw new Error(`${id} has vanished`);
  return scope;
}

/** Inputs that have failed or were lost, each with how often: a new failure is a new text. */
export function failures({ scopes }: State, { pending }: Scope): string[] {
  const attempts = pending.map((id) => ({ id, often: scopes.get(id)?.attempts ?? 'ended' }));
  return attempts.filter(({ often }) => often !== 0).map(({ id, often }) => `${id} ${often}`);
}

function untilEnded(view: View, scope: Scope): { readonly until?: readonly string[] } {
  const until = endsAwaited(view.state, scope);
  return until.length === 0 ? {} : { until };
}

function waitingSentence({ scope, queue }: Standing): string {
  if (scope.pending.length > 0) return `waiting for the outputs of ${scope.pending.join(', ')}`;
  const names = (queue?.ahead ?? []).slice(0, 3).map(({ id, agent, until = [] }) => {
    return `${id} (${agent}${until.length > 0 ? `, until ${until.join(', ')} has ended` : ''})`;
  });
  return `place ${queue?.position ?? 1} in the queue, behind ${names.join(', ') || 'nobody'}`;
}

export async function answer(parts: Parts, scope: Scope, queue?: ClaimOutput['queue']): Promise<ClaimOutput> {
  const waiting = scope.ticket !== undefined;
  const common = {
    scope: printHandle(scope, parts.mint),
    id: scope.id,
    generation: scope.generation,
    ...(scope.pending.length > 0 ? { blocked_on: scope.pending } : {}),
    ...(await inputs(parts, scope)),
    ...(await failedInputs(parts, scope)),
    ...(await handover(parts, scope)),
  };
  if (!waiting) return { ...common, status: 'active', units: [...scope.locks.keys()] };
  const place = queue === undefined || scope.pending.length > 0 ? {} : { queue };
  return { ...common, status: 'waiting', units: scope.ticket?.units ?? [], ...place };
}

/** While the call waited, somebody released or took up the scope, or its ticket lapsed. */
function takenAway(scope: Scope): Refusal {
  const next =
    scope.status === 'open'
      ? `Call claim_scope {"scope": "${scope.id}"} to queue for it again.`
      : 'Claim what you need anew with claim_scope.';
  return refuse('LEASE_LOST', `${scope.id} is ${scope.status}: it is no longer yours.`, next, {
    scope: scope.id,
    status: scope.status,
  });
}
