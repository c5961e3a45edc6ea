import { Map as PersistentMap, Set as PersistentSet } from 'immutable';
import { expect } from 'vitest';
import type { Event } from './event.js';
import { evolve } from './evolve.js';
import { numberOf } from './handle.js';
import type { Entry, LockIndex } from './lock-index.js';
import { overlaps } from './overlap.js';
import { isRefusal } from './refusal.js';
import type { ScopeId } from './scope.js';
import type { Settings } from './settings.js';
import { EMPTY_STATE, type State } from './state.js';
import { type Mode, parseUnit, type Unit } from './unit.js';

/** What holds in every state that the rules bring about. Each is told from the scopes alone, not through the indices. */
export function expectSound(state: State, events: readonly Event[], settings: Settings): void {
  expectExclusion(state, settings);
  expectIndicesOfScopes(state);
  expectGenerationsIncrease(events);
  expect(plain(events.reduce(evolve, EMPTY_STATE))).toEqual(plain(state));
}

export function unit(text: string, folds = false): Unit {
  const parsed = parseUnit(text, folds);
  if (isRefusal(parsed)) throw new Error(parsed.sentence);
  return parsed;
}

/** Whether two claims can't both be granted, apart from processes with room for both. */
export function conflict(a: Pick<Entry, 'unit' | 'mode'>, b: Pick<Entry, 'unit' | 'mode'>, folds = false): boolean {
  if (!overlaps(unit(a.unit, folds), unit(b.unit, folds))) return false;
  return a.unit.startsWith('process:') || a.mode === 'write' || b.mode === 'write';
}

export function capacityOf(text: string, { capacity }: Settings): number {
  return capacity.get(text.replace(/^process:/, '')) ?? 1;
}

/** Promise 1, by comparing everything with everything. */
function expectExclusion(state: State, settings: Settings): void {
  const held = heldUnits(state);
  for (const a of held) {
    const rivals = held.filter((b) => b.scope !== a.scope && conflict(a, b, settings.folds));
    const room = a.unit.startsWith('process:') ? capacityOf(a.unit, settings) : 1;
    if (rivals.length >= room) throw new Error(`${a.unit} of ${a.scope} is held by ${rivals.map((b) => b.scope)} too`);
  }
}

function heldUnits(state: State): Entry[] {
  return [...state.scopes.values()].flatMap((scope) =>
    [...scope.locks.values()].map(({ unit, mode }) => ({ scope: scope.id, unit, mode })),
  );
}

function queuedUnits(state: State): Entry[] {
  return [...state.scopes.values()].flatMap(({ id, ticket }) =>
    (ticket?.units ?? []).map((unit) => ({ scope: id, unit, mode: ticket?.mode ?? ('write' satisfies Mode) })),
  );
}

/** The indices say nothing that the scopes don't say. */
function expectIndicesOfScopes(state: State): void {
  const scopes = [...state.scopes.values()];
  const connections = scopes.flatMap(({ id, owner }) => (owner === undefined ? [] : [[owner.connection, id] as const]));
  const consumed = scopes.flatMap(({ id, pending }) => pending.map((other) => [other, id] as const));
  expect(sorted(state.locks)).toEqual(heldUnits(state).map(inWords).sort());
  expect(sorted(state.queue)).toEqual(queuedUnits(state).map(inWords).sort());
  expect(state.owned.equals(grouped(connections))).toBe(true);
  expect(state.consumers.equals(grouped(consumed))).toBe(true);
  const open = scopes.filter(({ status, pending }) => status === 'open' && pending.length === 0);
  const ranked = open.sort((a, b) => b.contract.priority - a.contract.priority || numberOf(a.id) - numberOf(b.id));
  expect(state.ready.flat()).toEqual(
    ranked.map(({ id, contract: { phase, priority, units } }) => ({ number: numberOf(id), phase, priority, units })),
  );
}

function sorted(index: LockIndex): string[] {
  const entries = index.entries();
  expect(index.size).toBe(entries.length);
  return entries.map(inWords).sort();
}

function inWords({ scope, unit, mode }: Entry): string {
  return `${scope} ${mode} ${unit}`;
}

function grouped(pairs: readonly (readonly [string, ScopeId])[]): PersistentMap<string, PersistentSet<ScopeId>> {
  return pairs.reduce(
    (map, [key, id]) => map.update(key, PersistentSet<ScopeId>(), (ids) => ids.add(id)),
    PersistentMap<string, PersistentSet<ScopeId>>(),
  );
}

/** Promise 2: the fencing token of each grant is new. */
function expectGenerationsIncrease(events: readonly Event[]): void {
  const generations = events.flatMap(({ body }) => ('owner' in body ? [body.generation] : []));
  expect(generations).toEqual([...new Set(generations)].sort((a, b) => a - b));
}

/** The state as plain values, for comparing. */
function plain(state: State): unknown {
  const scopes = [...state.scopes.values()].map((scope) => ({
    ...scope,
    locks: [...scope.locks.values()].sort((a, b) => (a.unit < b.unit ? -1 : 1)),
  }));
  return {
    ...state,
    scopes: scopes.sort((a, b) => (a.id < b.id ? -1 : 1)),
    locks: sorted(state.locks),
    queue: sorted(state.queue),
    consumers: state.consumers.toJS(),
    owned: state.owned.toJS(),
    ready: state.ready.flat(),
  };
}
