import { Map as PersistentMap } from 'immutable';
import { asQueued, ownerOf } from './blockers.js';
import type { Event, EventBody } from './event.js';
import type { Lock, Scope, Status } from './scope.js';

type Body<T extends EventBody['type']> = Extract<EventBody, { type: T }>;

/** Notes that wait for one owner; older ones go. */
const MAX_NOTES = 20;

const NO_LOCKS = PersistentMap<string, Lock>();

/** One more event about a scope → the scope as it stands then. Throws where the event cannot follow. */
export function evolveScope(scope: Scope | undefined, event: Event): Scope {
  const body = event.body;
  if (body.type === 'scope.opened') return opened(body, event);
  if (body.type === 'scope.reopened') return reopened(body, event);
  if (scope === undefined) throw new Error(`event ${event.seq} (${body.type}) is about a scope that is not there`);
  switch (body.type) {
    case 'scope.queued':
      return queued(scope, body, event);
    case 'scope.granted':
      return granted(scope, body, event);
    case 'scope.lapsed':
      return lapsed(scope, body);
    case 'scope.expired':
      return { ...handedOver(ownerless(scope, 'open'), body, event), attempts: scope.attempts + 1 };
    case 'scope.stopping':
      return stopping(scope, body, event);
    case 'scope.released':
      return body.to === 'open'
        ? handedOver(ownerless(scope, 'open'), body, event)
        : { ...ownerless(scope, 'cancelled'), summary: body.reason };
    case 'scope.paused':
      return handedOver(
        ownerless(scope, 'paused'),
        { from: scope.owner?.agent ?? scope.stopping?.from ?? body.by, reason: body.reason },
        event,
      );
    case 'scope.resumed':
      return { ...scope, status: 'open' };
    case 'scope.cancelled':
      return { ...ownerless(scope, 'cancelled'), summary: body.reason };
    case 'scope.amended':
      return amended(scope, body);
    case 'scope.noted':
      return noted(scope, body, event);
    case 'scope.told':
      return { ...scope, notes: scope.notes.filter((note) => note.seq > body.until) };
    case 'scope.progressed':
      return published(collected(scope), body, event);
    case 'scope.done':
      return published(ownerless(scope, 'done'), body, event);
    case 'scope.failed':
      return failed(scope, body, event);
    case 'files.changed':
      return { ...collected(scope), changes: scope.changes + body.files.length };
    default:
      return scope;
  }
}

function opened(body: Body<'scope.opened'>, event: Event): Scope {
  return {
    id: body.scope,
    contract: body.contract,
    status: 'open',
    openedBy: body.by,
    openedAt: event.at,
    tenure: 0,
    generation: 0,
    locks: NO_LOCKS,
    pending: body.pending,
    attempts: 0,
    changes: 0,
    artifacts: [],
    notes: [],
    published: 0,
  };
}

function reopened(body: Body<'scope.reopened'>, event: Event): Scope {
  const { scope, contract, by, reason, pending, changes, published, artifacts } = body;
  const fresh = opened({ type: 'scope.opened', scope, contract, by: body.opened.by, pending }, event);
  return handedOver({ ...fresh, openedAt: body.opened.at, changes, published, artifacts }, { from: by, reason }, event);
}

/** Its place in the queue goes with its priority. */
function amended(scope: Scope, { contract, pending }: Body<'scope.amended'>): Scope {
  const { ticket } = scope;
  const { priority } = contract;
  const moved = ticket === undefined || ticket.priority === priority ? {} : { ticket: { ...ticket, priority } };
  return { ...scope, contract, pending, ...moved };
}

function noted(scope: Scope, { from, text }: Body<'scope.noted'>, { seq }: Event): Scope {
  return { ...scope, notes: [...scope.notes, { seq, from, text }].slice(-MAX_NOTES) };
}

/**
 * Counts as an attempt where it was at work: one that was lost has been counted. Nothing was committed: whoever takes it up
 * next publishes these changes too.
 */
function failed(scope: Scope, body: Body<'scope.failed'>, event: Event): Scope {
  const result = { attempts: scope.attempts + (scope.owner === undefined ? 0 : 1), published: scope.published };
  if (body.to === 'failed') return { ...published(ownerless(scope, 'failed'), body, event), ...result };
  const open = handedOver(ownerless(scope, 'open'), { from: ownerOf(scope).agent, reason: body.summary }, event);
  return { ...published(open, body, event), ...result };
}

/** A new place in the queue; a further one for an active scope, which goes on with what it holds. */
function queued(scope: Scope, body: Body<'scope.queued'>, event: Event): Scope {
  const { units, mode, owner, priority } = body;
  const ticket = { units, mode, arrival: event.seq, since: event.at, priority };
  const asked = claimedAnew(collected(scope), units);
  if (scope.status === 'active') return { ...asked, ticket };
  return { ...asked, status: 'waiting', owner, tenure: scope.tenure || body.generation, ticket };
}

function granted(scope: Scope, body: Body<'scope.granted'>, event: Event): Scope {
  const { mode, owner, generation } = body;
  const locks = scope.locks.withMutations((map) => {
    for (const unit of body.units) {
      const writes = map.get(unit)?.mode === 'write';
      map.set(unit, { unit, mode: writes ? 'write' : mode, generation });
    }
  });
  const { ticket, ...rest } = claimedAnew(scope, body.units);
  return {
    ...rest,
    status: 'active',
    owner,
    tenure: scope.tenure || generation,
    generation,
    locks,
    ...(body.queued || ticket === undefined ? {} : { ticket }),
    ...(body.queued && scope.status === 'waiting' ? { grantedAt: event.at } : {}),
  };
}

/** A grant that came while its agent was away is collected with the first use of the scope. */
function collected(scope: Scope): Scope {
  const { grantedAt: _, ...rest } = scope;
  return rest;
}

/** A ticket that nobody asks after any more. What an active scope holds already, it keeps. */
function lapsed(scope: Scope, body: Body<'scope.lapsed'>): Scope {
  if (body.to === 'open') return ownerless(scope, 'open');
  if (body.to === 'cancelled') return { ...ownerless(scope, 'cancelled'), summary: body.reason };
  const { ticket, ...rest } = asQueued(scope);
  return { ...rest, lapsed: { units: ticket.units, mode: ticket.mode, reason: body.reason } };
}

/** Of the units whose place was lost, those stay named that are not claimed again. */
function claimedAnew(scope: Scope, units: readonly string[]): Scope {
  const { lapsed, ...rest } = scope;
  if (lapsed === undefined) return scope;
  const left = lapsed.units.filter((unit) => !units.includes(unit));
  return left.length === 0 ? rest : { ...rest, lapsed: { ...lapsed, units: left } };
}

/** Nobody may act under it any more, and nobody gets what it holds. */
function stopping(scope: Scope, { type: _, scope: __, ...why }: Body<'scope.stopping'>, { at }: Event): Scope {
  return { ...ownerless(scope, 'active'), locks: scope.locks, stopping: { ...why, since: at } };
}

function ownerless(scope: Scope, status: Status): Scope {
  const { owner: _, ticket: __, stopping: ___, lapsed: ____, ...rest } = collected(scope);
  return { ...rest, status, tenure: 0, locks: NO_LOCKS };
}

function handedOver(scope: Scope, body: { readonly from: string; readonly reason: string }, event: Event): Scope {
  return { ...scope, handover: { from: body.from, note: body.reason, until: event.seq } };
}

function published(scope: Scope, body: Body<'scope.progressed' | 'scope.done' | 'scope.failed'>, event: Event): Scope {
  return {
    ...scope,
    published: 'through' in body && body.through !== undefined ? body.through : event.seq,
    summary: body.summary,
    artifacts: [...scope.artifacts, ...body.artifacts],
    ...('commit' in body && body.commit !== undefined ? { commit: body.commit } : {}),
  };
}
