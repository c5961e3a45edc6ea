import { blockers, isQueued, knownUnit, queuedScope, roomOf } from './blockers.js';
import type { Draft } from './draft.js';
import { lapsed, lost } from './leases.js';
import { isBusy } from './open-runs.js';
import { compareTickets } from './queue-order.js';
import type { Scope, ScopeId, Stopping, Ticket } from './scope.js';
import type { Unit } from './unit.js';
import type { View } from './view.js';

/** Grants what became possible when these units were freed, in ticket order. */
export function settle(draft: Draft, freed: readonly string[]): void {
  for (let units = freed; units.length > 0; ) units = settleOnce(draft, units);
}

/** The same for scopes that ask for no units: they stand in no queue, so nobody is ahead of them. */
export function settleUnitless(draft: Draft, ids: readonly ScopeId[]): void {
  for (const id of ids) {
    const ticket = draft.view.state.scopes.get(id)?.ticket;
    if (ticket?.units.length === 0) settleTicket(draft, id, ticket);
  }
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
export function lapse(draft: Draft, scope: Scope, reason: string): void {
  const to = scope.status === 'active' ? 'active' : isLeft(draft.view, scope) ? 'open' : 'cancelled';
  draft.emit({ type: 'scope.lapsed', scope: scope.id, reason, to });
}

/** Whether there is work left when its owner gives a scope up: for anybody, begun, or waited for by others. */
export function isLeft({ state }: View, { id, contract, changes }: Scope, reverted = false): boolean {
  return contract.standing || (changes > 0 && !reverted) || state.consumers.has(id);
}

/** One round over the tickets for these units. Returns units that became free meanwhile. */
function settleOnce(draft: Draft, units: readonly string[]): string[] {
  const freed: string[] = [];
  const barred = new Set<string>();
  for (const id of queueFor(draft.view, units)) {
    // An expiry in this round may have ended it, or taken its ticket.
    const scope = draft.view.state.scopes.get(id);
    if (scope?.ticket === undefined) continue;
    const { ticket, locks, pending } = scope;
    // Spares a hot file the comparison of each ticket with all others.
    if (locks.isEmpty() && ticket.units.some((unit) => barred.has(unit))) continue;
    freed.push(...settleTicket(draft, id, ticket));
    if (ticket.mode === 'write' && pending.length === 0)
      for (const unit of singles(draft.view, ticket)) barred.add(unit);
  }
  return freed;
}

/** Units of which there is one: a writer who has just been looked at holds them now, or is ahead, or has freed them. */
function singles(view: View, { units }: Ticket): string[] {
  return units.filter((unit) => roomOf(view, unitOf(view, unit)) === 1);
}

/** Scopes whose tickets overlap these units, in ticket order. */
function queueFor(view: View, units: readonly string[]): ScopeId[] {
  const entries = units.flatMap((text) => view.state.queue.overlapping(unitOf(view, text)));
  const queued = [...new Set(entries.map((entry) => entry.scope))].map((id) => queuedScope(view, id));
  return queued.sort((a, b) => compareTickets(a.ticket, b.ticket, view.settings)).map(({ id }) => id);
}

/** Grants a ticket, or lets it lapse, or leaves it waiting. Returns units that became free. */
function settleTicket(draft: Draft, id: ScopeId, { units, mode }: Ticket): string[] {
  const freed = [...reapOne(draft, id), ...reapHolders(draft, units)];
  const scope = draft.view.state.scopes.get(id);
  if (scope === undefined || !isQueued(scope) || scope.pending.length > 0) return freed;
  const { ticket, owner } = scope;
  if (blockers(draft.view, { scope: id, units, mode, ticket }).length > 0) return freed;
  const generation = draft.view.state.generation + 1;
  draft.emit({ type: 'scope.granted', scope: id, units, mode, owner, generation, queued: true });
  // Whoever is next for a process that has another place left waited only for this one's turn.
  return [...freed, ...units.filter((unit) => roomOf(draft.view, unitOf(draft.view, unit)) > 1)];
}

function reapHolders(draft: Draft, units: readonly string[]): string[] {
  const { view } = draft;
  const entries = units.flatMap((text) => view.state.locks.overlapping(unitOf(view, text)));
  return [...new Set(entries.map((entry) => entry.scope))].flatMap((id) => reapOne(draft, id));
}

/** Makes an expiry or a lapse that has come due an event. Returns the units that it frees. */
function reapOne(draft: Draft, id: ScopeId): string[] {
  const scope = draft.view.state.scopes.get(id);
  if (scope?.owner === undefined) return [];
  const expired = scope.status === 'active' ? lost(draft.view, scope) : undefined;
  const lapsing = lapsed(draft.view, scope);
  if (expired !== undefined) return takeAway(draft, scope, { how: 'expired', reason: expired });
  if (lapsing === undefined) return [];
  lapse(draft, scope, lapsing);
  return unitsOf(scope);
}

type Loss = Pick<Stopping, 'how' | 'reason'> & Partial<Pick<Stopping, 'reverted' | 'by'>>;

/**
 * Takes a scope from its owner. Commands of it that are under way may still write: until their ends are on record it
 * keeps what it holds. Returns the units that are free now.
 */
export function takeAway(draft: Draft, scope: Scope, loss: Loss): string[] {
  const from = scope.owner?.agent ?? scope.stopping?.from ?? loss.by ?? '';
  const why = { reverted: false, ...loss, from };
  if (!isBusy(draft.view.state, scope.id)) return becomeFree(draft, scope, why);
  draft.emit({ type: 'scope.stopping', scope: scope.id, ...why });
  return [...(scope.ticket?.units ?? [])];
}

/** What comes when nothing of a scope is under way any more. Returns its units. */
export function becomeFree(draft: Draft, scope: Scope, why: Omit<Stopping, 'since'>): string[] {
  const { id } = scope;
  const { how, reason, reverted, from, by = from } = why;
  if (how === 'expired') expire(draft, scope, from, reason);
  else if (how === 'paused') draft.emit({ type: 'scope.paused', scope: id, reason, by });
  else if (how === 'cancelled') {
    draft.emit({ type: 'scope.cancelled', scope: id, reason, by });
    tellDependants(draft, id, `it was cancelled (${reason})`);
  } else {
    const to = isLeft(draft.view, scope, reverted) ? 'open' : 'cancelled';
    draft.emit({ type: 'scope.released', scope: id, to, reason, from });
  }
  return unitsOf(scope);
}

/** The scope goes back to everyone, or has failed for good where that has happened too often. */
function expire(draft: Draft, { id, attempts }: Scope, from: string, reason: string): void {
  draft.emit({ type: 'scope.expired', scope: id, reason, from });
  const lost = attempts + 1;
  if (lost <= draft.view.settings.maxAttempts) return;
  const summary = `given up after ${lost} attempts; the last one ended because ${reason}`;
  draft.emit({ type: 'scope.failed', scope: id, summary, artifacts: [], to: 'failed' });
  tellDependants(draft, id, summary);
}

/** Tells whoever waits for outputs of a scope that they will not come, unless somebody opens it again. */
export function tellDependants(draft: Draft, id: ScopeId, reason: string): void {
  for (const consumer of draft.view.state.consumers.get(id, [])) {
    draft.emit({ type: 'scope.noted', scope: consumer, from: id, text: `${id} will not give its outputs: ${reason}` });
  }
}

function unitOf(view: View, text: string): Unit {
  return knownUnit(text, view.settings.folds);
}
