import { Set } from 'immutable';
import type { Event, EventBody } from './event.js';
import { evolveScope } from './evolve-scope.js';
import type { LockIndex } from './lock-index.js';
import { isEnded, type Scope, type ScopeId } from './scope.js';
import type { State } from './state.js';

/** The fold: one more event → the lock state. Pure; the former state stays as it was. */
export function evolve(state: State, event: Event): State {
  if (event.seq !== state.seq + 1) throw new Error(`event ${event.seq} does not follow ${state.seq}`);
  const next = { ...state, seq: event.seq, ...numbersAfter(state, event.body) };
  const id = foldedScope(state, event.body);
  if (id === undefined) return next;
  const before = state.scopes.get(id);
  const after = evolveScope(before, event);
  return {
    ...next,
    scopes: scopesAfter(state, after, event.at),
    locks: locksAfter(state.locks, before, after, event.body),
    queue: queueAfter(state.queue, before, after),
    consumers: consumersAfter(state, after),
    owned: ownedAfter(state, before, after),
  };
}

/** The live scope whose fold the event changes. A change made to files for an ended scope leaves no trace here. */
function foldedScope(state: State, body: EventBody): ScopeId | undefined {
  if (body.type === 'files.changed') return state.scopes.has(body.scope) ? body.scope : undefined;
  return body.type.startsWith('scope.') && 'scope' in body ? body.scope : undefined;
}

function numbersAfter(state: State, body: EventBody): Partial<State> {
  if (body.type === 'scope.opened') return { scopeCount: numberOf(body.scope) };
  if (body.type === 'run.started') return { runCount: numberOf(body.run) };
  if (body.type === 'scope.queued' || body.type === 'scope.granted') return { generation: body.generation };
  const last = 'artifacts' in body ? body.artifacts.at(-1) : undefined;
  return last === undefined ? {} : { artifactCount: Math.max(state.artifactCount, numberOf(last.id)) };
}

function numberOf(id: string): number {
  return Number(id.slice(1));
}

function scopesAfter(state: State, after: Scope, at: number): State['scopes'] {
  if (!isEnded(after.status)) return state.scopes.set(after.id, after);
  if (after.status !== 'done') return state.scopes.remove(after.id);
  return state.scopes.remove(after.id).withMutations((scopes) => {
    for (const id of state.consumers.get(after.id) ?? []) {
      scopes.update(id, (scope) => scope && withoutPending(scope, after.id, at));
    }
  });
}

/** One output less to wait for. With the last one, the wait for units begins. */
export function withoutPending(scope: Scope, done: ScopeId, at: number): Scope {
  const pending = scope.pending.filter((id) => id !== done);
  if (pending.length > 0 || scope.ticket === undefined) return { ...scope, pending };
  return { ...scope, pending, ticket: { ...scope.ticket, since: at } };
}

function locksAfter(locks: LockIndex, before: Scope | undefined, after: Scope, body: EventBody): LockIndex {
  if (body.type === 'scope.granted') {
    return body.units.reduce((index, unit) => index.with({ scope: after.id, unit, mode: body.mode }), locks);
  }
  if (before === undefined || after.locks.size > 0) return locks;
  return [...before.locks.keys()].reduce((index, unit) => index.without(after.id, unit), locks);
}

function queueAfter(queue: LockIndex, before: Scope | undefined, after: Scope): LockIndex {
  if (before?.ticket === after.ticket) return queue;
  const { id, ticket } = after;
  const left = (before?.ticket?.units ?? []).reduce((index, unit) => index.without(id, unit), queue);
  return (ticket?.units ?? []).reduce((index, unit) => index.with({ scope: id, unit, mode: ticket?.mode ?? 'write' }), left);
}

/** Who waits for the outputs of whom; an entry goes when its scope ends. */
function consumersAfter(state: State, after: Scope): State['consumers'] {
  if (after.status === 'done') return state.consumers.remove(after.id);
  const known = state.scopes.has(after.id);
  if (known && !isEnded(after.status)) return state.consumers;
  return state.consumers.withMutations((consumers) => {
    for (const id of after.pending) {
      const users = consumers.get(id, Set<ScopeId>());
      const left = known ? users.remove(after.id) : users.add(after.id);
      if (left.isEmpty()) consumers.remove(id);
      else consumers.set(id, left);
    }
  });
}

function ownedAfter(state: State, before: Scope | undefined, after: Scope): State['owned'] {
  const former = before?.owner?.connection;
  const present = after.owner?.connection;
  if (former === present) return state.owned;
  return state.owned.withMutations((owned) => {
    if (former !== undefined) {
      const left = owned.get(former, Set<ScopeId>()).remove(after.id);
      if (left.isEmpty()) owned.remove(former);
      else owned.set(former, left);
    }
    if (present !== undefined) owned.update(present, Set<ScopeId>(), (ids) => ids.add(after.id));
  });
}
