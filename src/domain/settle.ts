import { blockers } from './blockers.js';
import type { Draft } from './draft.js';
import { knownUnit } from './blockers.js';
import { lapsed, lost } from './leases.js';
import { compareTickets } from './queue-order.js';
import type { Scope, ScopeId } from './scope.js';

/** Takes a scope from an owner that is gone: its locks are free, its work is open for somebody else. */
export function expire(draft: Draft, scope: Scope, reason: string): void {
  const freed = unitsOf(scope);
  draft.emit({ type: 'scope.expired', scope: scope.id, reason, from: scope.owner?.agent ?? 'unknown' });
  settle(draft, freed);
}

/** Expires what is lost among the holders of these units and whatever queues for them. */
export function reap(draft: Draft, units: readonly string[]): void {
  const { state } = draft.view;
  const ids = new Set(units.flatMap((text) => state.locks.overlapping(knownUnit(text)).map((entry) => entry.scope)));
  for (const id of ids) reapScope(draft, id);
  settle(draft, units);
}

export function reapScope(draft: Draft, id: ScopeId): void {
  const scope = draft.view.state.scopes.get(id);
  if (scope === undefined || scope.status !== 'active') return;
  const reason = lost(draft.view, scope);
  if (reason !== undefined) expire(draft, scope, reason);
}

/** Units that a scope holds or waits for. */
export function unitsOf(scope: Scope): string[] {
  return [...scope.locks.keys(), ...(scope.ticket?.units ?? [])];
}

/** Grants what became possible when these units were freed or these scopes unblocked, in ticket order. */
export function settle(draft: Draft, freed: readonly string[], unblocked: readonly ScopeId[] = []): void {
  let units = freed;
  let scopes = unblocked;
  while (units.length > 0 || scopes.length > 0) {
    const void_: string[] = [];
    for (const scope of candidates(draft, units, scopes)) void_.push(...settleTicket(draft, scope.id));
    units = void_;
    scopes = [];
  }
}

function candidates(draft: Draft, freed: readonly string[], unblocked: readonly ScopeId[]): Scope[] {
  const { state, now, settings } = draft.view;
  const queued = freed.flatMap((text) => state.queue.overlapping(knownUnit(text)).map((entry) => entry.scope));
  const tickets = [...new Set([...queued, ...unblocked])].flatMap((id) => {
    const scope = state.scopes.get(id);
    return scope?.ticket === undefined ? [] : [{ scope, ticket: scope.ticket }];
  });
  return tickets.sort((a, b) => compareTickets(a.ticket, b.ticket, now, settings)).map(({ scope }) => scope);
}

/** Grants a ticket, or lets it lapse, or leaves it waiting. Returns the units that a lapse frees. */
function settleTicket(draft: Draft, id: ScopeId): string[] {
  const { view } = draft;
  const scope = view.state.scopes.get(id);
  if (scope?.ticket === undefined || scope.owner === undefined) return [];
  const { ticket, owner } = scope;
  const reason = lapsed(view, scope);
  if (reason !== undefined) {
    lapse(draft, scope, reason);
    return [...ticket.units];
  }
  if (scope.pending.length > 0) return [];
  if (blockers(view, { scope: id, units: ticket.units, mode: ticket.mode, ticket }).length > 0) return [];
  const generation = view.state.generation + 1;
  draft.emit({ type: 'scope.granted', scope: id, units: ticket.units, mode: ticket.mode, owner, generation, queued: true });
  return [];
}

/** What a lapse leaves: an active scope keeps what it holds; one that only ever was a claim is no more. */
function lapse(draft: Draft, scope: Scope, reason: string): void {
  const to = scope.status === 'active' ? 'active' : scope.contract.standing || scope.changes > 0 ? 'open' : 'cancelled';
  draft.emit({ type: 'scope.lapsed', scope: scope.id, reason, to });
}
