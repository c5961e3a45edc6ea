import { askers, awaited, isQueued, knownUnit, liveScope, type Queued, queuedScope } from './blockers.js';
import { agentBehind, isOfCommand } from './command-scope.js';
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
 * Whoever asks for a process with several places counts as waiting for each holder, whether a place is left or not: places
 * come and go without a claim. So a cycle may be found that would have dissolved.
 *
 * @returns the cycle as scope ids, beginning with `start`; undefined where there is none.
 */
export function findCycle(view: View, start: ScopeId): ScopeId[] | undefined {
  const own = ofSameAgent(view, liveScope(view, start));
  if (!own.some(isQueueing) || !own.some((scope) => isAwaited(view, scope))) return undefined;
  const ends = new Set(own.map((scope) => scope.id));
  const known = new Map<string, Ticket>();
  const steps = new Map<ScopeId, Step>();
  const open = [start];
  for (const from of open) {
    for (const queueing of queueingWith(view, from)) {
      for (const id of waitsFor(view, queueing, known)) {
        if (ends.has(id)) return cycle(start, steps, { from, queueing: queueing.id }, id);
        if (steps.has(id)) continue;
        steps.set(id, { from, queueing: queueing.id });
        open.push(id);
      }
    }
  }
  return undefined;
}

/**
 * What a ticket waits for, the latest first, without what was found for a later ticket: on a hot file every ticket waits
 * for all before it, so once the last one has been asked the others have nothing to add.
 *
 * @param known by unit, the writer's ticket for which all has been found; nobody may be behind it only because it waits
 *   for that writer itself.
 */
function waitsFor(view: View, scope: Queued, known: Map<string, Ticket>): ScopeId[] {
  const { id, ticket } = scope;
  const units = ticket.units.filter((unit) => {
    const later = known.get(unit);
    return later === undefined || compareTickets(ticket, later, view.settings) > 0;
  });
  if (ticket.mode === 'write' && askers(view, scope).size === 0) for (const unit of units) known.set(unit, ticket);
  const found = awaited(view, { scope: id, units, mode: ticket.mode, ticket });
  return found.map((blocker) => blocker.scope.id).reverse();
}

/** Scopes of one connection whose owner is among these. */
export function ownedBy(view: View, connection: string, among: (owner: Owner) => boolean): Scope[] {
  return [...(view.state.owned.get(connection) ?? [])]
    .map((id) => liveScope(view, id))
    .filter((scope) => scope.owner !== undefined && among(scope.owner));
}

/**
 * Scopes that end only when their agent goes on, so that each waits for what any of them waits for. A command at work ends
 * by itself; one that queues keeps its agent in the queue. Without a connection nobody knows which scopes are of one agent.
 */
function ofSameAgent(view: View, scope: Scope): Scope[] {
  const { owner } = scope;
  if (owner === undefined || isStateless(owner.connection) || isAtWork(scope)) return [scope];
  const agent = agentBehind(owner.agent);
  return ownedBy(view, owner.connection, (other) => agentBehind(other.agent) === agent).filter(
    (other) => !isAtWork(other),
  );
}

function isAtWork(scope: Scope): boolean {
  return isOfCommand(scope) && !isQueued(scope);
}

/** Scopes in which the agent of this one queues. */
function queueingWith(view: View, id: ScopeId): Queued[] {
  const queueing = ofSameAgent(view, liveScope(view, id)).filter(isQueueing);
  return queueing.filter((scope) => lapsed(view, scope) === undefined);
}

/** Whether a scope waits for units, and not for outputs. */
function isQueueing(scope: Scope): scope is Queued {
  return isQueued(scope) && scope.pending.length === 0;
}

/** Whether anybody may wait for this scope: mostly nobody does, which spares the search. */
function isAwaited(view: View, scope: Scope): boolean {
  return askers(view, scope).size > 0 || (isQueued(scope) && isFollowed(view, scope));
}

/** Whether a ticket for overlapping units comes after this scope's. */
function isFollowed(view: View, { ticket }: Queued): boolean {
  return ticket.units.some((text) =>
    view.state.queue
      .overlapping(knownUnit(text, view.settings.folds))
      .some(({ scope }) => compareTickets(ticket, queuedScope(view, scope).ticket, view.settings) < 0),
  );
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
