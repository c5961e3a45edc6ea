import { numberOf, scopeId } from './handle.js';
import { type Pieces, withItem, withoutItem } from './pieces.js';
import type { Phase, Scope, ScopeId } from './scope.js';

/** An open scope whose inputs have come, and what it takes to tell whether somebody could take it up. */
export interface Ready {
  readonly number: number;
  readonly phase: Phase;
  readonly priority: number;
  readonly units: readonly string[];
}

/** The index after one scope has changed; undefined where it is not there, or has ended. */
export function readyAfter(ready: Pieces<Ready>, before: Scope | undefined, after: Scope | undefined): Pieces<Ready> {
  const [former, present] = [readyOf(before), readyOf(after)];
  if (isSame(former, present)) return ready;
  const left = former === undefined ? ready : withoutItem(ready, former, byRank);
  return present === undefined ? left : withItem(left, present, byRank);
}

export function idOf({ number }: Ready): ScopeId {
  return scopeId(number);
}

/** The order in which they are picked up: highest priority, then oldest. */
function byRank(a: Ready, b: Ready): number {
  return b.priority - a.priority || a.number - b.number;
}

function readyOf(scope: Scope | undefined): Ready | undefined {
  if (scope === undefined || scope.status !== 'open' || scope.pending.length > 0) return undefined;
  const { phase, priority, units } = scope.contract;
  return { number: numberOf(scope.id), phase, priority, units };
}

function isSame(a: Ready | undefined, b: Ready | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.phase === b.phase && a.priority === b.priority && a.units === b.units;
}
