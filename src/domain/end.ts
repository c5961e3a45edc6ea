import { type Claimant, endedScope, onlyScope, ownScope, unknownScope } from './authority.js';
import { isQueued, liveScope, ownerOf } from './blockers.js';
import type { Draft } from './draft.js';
import { enqueue, wouldNeverEnd } from './grant.js';
import { parseHandle } from './handle.js';
import { runsOf } from './open-runs.js';
import { compareTickets } from './queue-order.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import { type Artifact, isEnded, type Scope, type ScopeId } from './scope.js';
import { lapse, settle, settleUnitless, takeAway, tellDependants, unitsOf } from './settle.js';
import { isStopping } from './stopping.js';

/** The active (or, for a release, waiting) scope that a call is about. */
export function requireOwn(draft: Draft, claimant: Claimant, given: string | undefined): Scope | Refusal {
  const own = given === undefined ? onlyScope(draft, claimant) : ownScope(draft, claimant, given);
  if (own !== undefined) return own;
  return refuse(
    'NOT_CLAIMED',
    'You own no active scope.',
    'Pass scope (list_scopes {"mine": true} shows your handles), or claim one: claim_scope {"title": …, "units": […]}.',
    {},
  );
}

/** Gives a scope up. Work that is left goes back to everyone; a mere claim that changed nothing is no more. */
export function release(
  draft: Draft,
  claimant: Claimant,
  given: string | undefined,
  reason: string,
  reverted: boolean,
): Scope | Refusal {
  const own = requireOwn(draft, claimant, given);
  return isRefusal(own) ? own : giveUp(draft, own, reason, reverted);
}

function giveUp(draft: Draft, scope: Scope, reason: string, reverted = false): Scope {
  const { id } = scope;
  settle(draft, takeAway(draft, scope, { how: 'released', reason, reverted }));
  return draft.view.scope(id) ?? scope;
}

/** A scope that commands are under way for can't be finished: what they write would come too late. */
export function notWhileRunning({ view }: Draft, { id }: Scope): Refusal | undefined {
  const [first] = runsOf(view.state, id);
  if (first === undefined) return undefined;
  return refuse(
    'BUSY',
    `${first.run} of ${id} is still running.`,
    `Wait for it with run {"run": "${first.run}"}, or stop it with run {"run": "${first.run}", "stop": true}; then publish again.`,
    { scope: id, run: first.run },
  );
}

export interface Publication {
  readonly scope: ScopeId;
  readonly status: 'done' | 'progress' | 'failed';
  readonly summary: string;
  readonly artifacts: readonly Artifact[];
  readonly commit?: string;
}

/** Records a publication. Returns the scopes that it unblocks. */
export function publish(draft: Draft, own: Scope, { status, commit, ...rest }: Publication): ScopeId[] {
  const made = commit === undefined ? {} : { commit };
  if (status === 'progress') {
    draft.emit({ type: 'scope.progressed', ...rest, ...made });
    return [];
  }
  if (status === 'failed') {
    fail(draft, own, rest);
    return [];
  }
  const dependants = [...draft.view.state.consumers.get(own.id, [])];
  draft.emit({ type: 'scope.done', ...rest, ...made });
  tellResolved(draft, own, rest.summary);
  const unblocked = dependants.filter((id) => liveScope(draft.view, id).pending.length === 0);
  const units = beginQueueing(draft, unblocked);
  settle(draft, [...unitsOf(own), ...units]);
  settleUnitless(draft, unblocked);
  return unblocked.filter((id) => draft.view.state.scopes.has(id));
}

/** Those whose work collided hear how it was brought together. */
function tellResolved(draft: Draft, { id, contract }: Scope, summary: string): void {
  const { between = [], paths = [] } = contract.conflict ?? {};
  for (const other of between) {
    if (!draft.view.state.scopes.has(other)) continue;
    const text = `the conflict in ${paths.join(', ')} is resolved: ${summary}`;
    draft.emit({ type: 'scope.noted', scope: other, from: id, text });
  }
}

/**
 * The outputs have come: from now on waiting scopes queue for their units, at the end. Places that they had before would
 * turn the waits of others around. What would close a cycle lapses. Returns the units that are queued for.
 */
export function beginQueueing(draft: Draft, ids: readonly ScopeId[]): string[] {
  const { view } = draft;
  const queued = ids.map((id) => liveScope(view, id)).filter(isQueued);
  queued.sort((a, b) => compareTickets(a.ticket, b.ticket, view.settings));
  for (const scope of queued) {
    const { units, mode } = scope.ticket;
    enqueue(draft, scope.owner, scope, { units, mode });
  }
  for (const { id } of queued) {
    const refused = wouldNeverEnd(draft, id);
    if (refused !== undefined) lapse(draft, liveScope(draft.view, id), refused.sentence);
  }
  return queued.flatMap(({ ticket }) => ticket.units);
}

/** Work that others asked for may be tried again by anybody, but not for ever. */
function fail(draft: Draft, own: Scope, rest: Pick<Publication, 'scope' | 'summary' | 'artifacts'>): void {
  const { state, settings } = draft.view;
  const isAsked = own.contract.standing || state.consumers.has(own.id);
  const to = isAsked && own.attempts < settings.maxAttempts ? 'open' : 'failed';
  draft.emit({ type: 'scope.failed', ...rest, to, from: ownerOf(own).agent });
  if (to === 'failed') tellDependants(draft, own.id, `it failed (${rest.summary})`);
  settle(draft, unitsOf(own));
}

/** An operator takes a scope away from whoever has it; what it changed is handed over. */
export function releaseByOperator(draft: Draft, given: string, operator: string, reason: string): Scope | Refusal {
  const id = parseHandle(given)?.id;
  const scope = id === undefined ? undefined : draft.view.scope(id);
  if (scope === undefined) return unknownScope(given);
  if (isEnded(scope.status)) return endedScope(scope);
  if (scope.stopping !== undefined) return isStopping(draft.view.state, scope);
  if (scope.owner === undefined) {
    return refuse('NOT_CLAIMED', `${scope.id} is ${scope.status}: nobody holds it.`, 'There is nothing to release.', {
      scope: scope.id,
    });
  }
  return giveUp(draft, scope, `${reason} (by ${operator})`);
}
