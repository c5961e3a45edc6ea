import { type Map as PersistentMap, Set as PersistentSet } from 'immutable';
import type { Event, EventBody } from './event.js';
import { evolveScope } from './evolve-scope.js';
import { numberOf } from './handle.js';
import type { LockIndex } from './lock-index.js';
import { readyAfter } from './ready.js';
import { isEnded, type Scope, type ScopeId } from './scope.js';
import type { State } from './state.js';

/** Scopes by what joins them. */
type Links = PersistentMap<string, PersistentSet<ScopeId>>;

/** The fold: one more event → the lock state. Pure; the former state stays as it was. */
export function evolve(state: State, event: Event): State {
  if (event.seq !== state.seq + 1) throw new Error(`event ${event.seq} does not follow ${state.seq}`);
  const next = { ...state, seq: event.seq, runs: runsAfter(state, event), ...numbersAfter(state, event.body) };
  const id = foldedScope(state, event.body);
  if (id === undefined) return next;
  const before = state.scopes.get(id);
  const after = evolveScope(before, event);
  const scopes = scopesAfter(state, after);
  return {
    ...next,
    scopes,
    ready: unblocked(state, after).reduce(
      (ready, other) => readyAfter(ready, state.scopes.get(other), scopes.get(other)),
      readyAfter(state.ready, before, scopes.get(id)),
    ),
    locks: locksAfter(state.locks, before, after, event.body),
    queue: queueAfter(state.queue, before, after),
    consumers: consumersAfter(state, before, after),
    owned: ownedAfter(state, before, after),
  };
}

/** The live scope whose fold the event changes. A change made to files for an ended scope leaves no trace here. */
function foldedScope(state: State, body: EventBody): ScopeId | undefined {
  if (body.type === 'files.changed') return state.scopes.has(body.scope) ? body.scope : undefined;
  return body.type.startsWith('scope.') && 'scope' in body ? body.scope : undefined;
}

function runsAfter({ runs }: State, { seq, agent, connection, body }: Event): State['runs'] {
  if (body.type === 'run.ended') return runs.remove(body.run);
  if (body.type === 'files.changed' && body.run !== undefined)
    return runs.has(body.run) ? runs.update(body.run, (run) => run && { ...run, changed: seq }) : runs;
  if (body.type !== 'run.started') return runs;
  const { run, command, containment, scope, tenure, turn } = body;
  // Field by field: what the tables do not give back must not be here either.
  return runs.set(run, {
    run,
    command,
    containment,
    by: { agent, connection },
    started: seq,
    ...(scope === undefined ? {} : { scope }),
    ...(tenure === undefined ? {} : { tenure }),
    ...(turn === undefined ? {} : { turn }),
  });
}

function numbersAfter(state: State, body: EventBody): Partial<State> {
  if (body.type === 'scope.opened') return { scopeCount: numberOf(body.scope) };
  if (body.type === 'run.started') return { runCount: numberOf(body.run) };
  if (body.type === 'scope.queued' || body.type === 'scope.granted') {
    if (body.generation <= state.generation) throw new Error(`generation ${body.generation} was given out before`);
    return { generation: body.generation };
  }
  const last = 'artifacts' in body ? body.artifacts.at(-1) : undefined;
  return last === undefined ? {} : { artifactCount: Math.max(state.artifactCount, numberOf(last.id)) };
}

function scopesAfter(state: State, after: Scope): State['scopes'] {
  if (!isEnded(after.status)) return state.scopes.set(after.id, after);
  return state.scopes.remove(after.id).withMutations((scopes) => {
    for (const id of unblocked(state, after)) scopes.update(id, (scope) => scope && withoutPending(scope, after.id));
  });
}

/** Scopes that have one output less to wait for. */
function unblocked({ consumers }: State, { id, status }: Scope): readonly ScopeId[] {
  return status === 'done' ? [...consumers.get(id, PersistentSet<ScopeId>())] : [];
}

/** One output less to wait for. */
function withoutPending(scope: Scope, done: ScopeId): Scope {
  return { ...scope, pending: scope.pending.filter((id) => id !== done) };
}

function locksAfter(locks: LockIndex, before: Scope | undefined, after: Scope, body: EventBody): LockIndex {
  if (before === undefined || before.locks === after.locks) return locks;
  if (body.type !== 'scope.granted') {
    return [...before.locks.keys()].reduce((index, unit) => index.without(after.id, unit), locks);
  }
  return [...after.locks.values()]
    .filter((lock) => lock.generation === body.generation)
    .reduce((index, { unit, mode }) => index.with({ scope: after.id, unit, mode }), locks);
}

function queueAfter(queue: LockIndex, before: Scope | undefined, { id, ticket }: Scope): LockIndex {
  const former = before?.ticket;
  if (former === ticket) return queue;
  const left = former === undefined ? queue : former.units.reduce((index, unit) => index.without(id, unit), queue);
  if (ticket === undefined) return left;
  return ticket.units.reduce((index, unit) => index.with({ scope: id, unit, mode: ticket.mode }), left);
}

/** Who waits for the outputs of whom. What has failed may be opened again: it is waited for all the same. */
function consumersAfter({ consumers }: State, before: Scope | undefined, { id, status, pending }: Scope): Links {
  const former = before?.pending ?? [];
  const present = isEnded(status) ? [] : pending;
  if (former === present) return consumers;
  const left = former.reduce((links, consumed) => unlinked(links, consumed, id), consumers);
  const links = present.reduce((all, consumed) => linked(all, consumed, id), left);
  return status === 'done' ? links.remove(id) : links;
}

function ownedAfter({ owned }: State, before: Scope | undefined, { id, owner }: Scope): Links {
  const former = before?.owner?.connection;
  const present = owner?.connection;
  if (former === present) return owned;
  const left = former === undefined ? owned : unlinked(owned, former, id);
  return present === undefined ? left : linked(left, present, id);
}

function linked(links: Links, key: string, id: ScopeId): Links {
  return links.set(key, links.get(key, PersistentSet<ScopeId>()).add(id));
}

function unlinked(links: Links, key: string, id: ScopeId): Links {
  const left = links.get(key, PersistentSet<ScopeId>()).remove(id);
  return left.isEmpty() ? links.remove(key) : links.set(key, left);
}
