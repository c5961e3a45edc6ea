import { Map } from 'immutable';
import type { Event, EventBody } from './event.js';
import type { Lock, Scope, Status } from './scope.js';

type Body<T extends EventBody['type']> = Extract<EventBody, { type: T }>;

const NO_LOCKS: Map<string, Lock> = Map();

/** One more event about a scope → the scope as it stands then. Throws where the event cannot follow. */
export function evolveScope(scope: Scope | undefined, event: Event): Scope {
  const body = event.body;
  if (body.type === 'scope.opened') return opened(body, event);
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
    case 'scope.released':
      return body.to === 'open'
        ? handedOver(ownerless(scope, 'open'), body, event)
        : { ...ownerless(scope, 'cancelled'), summary: body.reason };
    case 'scope.progressed':
      return published(scope, body, event);
    case 'scope.done':
      return published(ownerless(scope, 'done'), body, event);
    case 'scope.failed':
      return published(ownerless(scope, 'failed'), body, event);
    case 'files.changed':
      return { ...scope, changes: scope.changes + body.files.length };
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
    published: 0,
  };
}

function queued(scope: Scope, body: Body<'scope.queued'>, event: Event): Scope {
  const ticket = {
    units: body.units,
    mode: body.mode,
    arrival: event.seq,
    since: event.at,
    priority: body.priority,
  };
  if (scope.status === 'active') return { ...scope, ticket };
  return { ...scope, status: 'waiting', owner: body.owner, tenure: body.generation, ticket };
}

function granted(scope: Scope, body: Body<'scope.granted'>, event: Event): Scope {
  const locks = scope.locks.withMutations((map) => {
    for (const unit of body.units) map.set(unit, { unit, mode: body.mode, generation: body.generation });
  });
  const { ticket, ...rest } = scope;
  const held = { ...rest, status: 'active' as const, owner: body.owner, generation: body.generation, locks };
  return {
    ...held,
    ...(scope.tenure === 0 ? { tenure: body.generation } : {}),
    ...(body.queued || ticket === undefined ? {} : { ticket }),
    ...(scope.status === 'active' ? {} : { grantedAt: event.at }),
  };
}

/** A ticket that nobody asks after any more. What an active scope holds already, it keeps. */
function lapsed(scope: Scope, body: Body<'scope.lapsed'>): Scope {
  if (body.to !== 'active') return ownerless(scope, body.to);
  const { ticket: _, ...rest } = scope;
  return rest;
}

function ownerless(scope: Scope, status: Status): Scope {
  const { owner: _, ticket: __, grantedAt: ___, ...rest } = scope;
  return { ...rest, status, tenure: 0, locks: NO_LOCKS };
}

function handedOver(scope: Scope, body: { readonly from: string; readonly reason: string }, event: Event): Scope {
  return { ...scope, handover: { from: body.from, note: body.reason, until: event.seq } };
}

function published(scope: Scope, body: Body<'scope.progressed' | 'scope.done' | 'scope.failed'>, event: Event): Scope {
  return {
    ...scope,
    published: event.seq,
    summary: body.summary,
    artifacts: [...scope.artifacts, ...body.artifacts],
    ...('commit' in body && body.commit !== undefined ? { commit: body.commit } : {}),
  };
}
