import { blockers, knownUnit, liveScope, roomOf } from './blockers.js';
import type { Draft } from './draft.js';
import { lapsed, lost } from './leases.js';
import { compareTickets } from './queue-order.js';
import type { Scope, ScopeId, Ticket } from './scope.js';
import type { View } from './view.js';

/** Grants what became possible when these units were freed, in ticket order. */
export function settle(draft: Draft, freed: readonly string[]): void {
  for (let units = freed; units.length > 0; ) units = settleOnce(draft, units);
}

/** Expires what is lost among the holders of these units, and grants what is free to whoever queues for it. */
export function reap(draft: Draft, units: readonly string[]): void {
  settle(draft, [...units, ...reapHolders(draft, units)]);
}

/** Takes a scope from an owner that is gone, and a ticket from an agent that does not ask after it any more. */
export function reapScope(draft: Draft, id: ScopeId): void {
  settle(draft, reapOne(draft, id));
}

/** Units that a scope holds or waits for. */
export function unitsOf(scope: Scope): string[] {
  return [...scope.locks.keys(), ...(scope.ticket?.units ?? [])];
}

/** A ticket is void. An active scope keeps what it holds; one that only ever was a claim is no more. */
export function lapse(draft: Draft, id: ScopeId, reason: string): void {
  const lapsing = [{ id, reason }];
  for (const next of lapsing) {
    const scope = draft.view.state.scopes.get(next.id);
    if (scope?.ticket === undefined) continue;
    const to = scope.status === 'active' ? 'active' : isLeft(scope) ? 'open' : 'cancelled';
    draft.emit({ type: 'scope.lapsed', scope: next.id, reason: next.reason, to });
    if (to === 'cancelled') lapsing.push(...stranded(draft, next.id, to));
  }
}

/** The outputs of a scope will not come: tickets that wait for them lapse. They held nobody back, so nothing is freed. */
export function strand(draft: Draft, id: ScopeId, status: 'failed' | 'cancelled'): void {
  for (const next of stranded(draft, id, status)) lapse(draft, next.id, next.reason);
}

/** Whether there is work left when its owner gives a scope up. */
export function isLeft(scope: Scope): boolean {
  return scope.contract.standing || scope.changes > 0;
}

function stranded({ view }: Draft, id: ScopeId, status: string): { id: ScopeId; reason: string }[] {
  const reason = `${id} ${status}: its outputs will not come`;
  return [...(view.state.consumers.get(id) ?? [])].map((dependant) => ({ id: dependant, reason }));
}

/** One round over the tickets for these units. Returns units that became free meanwhile. */
function settleOnce(draft: Draft, units: readonly string[]): string[] {
  const freed: string[] = [];
  const taken = new Set<string>();
  for (const id of queueFor(draft.view, units)) {
    const { ticket, locks } = liveScope(draft.view, id);
    if (ticket === undefined) continue;
    // Spares a hot file the comparison of each ticket with all others.
    if (locks.isEmpty() && ticket.units.some((unit) => taken.has(unit))) continue;
    freed.push(...settleTicket(draft, id, ticket));
    if (ticket.mode === 'write' && isStanding(draft.view, id)) {
      for (const unit of ticket.units) if (roomOf(draft.view, unitOf(draft.view, unit)) === 1) taken.add(unit);
    }
  }
  return freed;
}
