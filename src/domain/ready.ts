import { Map as PersistentMap, Set as PersistentSet } from 'immutable';
import { numberOf, scopeId } from './handle.js';
import { PHASES, type Phase, type Scope, type ScopeId } from './scope.js';
import type { State } from './state.js';

type Ready = State['ready'];

/** The index after one scope has changed; undefined where it is not there, or has ended. */
export function readyAfter(ready: Ready, before: Scope | undefined, after: Scope | undefined): Ready {
  if (before !== undefined && after !== undefined && placeOf(before) === placeOf(after)) return ready;
  const left = before !== undefined && isReady(before) ? without(ready, before) : ready;
  return after !== undefined && isReady(after) ? withScope(left, after) : left;
}

/** Open scopes whose inputs have come, in the order in which they are picked up: highest priority, then oldest. */
export function* readyScopes({ ready }: State, phase?: Phase): Generator<ScopeId> {
  const buckets = (phase === undefined ? PHASES : [phase]).flatMap((each) => [...(ready.get(each) ?? [])]);
  const priorities = [...new Set(buckets.map(([priority]) => priority))].sort((a, b) => b - a);
  for (const wanted of priorities) {
    const numbers = buckets.flatMap(([priority, found]) => (priority === wanted ? [...found] : []));
    for (const number of Float64Array.from(numbers).sort()) yield scopeId(number);
  }
}

function isReady({ status, pending }: Scope): boolean {
  return status === 'open' && pending.length === 0;
}

/** What its place depends on, as one text. */
function placeOf(scope: Scope): string {
  return isReady(scope) ? `${scope.contract.phase} ${scope.contract.priority}` : '';
}

function withScope(ready: Ready, { id, contract: { phase, priority } }: Scope): Ready {
  const numbers = PersistentSet<number>();
  return ready.update(phase, PersistentMap(), (all) => all.update(priority, numbers, (some) => some.add(numberOf(id))));
}

function without(ready: Ready, { id, contract: { phase, priority } }: Scope): Ready {
  const all = ready.get(phase, PersistentMap<number, PersistentSet<number>>());
  const left = all.get(priority, PersistentSet<number>()).remove(numberOf(id));
  const rest = left.isEmpty() ? all.remove(priority) : all.set(priority, left);
  return rest.isEmpty() ? ready.remove(phase) : ready.set(phase, rest);
}
