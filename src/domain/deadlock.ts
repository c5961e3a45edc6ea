import { blockers, isQueued, knownUnit, liveScope, type Queued, queuedScope } from './blockers.js';
import { isStateless, lapsed } from './leases.js';
import { compareTickets } from './queue-order.js';
import type { Owner, Scope, ScopeId, Ticket } from './scope.js';
import type { View } from './view.js';

/** How the search came to a scope: `queueing` waits for it, and `from` can't end before `queueing` is granted. */
interface Step {
  readonly from: ScopeId;
  readonly queueing: ScopeId;
}

/**
 * Looks for a way from a scope through all it waits for back to itself; called when its claim is in the state already.
 *
 * Edges of the wait graph: a held unit and an earlier ticket. A scope waits for whatever any ticket of its agent waits
 * for, because an agent in a queue finishes nothing else meanwhile. An unfinished `consumes` is an edge too, but never
 * part of a cycle: a scope that waits for outputs holds nothing, is ahead of nobody and leaves its agent free for other
 * work. When the outputs have come it queues for its units, and then it is tested like a claim.
 *
 * A process with several places counts as a wait for each holder, so a cycle may be found that would have dissolved.
 *
 * @returns the cycle as scope ids, beginning with `start`; undefined where there is none.
 */
export function findCycle(view: View, start: ScopeId): ScopeId[] | undefined {
  const own = ofSameAgent(view, liveScope(view, start));
  if (!own.some(isQueueing) || !isAwaited(view, own)) return undefined;
  const ends = new Set(own.map((scope) => scope.id));
  const steps = new Map<ScopeId, Step>();
  const open = [start];
  for (const from of open) {
    for (const queueing of ofSameAgent(view, liveScope(view, from)).filter(isQueueing)) {
      for (const id of waitsFor(view, queueing)) {
        if (ends.has(id)) return cycle(start, steps, { from, queueing: queueing.id }, id);
        if (steps.has(id)) continue;
        steps.set(id, { from, queueing: queueing.id });
        open.push(id);
      }
    }
  }
  return undefined;
}

/** Scopes of one agent on one connection. */
export function ownedBy(view: View, owner: Owner): Scope[] {
  return [...(view.state.owned.get(owner.connection) ?? [])]
    .map((id) => liveScope(view, id))
    .filter((scope) => scope.owner?.agent === owner.agent);
}

/** Without a connection nobody knows which scopes are of one agent: each stands alone. */
function ofSameAgent(view: View, scope: Scope): Scope[] {
  const { owner } = scope;
  return owner === undefined || isStateless(owner.connection) ? [scope] : ownedBy(view, owner);
}

/** Whether a scope waits for units, and not for outputs. */
function isQueueing(scope: Scope): scope is Queued {
  return isQueued(scope) && scope.pending.length === 0;
}

function waitsFor(view: View, scope: Queued): ScopeId[] {
  if (lapsed(view, scope) !== undefined) return [];
  const { id, ticket } = scope;
  return blockers(view, { scope: id, units: ticket.units, mode: ticket.mode, ticket }).map(
    (blocker) => blocker.scope.id,
  );
}

/** Whether anybody may wait for one of these scopes. Mostly nobody does, which spares the search on a hot file. */
function isAwaited(view: View, own: readonly Scope[]): boolean {
  return own.some((scope) => {
    const { ticket } = scope;
    const behind = (other: Ticket) => ticket !== undefined && compareTickets(ticket, other, view.settings) < 0;
    return (
      [...scope.locks.keys()].some((unit) => isQueuedFor(view, unit, scope, () => true)) ||
      (ticket?.units ?? []).some((unit) => isQueuedFor(view, unit, scope, behind))
    );
  });
}

function isQueuedFor(view: View, unit: string, own: Scope, waits: (ticket: Ticket) => boolean): boolean {
  return view.state.queue.overlapping(knownUnit(unit, view.settings.folds)).some((entry) => {
    return entry.scope !== own.id && waits(queuedScope(view, entry.scope).ticket);
  });
}

/** From the start along the steps to the last wait, and to where it ends. */
function cycle(start: ScopeId, steps: ReadonlyMap<ScopeId, Step>, last: Step, end: ScopeId): ScopeId[] {
  const way = end === start ? [] : [end];
  for (let step: Step | undefined = last; step !== undefined; step = steps.get(step.from)) {
    if (step.queueing !== step.from) way.unshift(step.queueing);
    way.unshift(step.from);
  }
  return way;
}
