import { awaiters, blockers, isQueued, knownUnit, liveScope, type Queued, queuedScope, roomOf } from './blockers.js';
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
  const near = own.some(isQueueing) ? mayWaitFor(view, own) : new Set();
  if (near.size === 0) return undefined;
  const ends = new Set(own.map((scope) => scope.id));
  const waits = new Waits(view);
  const steps = new Map<ScopeId, Step>();
  const open = [start];
  for (const from of open) {
    for (const queueing of queueingWith(view, from)) {
      for (const id of near.has(queueing.id) ? waits.all(queueing) : waits.more(queueing)) {
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
 * What tickets wait for. On a hot file every ticket waits for all before it: once the last of them has been asked, the
 * others have nothing to add.
 */
class Waits {
  readonly #view: View;
  /** The last writer's ticket whose waits at this unit are known. */
  readonly #known = new Map<string, Ticket>();

  constructor(view: View) {
    this.#view = view;
  }

  /** Latest first. */
  all(scope: Queued): ScopeId[] {
    return this.#at(scope, scope.ticket.units);
  }

  /** What is not known from a later ticket for the same unit. */
  more(scope: Queued): ScopeId[] {
    const { ticket } = scope;
    const isKnown = (unit: string): boolean => {
      const known = this.#known.get(unit);
      return known !== undefined && compareTickets(ticket, known, this.#view.settings) <= 0;
    };
    const units = ticket.units.filter((unit) => !isKnown(unit));
    const found = this.#at(scope, units);
    if (ticket.mode === 'write' && awaiters(this.#view, scope).size === 0) {
      for (const unit of units) if (this.#isSingle(unit)) this.#known.set(unit, ticket);
    }
    return found;
  }

  #at(scope: Queued, units: readonly string[]): ScopeId[] {
    const { id, ticket } = scope;
    const found = blockers(this.#view, { scope: id, units, mode: ticket.mode, ticket });
    return found.map((blocker) => blocker.scope.id).reverse();
  }

  #isSingle(unit: string): boolean {
    return roomOf(this.#view, knownUnit(unit, this.#view.settings.folds)) === 1;
  }
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

/** Scopes in which the agent of this one queues. */
function queueingWith(view: View, id: ScopeId): Queued[] {
  const queueing = ofSameAgent(view, liveScope(view, id)).filter(isQueueing);
  return queueing.filter((scope) => lapsed(view, scope) === undefined);
}

/** Whether a scope waits for units, and not for outputs. */
function isQueueing(scope: Scope): scope is Queued {
  return isQueued(scope) && scope.pending.length === 0;
}

/** Scopes that may wait for one of these: mostly none, which spares the search. */
function mayWaitFor(view: View, own: readonly Scope[]): Set<ScopeId> {
  const near = new Set<ScopeId>();
  for (const scope of own) {
    for (const id of awaiters(view, scope)) near.add(id);
    if (isQueued(scope)) for (const id of behind(view, scope)) near.add(id);
  }
  return near;
}

/** Scopes whose tickets overlap this one's and come after it. */
function behind(view: View, { ticket }: Queued): ScopeId[] {
  const entries = ticket.units.flatMap((unit) => view.state.queue.overlapping(knownUnit(unit, view.settings.folds)));
  return entries
    .map((entry) => entry.scope)
    .filter((id) => compareTickets(ticket, queuedScope(view, id).ticket, view.settings) < 0);
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
