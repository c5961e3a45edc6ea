import { type Blocker, blockers, liveScope, ownerOf, type Request } from './blockers.js';
import { findCycle } from './deadlock.js';
import type { Draft } from './draft.js';
import { isStateless, scopeKey } from './leases.js';
import { type Refusal, refuse } from './refusal.js';
import type { Owner, Scope, ScopeId, Ticket } from './scope.js';
import type { View } from './view.js';

/** Units that are asked for together. */
export type Wish = Pick<Ticket, 'units' | 'mode'>;

/** What stands in the way of a new claim. */
export function obstacles({ view }: Draft, { id, contract }: Scope, wish: Wish): Blocker[] {
  return blockers(view, newcomer(view, id, contract.priority, wish));
}

/** A new claim comes after all tickets of its rank. */
export function newcomer(view: View, scope: ScopeId, priority: number, { units, mode }: Wish): Request {
  const ticket = { units, mode, arrival: view.state.seq + 1, since: view.now, priority };
  return { scope, units, mode, ticket };
}

export function tooManyUnits({ view }: Draft, scope: Scope, units: readonly string[]): Refusal | undefined {
  const { maxUnits, maxHeldUnits } = view.settings;
  const asked = new Set([...scope.locks.keys(), ...units]).size;
  const next = 'Claim folders or globs instead of single files.';
  if (asked > maxUnits) {
    const sentence = `A scope may hold ${maxUnits} units; this comes to ${asked}.`;
    return refuse('LIMIT', sentence, next, { limit: maxUnits, asked });
  }
  const all = view.state.locks.size - scope.locks.size + asked;
  if (asked === scope.locks.size || all <= maxHeldUnits) return undefined;
  const sentence = `All scopes together may hold ${maxHeldUnits} units; this comes to ${all}.`;
  return refuse('LIMIT', sentence, next, { limit: maxHeldUnits, asked: all });
}

/** Grants units that nothing stands in the way of. Whoever begins to own a scope owns it until it is given up. */
export function grant(draft: Draft, by: Owner, scope: Scope, wish: Wish): void {
  draft.emit({ type: 'scope.granted', scope: scope.id, ...wish, ...tenureOf(draft, by, scope), queued: false });
}

/** Gives a scope a place at the end of the queue. Its former place, if it had one, holds nobody back any more. */
export function enqueue(draft: Draft, by: Owner, scope: Scope, wish: Wish): void {
  const { priority } = scope.contract;
  draft.emit({ type: 'scope.queued', scope: scope.id, ...wish, ...tenureOf(draft, by, scope), priority });
}

function tenureOf(draft: Draft, by: Owner, scope: Scope): { owner: Owner; generation: number } {
  // Whoever begins to own it shows the first sign of life, which is written with this decision.
  if (scope.owner === undefined && isStateless(by.connection)) draft.touch(scopeKey(scope.id));
  return { owner: scope.owner ?? by, generation: draft.view.state.generation + 1 };
}

/** Refuses what has just been granted or queued where it closes a cycle of waits. */
export function wouldNeverEnd({ view }: Draft, id: ScopeId): Refusal | undefined {
  const cycle = findCycle(view, id);
  if (cycle === undefined) return undefined;
  const name = (other: ScopeId): string => {
    return other === id ? 'your claim' : `${other} (${ownerOf(liveScope(view, other)).agent})`;
  };
  return refuse(
    'DEADLOCK',
    `Waiting would never end: ${[...cycle, id].map(name).join(' waits for ')}.`,
    'Release what the others wait for (release_scope), or finish and publish it, then claim again.',
    { cycle },
  );
}
