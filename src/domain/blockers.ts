import { lapsed, lost } from './leases.js';
import { isBusy } from './open-runs.js';
import { compareTickets } from './queue-order.js';
import { isRefusal } from './refusal.js';
import type { Owner, Scope, ScopeId, Ticket } from './scope.js';
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

/** Another scope that holds an overlapping unit, or whose ticket for one is ahead. */
interface Met {
  readonly scope: Scope;
  readonly unit: string;
  readonly ticket?: Ticket;
}

/** A unit that has passed a border before. */
export function knownUnit(text: string, folds = false): Unit {
  const unit = parseUnit(text, folds);
  if (isRefusal(unit)) throw new Error(`not a unit: ${text}`);
  return unit;
}

/** A scope that the state itself names. */
export function liveScope(view: View, id: ScopeId): Scope {
  const scope = view.state.scopes.get(id);
  if (scope === undefined) throw new Error(`${id} is not alive`);
  return scope;
}

/** A scope with a ticket. Somebody waits with it, so it has an owner. */
export type Queued = Scope & { readonly ticket: Ticket; readonly owner: Owner };

export function isQueued(scope: Scope): scope is Queued {
  return scope.ticket !== undefined && scope.owner !== undefined;
}

/** A scope that the index of the queue names. */
export function queuedScope(view: View, id: ScopeId): Queued {
  return asQueued(liveScope(view, id));
}

/** A scope that is known to wait. */
export function asQueued(scope: Scope): Queued {
  if (!isQueued(scope)) throw new Error(`${scope.id} has no ticket`);
  return scope;
}

/** Who holds a scope, or held it until it began to stop. */
export function holderName({ owner, stopping }: Scope): string {
  return owner?.agent ?? stopping?.from ?? 'nobody';
}

/** The owner of a scope that is known to hold or to wait for something. */
export function ownerOf({ id, owner }: Scope): Owner {
  if (owner === undefined) throw new Error(`${id} has no owner`);
  return owner;
}

/**
 * The rule that decides a claim: it is granted exactly when this list is empty.
 * Live holders of overlapping units come first, then live tickets for them that are ahead, in the order of the queue.
 */
export function blockers(view: View, request: Request): Blocker[] {
  return among(view, request, (unit) => metAt(view, request, unit));
}

/** A process with a place left has no holders in the way, but whoever is ahead: that one may come for the place. */
function metAt(view: View, request: Request, unit: Unit): Met[] {
  const held = holders(view, request.scope, unit, request.mode);
  const isFull = new Set(held.map(({ scope }) => scope.id)).size >= roomOf(view, unit);
  return [...(isFull ? held : []), ...queuedAhead(view, request, unit)];
}

/** Whoever a claim may have to wait for: these, and holders of a process that has a place left, but perhaps not for long. */
export function awaited(view: View, request: Request): Blocker[] {
  return among(view, request, (unit) => [
    ...holders(view, request.scope, unit, request.mode),
    ...queuedAhead(view, request, unit),
  ]);
}

function among(view: View, request: Request, meets: (unit: Unit) => readonly Met[]): Blocker[] {
  const found = new Map<ScopeId, { scope: Scope; ticket: Ticket | undefined; units: Set<string> }>();
  for (const text of request.units) {
    for (const { scope, unit, ticket } of meets(knownUnit(text, view.settings.folds))) {
      const known = found.get(scope.id);
      if (known === undefined) found.set(scope.id, { scope, ticket, units: new Set([unit]) });
      else {
        known.units.add(unit);
        known.ticket &&= ticket;
      }
    }
  }
  return [...found.values()]
    .sort((a, b) => byTicket(view, a.ticket, b.ticket))
    .map(({ scope, ticket, units }) => ({ scope, why: ticket ? 'queued' : 'held', units: [...units] }));
}

/** A unit that was asked for, and units of others that each stand in the way of it: for a process, all of them together. */
export interface Bar {
  readonly unit: Unit;
  readonly by: readonly Unit[];
}

/** The first unit that something stands in the way of: there is one exactly where there are blockers. */
export function bar(view: View, request: Request): Bar | undefined {
  const { folds } = view.settings;
  for (const text of request.units) {
    const unit = knownUnit(text, folds);
    const met = metAt(view, request, unit);
    if (met.length > 0) return { unit, by: met.map((other) => knownUnit(other.unit, folds)) };
  }
  return undefined;
}

/** Those without a ticket come first. */
function byTicket(view: View, a: Ticket | undefined, b: Ticket | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return compareTickets(a, b, view.settings);
}

/** Live scopes other than `asker` that hold what a request of this mode meets at the unit. */
function holders(view: View, asker: ScopeId, unit: Unit, mode: Mode): Met[] {
  return view.state.locks
    .overlapping(unit)
    .filter((entry) => entry.scope !== asker && excludes(unit, entry.mode, mode))
    .map((entry) => ({ scope: liveScope(view, entry.scope), unit: entry.unit }))
    .filter(({ scope }) => stillHolds(view, scope));
}

/** Whether what a scope holds is still kept from others: its lease lives, or commands of it may. */
export function stillHolds(view: View, scope: Scope): boolean {
  return lost(view, scope) === undefined || isBusy(view.state, scope.id);
}

/** A ticket that waits for units of the claimer itself is not ahead of the claimer's further claim. */
function queuedAhead(view: View, request: Request, unit: Unit): Met[] {
  const ahead = view.state.queue
    .overlapping(unit)
    .filter((entry) => entry.scope !== request.scope && excludes(unit, entry.mode, request.mode))
    .map((entry) => ({ scope: queuedScope(view, entry.scope), unit: entry.unit }))
    .filter(({ scope }) => isAhead(view, scope, request.ticket));
  const behind = ahead.length > 0 ? awaiters(view, liveScope(view, request.scope)) : new Set();
  return ahead
    .filter(({ scope }) => !behind.has(scope.id))
    .map(({ scope, unit }) => ({ scope, unit, ticket: scope.ticket }));
}

function isAhead(view: View, other: Queued, ticket: Ticket): boolean {
  if (other.pending.length > 0 || compareTickets(other.ticket, ticket, view.settings) > 0) return false;
  return lapsed(view, other) === undefined;
}

/**
 * Scopes whose tickets surely wait until this one gives up what it holds. Who asks for a process with several places may
 * get another one: were that counted here, waits would turn around without any claim, and close cycles unseen.
 */
export function awaiters(view: View, scope: Scope): Set<ScopeId> {
  return asking(view, scope, (unit) => roomOf(view, unit) === 1);
}

/** Scopes whose tickets may have to wait for what this one holds: those, and whoever asks for a process that it runs. */
export function askers(view: View, scope: Scope): Set<ScopeId> {
  return asking(view, scope, () => true);
}

function asking(view: View, { id, locks }: Scope, counts: (unit: Unit) => boolean): Set<ScopeId> {
  const found = new Set<ScopeId>();
  for (const lock of locks.values()) {
    const unit = knownUnit(lock.unit, view.settings.folds);
    if (!counts(unit)) continue;
    for (const entry of view.state.queue.overlapping(unit)) {
      if (entry.scope !== id && excludes(unit, lock.mode, entry.mode)) found.add(entry.scope);
    }
  }
  return found;
}

/** A process has no readers: each of its holders runs it. */
function excludes(unit: Unit, a: Mode, b: Mode): boolean {
  return unit.kind === 'process' || a === 'write' || b === 'write';
}

/** How many scopes may hold a unit at once, where their modes exclude each other. */
export function roomOf(view: View, unit: Unit): number {
  return unit.kind === 'process' ? (view.settings.capacity.get(unit.text.slice('process:'.length)) ?? 1) : 1;
}
