import { lapsed, lost } from './leases.js';
import type { Entry } from './lock-index.js';
import { compareTickets } from './queue-order.js';
import type { Scope, ScopeId, Ticket } from './scope.js';
import { isRefusal } from './refusal.js';
import { type Mode, parseUnit, type Unit } from './unit.js';
import type { View } from './view.js';

/** What stands in the way of a claim. */
export interface Blocker {
  readonly scope: Scope;
  readonly why: 'held' | 'queued';
  /** The other's units that overlap. */
  readonly units: readonly string[];
}

export interface Request {
  /** Who asks; its own locks and tickets never conflict. */
  readonly scope: ScopeId;
  readonly units: readonly string[];
  readonly mode: Mode;
  /** Its place in the queue; a new claim comes last in its rank. */
  readonly ticket: Ticket;
}

export function excludes(a: Mode, b: Mode): boolean {
  return a === 'write' || b === 'write';
}

/** A unit that has passed a border before. */
export function knownUnit(text: string): Unit {
  const unit = parseUnit(text);
  if (isRefusal(unit)) throw new Error(`not a unit: ${text}`);
  return unit;
}

/**
 * The rule that decides a claim: it is granted exactly when this list is empty.
 * Live holders of overlapping units come first, then live tickets for them that are ahead in the queue.
 */
export function blockers(view: View, request: Request): Blocker[] {
  const found = new Map<string, { scope: Scope; why: Blocker['why']; units: Set<string> }>();
  const note = (why: Blocker['why'], entries: readonly Entry[]): void => {
    for (const entry of entries) {
      const scope = view.state.scopes.get(entry.scope);
      if (scope === undefined) throw new Error(`${entry.scope} is in the lock index but not alive`);
      const known = found.get(scope.id) ?? { scope, why, units: new Set<string>() };
      known.units.add(entry.unit);
      found.set(scope.id, known);
    }
  };
  for (const text of request.units) {
    const unit = knownUnit(text);
    const holders = holding(view, request, unit);
    const ahead = queuedAhead(view, request, unit);
    const room = unit.kind === 'process' ? capacityOf(view, unit) : 1;
    if (unit.kind === 'process' && holders.length + ahead.length < room) continue;
    note('held', holders);
    note('queued', ahead);
  }
  return [...found.values()].map((blocker) => ({ ...blocker, units: [...blocker.units] }));
}

function holding(view: View, request: Request, unit: Unit): Entry[] {
  return view.state.locks.overlapping(unit).filter((entry) => {
    if (entry.scope === request.scope || !excludes(entry.mode, request.mode)) return false;
    const holder = view.state.scopes.get(entry.scope);
    return holder !== undefined && lost(view, holder) === undefined;
  });
}

function queuedAhead(view: View, request: Request, unit: Unit): Entry[] {
  return view.state.queue.overlapping(unit).filter((entry) => {
    if (entry.scope === request.scope || !excludes(entry.mode, request.mode)) return false;
    const other = view.state.scopes.get(entry.scope);
    return other?.ticket !== undefined && isAhead(view, other, other.ticket, request);
  });
}

function isAhead(view: View, other: Scope, ticket: Ticket, request: Request): boolean {
  if (other.pending.length > 0 || lapsed(view, other) !== undefined) return false;
  if (compareTickets(ticket, request.ticket, view.now, view.settings) > 0) return false;
  return !waitsFor(view, ticket, request.scope);
}

/** A ticket that waits for units of the claimer itself is not ahead of the claimer's further claim. */
function waitsFor(view: View, ticket: Ticket, holder: ScopeId): boolean {
  const scope = view.state.scopes.get(holder);
  if (scope === undefined || scope.locks.isEmpty()) return false;
  return ticket.units.some((text) =>
    view.state.locks
      .overlapping(knownUnit(text))
      .some((entry) => entry.scope === holder && excludes(entry.mode, ticket.mode)),
  );
}

function capacityOf(view: View, unit: Unit): number {
  return view.settings.capacity[unit.text.slice('process:'.length)] ?? 1;
}
