import { endedScope, unknownScope } from './authority.js';
import { liveScope } from './blockers.js';
import type { Draft } from './draft.js';
import { namedScope, tooMany, unfinished } from './open.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import { isEnded, type Scope } from './scope.js';
import { settle, takeAway } from './settle.js';

/** What an operator does to a scope, whoever has it. Each is an event with the operator's name. */

/** Takes it out of work until it is resumed. Its owner loses it; what it changed is handed over. */
export function pause(draft: Draft, given: string, by: string, reason: string): Scope | Refusal {
  const scope = live(draft, given);
  if (isRefusal(scope)) return scope;
  if (scope.status === 'paused') return unfit(scope, 'Resume it, or leave it as it is.');
  settle(draft, takeAway(draft, scope, { how: 'paused', reason, by }));
  return liveScope(draft.view, scope.id);
}

export function resume(draft: Draft, given: string, by: string): Scope | Refusal {
  const scope = live(draft, given);
  if (isRefusal(scope)) return scope;
  if (scope.status !== 'paused') return unfit(scope, 'Only a paused scope can be resumed.');
  draft.emit({ type: 'scope.resumed', scope: scope.id, by });
  return liveScope(draft.view, scope.id);
}

/** The work is not wanted any more. Whoever waits for its outputs is told. */
export function cancel(draft: Draft, given: string, by: string, reason: string): Scope | Refusal {
  const scope = live(draft, given);
  if (isRefusal(scope)) return scope;
  settle(draft, takeAway(draft, scope, { how: 'cancelled', reason, by }));
  return draft.view.scope(scope.id) ?? scope;
}

/** Opens a failed or cancelled scope again, with its attempts counted anew. What it consumes has to be looked up too. */
export function reopen(draft: Draft, given: string, by: string, reason: string): Scope | Refusal {
  const scope = namedScope(draft, given);
  if (scope === undefined) return unknownScope(given);
  if (scope.status !== 'failed' && scope.status !== 'cancelled') {
    return unfit(scope, 'Only a failed or cancelled scope can be opened again.');
  }
  const limit = tooMany(draft, 1);
  if (limit !== undefined) return limit;
  const { id, contract, openedBy, openedAt, changes, published, artifacts } = scope;
  const consumed = contract.consumes.map((name) => namedScope(draft, name)).filter((other) => other !== undefined);
  draft.emit({
    type: 'scope.reopened',
    scope: id,
    contract: { ...contract, standing: true },
    by,
    reason,
    pending: unfinished(consumed),
    opened: { by: openedBy, at: openedAt },
    changes,
    published,
    artifacts,
  });
  return liveScope(draft.view, scope.id);
}

/** A sentence that the owner is shown with its next result. */
export function note(draft: Draft, given: string, from: string, text: string): Scope | Refusal {
  const scope = live(draft, given);
  if (isRefusal(scope)) return scope;
  draft.emit({ type: 'scope.noted', scope: scope.id, from, text });
  return liveScope(draft.view, scope.id);
}

function live(draft: Draft, given: string): Scope | Refusal {
  const scope = namedScope(draft, given);
  if (scope === undefined) return unknownScope(given);
  return isEnded(scope.status) ? endedScope(scope) : scope;
}

function unfit({ id, status }: Scope, next: string): Refusal {
  return refuse('BLOCKED', `${id} is ${status}.`, next, { scope: id, status });
}
