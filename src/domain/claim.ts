import { type Claimant, endedScope, isOwn, unknownScope } from './authority.js';
import { type Blocker, blockers } from './blockers.js';
import { findCycle } from './deadlock.js';
import type { Draft } from './draft.js';
import { parseHandle } from './handle.js';
import { isStateless } from './leases.js';
import { openScope, type Opening } from './open.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import { isEnded, type Scope, type ScopeId } from './scope.js';
import { reap, reapScope } from './settle.js';
import type { Mode } from './unit.js';

/** A claim: of an open scope by id, of a new one declared with it, or of further units for one's own. */
export interface Claim {
  readonly scope?: string;
  /** The contract of a new scope; used where `scope` is left out. */
  readonly opening: Opening;
  readonly units: readonly string[];
  readonly mode: Mode;
}

export interface Claimed {
  readonly scope: ScopeId;
  /** What still stands in the way; empty when the scope is active with all it asked for. */
  readonly ahead: readonly Blocker[];
}

/** All or nothing: every unit is granted, or the whole claim waits with one ticket, or it is refused. */
export function claim(draft: Draft, claimant: Claimant, request: Claim): Claimed | Refusal {
  const known = request.scope === undefined ? undefined : existing(draft, claimant, request.scope);
  if (isRefusal(known)) return known;
  reap(draft, [...request.units, ...(known?.contract.units ?? [])]);
  return draft.attempt(() => {
    const id = known?.id ?? openScope(draft, claimant.owner.agent, request.opening);
    if (isRefusal(id)) return id;
    const scope = draft.view.state.scopes.get(id);
    if (scope === undefined) throw new Error(`${id} was opened and is not there`);
    const units = missingUnits(scope, request);
    const settled = units.length === 0 && scope.status !== 'open';
    return settled ? { scope: id, ahead: waitingFor(draft, scope) } : acquire(draft, claimant, scope, units, request.mode);
  });
}

function existing(draft: Draft, claimant: Claimant, given: string): Scope | Refusal {
  const handle = parseHandle(given);
  if (handle === undefined) return unknownScope(given);
  reapScope(draft, handle.id);
  const scope = draft.view.scope(handle.id);
  if (scope === undefined) return unknownScope(given);
  if (isEnded(scope.status)) return endedScope(scope);
  if (scope.status === 'open' || isOwn(scope, claimant, handle)) return scope;
  const agent = scope.owner?.agent ?? 'nobody';
  return refuse('NOT_YOURS', `${scope.id} is ${scope.status}; ${agent} has it.`, 'Call list_scopes {"status": "open"} for open work, or claim the units you need as a scope of your own.', {
    scope: scope.id,
    agent,
  });
}

/** What the claim asks for and the scope has not yet: an open scope asks for all units of its contract. */
function missingUnits(scope: Scope, request: Claim): string[] {
  const asked = scope.status === 'open' ? [...scope.contract.units, ...request.units] : request.units;
  return [...new Set(asked)].filter((unit) => {
    const lock = scope.locks.get(unit);
    if (lock !== undefined) return request.mode === 'write' && lock.mode === 'read';
    return !(scope.ticket?.units.includes(unit) && scope.ticket.mode === request.mode);
  });
}

function waitingFor(draft: Draft, scope: Scope): Blocker[] {
  const { ticket } = scope;
  if (ticket === undefined) return [];
  return blockers(draft.view, { scope: scope.id, units: ticket.units, mode: ticket.mode, ticket });
}

function acquire(draft: Draft, claimant: Claimant, scope: Scope, missing: readonly string[], mode: Mode): Claimed | Refusal {
  const units = [...new Set([...(scope.ticket?.units ?? []), ...missing])];
  const limit = tooMany(draft, scope, units);
  if (limit !== undefined) return limit;
  const ticket = newTicket(draft, scope, units, mode);
  const ahead = blockers(draft.view, { scope: scope.id, units, mode, ticket });
  const sibling = ahead.find((blocker) => isSibling(blocker, claimant));
  if (sibling !== undefined) return heldBySibling(sibling);
  const generation = draft.view.state.generation + 1;
  const { owner } = claimant;
  if (ahead.length === 0 && scope.pending.length === 0) {
    const queued = scope.ticket !== undefined;
    draft.emit({ type: 'scope.granted', scope: scope.id, units, mode, owner, generation, queued });
    return { scope: scope.id, ahead };
  }
  const cycle = findCycle(draft.view, scope, owner, [...ahead.map((blocker) => blocker.scope.id), ...scope.pending]);
  if (cycle !== undefined) return deadlock(draft, scope, cycle, ahead);
  draft.emit({ type: 'scope.queued', scope: scope.id, units, mode, owner, priority: scope.contract.priority, generation });
  return { scope: scope.id, ahead };
}

/** The place that the claim takes in the queue if it has to wait: the last of its rank. */
function newTicket(draft: Draft, scope: Scope, units: readonly string[], mode: Mode) {
  return { units, mode, arrival: draft.view.state.seq + 1, since: draft.view.now, priority: scope.contract.priority };
}

function tooMany(draft: Draft, scope: Scope, units: readonly string[]): Refusal | undefined {
  const { maxUnits, maxTickets } = draft.view.settings;
  const count = scope.locks.size + units.length;
  if (count > maxUnits) {
    return refuse('LIMIT', `A scope may hold ${maxUnits} units; this claim comes to ${count}.`, 'Claim folders or globs instead of single files.', { limit: maxUnits, asked: count });
  }
  if (draft.view.state.queue.size + units.length > maxTickets) {
    return refuse('LIMIT', `${maxTickets} units are being waited for already.`, 'Wait for some of them, or claim less.', { limit: maxTickets });
  }
  return undefined;
}

/** A parent that holds a folder and waits for its subagent's claim below it would wait for ever. */
function isSibling(blocker: Blocker, { owner }: Claimant): boolean {
  return blocker.why === 'held' && !isStateless(owner.connection) && blocker.scope.owner?.connection === owner.connection;
}

function heldBySibling({ scope, units }: Blocker): Refusal {
  const agent = scope.owner?.agent ?? 'unknown';
  return refuse('HELD', `${units.join(', ')} is held by ${scope.id} (${agent}) on your own connection.`, `Release ${scope.id} with release_scope, or work under its handle: pass it as scope.`, {
    units: [...units],
    holder: scope.id,
    agent,
  });
}

function deadlock(draft: Draft, scope: Scope, cycle: readonly ScopeId[], ahead: readonly Blocker[]): Refusal {
  const name = (id: ScopeId): string => {
    const owner = draft.view.state.scopes.get(id)?.owner;
    return owner === undefined ? 'your claim' : `${id} (${owner.agent})`;
  };
  const names = [...cycle, scope.id].map(name);
  return refuse('DEADLOCK', `Waiting would never end: ${names.join(' waits for ')}.`, 'Release what the others wait for (release_scope), or finish and publish it, then claim again.', {
    cycle: [...cycle],
    units: ahead.flatMap((blocker) => [...blocker.units]),
  });
}
