import { goOnWithout } from './amend.js';
import { type Claimant, endedScope, isOwn, isSameAgent, unknownScope } from './authority.js';
import { type Blocker, blockers, isQueued, knownUnit, liveScope, ownerOf } from './blockers.js';
import { isOfCommand } from './command-scope.js';
import type { Draft } from './draft.js';
import { enqueue, grant, obstacles, tooManyUnits, type Wish, wouldNeverEnd } from './grant.js';
import { parseHandle } from './handle.js';
import { isStateless } from './leases.js';
import { denied } from './limits.js';
import { type Opening, openScope } from './open.js';
import { nextScope, nothingToDo, type Pickup } from './pickup.js';
import { isRefusal, listed, type Refusal, refuse } from './refusal.js';
import { isEnded, type Lapsed, type Owner, type Scope, type ScopeId } from './scope.js';
import { reap, reapScope, settle } from './settle.js';
import { isStopping } from './stopping.js';
import type { Mode } from './unit.js';

/** A claim: of an open scope, of a new one declared with it, or of further units for one's own. */
export interface Claim {
  readonly scope?: string;
  /** Takes up the next open scope of this kind, where `scope` is left out. */
  readonly next?: Pickup;
  /** What the scope goes on consuming, where some of its inputs have failed. */
  readonly left?: readonly string[];
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
  const picked = request.next === undefined ? undefined : nextScope(draft, claimant, request.next);
  if (request.next !== undefined && picked === undefined) return nothingToDo(draft.view, request.next);
  const given = request.scope ?? picked?.id;
  if (given !== undefined) reapAsked(draft, given);
  reap(draft, request.units);
  const known = given === undefined ? undefined : existing(draft, claimant, request, given);
  if (isRefusal(known)) return known;
  return draft.attempt(() => {
    const id = known?.id ?? openScope(draft, claimant.owner.agent, request.opening);
    if (isRefusal(id)) return id;
    const going = request.left && goOnWithout(draft, liveScope(draft.view, id), request.left, claimant.owner.agent);
    if (isRefusal(going)) return going;
    const scope = liveScope(draft.view, id);
    const wish = { units: missingUnits(scope, request), mode: request.mode };
    const barred = denied(claimant, draft.view, scope.contract.phase, wish.units);
    if (barred !== undefined) return barred;
    const isNew = scope.status === 'open' || wish.units.length > 0;
    return (isNew ? acquire(draft, claimant, scope, wish) : undefined) ?? { scope: id, ahead: waitingFor(draft, id) };
  });
}

/** Makes what has come due around a scope an event, so that the claim meets it as it is. */
function reapAsked(draft: Draft, given: string): void {
  const id = parseHandle(given)?.id;
  if (id === undefined) return;
  reapScope(draft, id);
  const scope = draft.view.state.scopes.get(id);
  reap(draft, scope?.ticket?.units ?? scope?.contract.units ?? []);
}

function existing(draft: Draft, claimant: Claimant, { units }: Claim, given: string): Scope | Refusal {
  const handle = parseHandle(given);
  const scope = handle === undefined ? undefined : draft.view.scope(handle.id);
  if (handle === undefined || scope === undefined) return unknownScope(given);
  if (isEnded(scope.status)) return endedScope(scope);
  if (scope.stopping !== undefined) return isStopping(draft.view.state, scope);
  if (scope.status === 'open') return scope;
  if (isOwn(scope, claimant, handle))
    return scope.lapsed !== undefined && units.length === 0 ? placeLost(scope, scope.lapsed, given) : scope;
  if (scope.status === 'paused') return paused(scope);
  const { agent } = ownerOf(scope);
  return refuse(
    'NOT_YOURS',
    `${scope.id} is ${scope.status}; ${agent} has it.`,
    'Call list_scopes {"status": "open"} for open work, or claim the units you need as a scope of your own.',
    { scope: scope.id, agent },
  );
}

/** Whoever goes on waiting is told that it does not wait any more: what it has is not all that it asked for. */
export function placeLost({ id, locks }: Scope, { units, mode, reason }: Lapsed, given: string): Refusal {
  const held = locks.isEmpty() ? '' : ` It still holds ${listed([...locks.keys()])}.`;
  return refuse(
    'NOT_CLAIMED',
    `${id} has lost its place in the queue for ${listed(units)} (${reason}).${held}`,
    `Call claim_scope ${JSON.stringify({ scope: given, units, ...(mode === 'read' ? { mode } : {}) })} to queue for it again.`,
    { scope: id, units: [...units], reason },
  );
}

function paused({ id }: Scope): Refusal {
  return refuse(
    'BLOCKED',
    `${id} is paused.`,
    'Take up other work: list_scopes {"status": "open"}; an operator resumes it.',
    { scope: id, status: 'paused' },
  );
}

/** What the claim asks for and the scope has not yet: an open scope asks for all units of its contract. */
function missingUnits(scope: Scope, request: Claim): string[] {
  const asked = scope.status === 'open' ? [...scope.contract.units, ...request.units] : request.units;
  const suffices = (mode: Mode) => mode === 'write' || request.mode === 'read';
  return [...new Set(asked)].filter((unit) => {
    const lock = scope.locks.get(unit);
    if (lock !== undefined && suffices(lock.mode)) return false;
    return !(isQueued(scope) && scope.ticket.units.includes(unit) && suffices(scope.ticket.mode));
  });
}

function waitingFor(draft: Draft, id: ScopeId): readonly Blocker[] {
  const scope = liveScope(draft.view, id);
  if (!isQueued(scope)) return [];
  const { units, mode } = scope.ticket;
  return blockers(draft.view, { scope: id, units, mode, ticket: scope.ticket });
}

/** Grants the wish, or queues for it. A scope that waits for its first units waits for all of them together. */
function acquire(draft: Draft, claimant: Claimant, scope: Scope, further: Wish): Refusal | undefined {
  const all = isQueued(scope) ? joined(scope.ticket, further) : further;
  const limit = tooManyUnits(draft, scope, all.units);
  if (limit !== undefined) return limit;
  const wish = scope.status === 'active' ? further : all;
  const ahead = obstacles(draft, scope, wish);
  if (ahead.length === 0 && scope.pending.length === 0) {
    grant(draft, claimant.owner, scope, wish);
    return wouldNeverEnd(draft, scope.id);
  }
  const sibling = scope.pending.length > 0 ? undefined : ahead.find((blocker) => isSibling(blocker, claimant));
  if (sibling !== undefined) return heldBySibling(sibling, claimant.owner, wish);
  enqueue(draft, claimant.owner, scope, all);
  settle(draft, scope.ticket?.units ?? []);
  return queueIsFull(draft) ?? wouldNeverEnd(draft, scope.id);
}

function joined(a: Wish, b: Wish): Wish {
  return { units: [...new Set([...a.units, ...b.units])], mode: a.mode === 'write' ? 'write' : b.mode };
}

function queueIsFull({ view }: Draft): Refusal | undefined {
  const limit = view.settings.maxQueuedUnits;
  if (view.state.queue.size <= limit) return undefined;
  return refuse('LIMIT', `${limit} units are being waited for already.`, 'Wait for some of them, or claim less.', {
    limit,
  });
}

/**
 * A parent that holds a folder, or is next for it, and waits for its subagent's claim below it would wait for ever.
 * Processes, and whatever else a command holds, are queued for: commands end by themselves.
 */
function isSibling({ scope, units }: Blocker, { owner }: Claimant): boolean {
  if (isStateless(owner.connection) || scope.owner?.connection !== owner.connection) return false;
  if (isOfCommand(scope)) return false;
  return units.some((unit) => knownUnit(unit).kind !== 'process');
}

function heldBySibling({ scope, why, units }: Blocker, by: Owner, wish: Wish): Refusal {
  const { id } = scope;
  const owner = ownerOf(scope);
  const { agent } = owner;
  const verb = why === 'held' ? 'is held by' : 'is next for';
  const own = `Add to it: claim_scope ${JSON.stringify({ scope: id, ...wish })}; or give it up: release_scope {"scope": "${id}"}.`;
  const others = `Ask ${agent} for the handle of ${id} and pass that as scope, or claim again when ${id} has ended.`;
  return refuse(
    'HELD',
    `${listed(units)} ${verb} ${id} (${agent}) on your own connection.`,
    isSameAgent(by, owner) ? own : others,
    { units: [...units], holder: id, agent },
  );
}
