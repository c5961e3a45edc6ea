import type { ScopeId } from './scope.js';
import type { Mode, Unit } from './unit.js';

/** A unit in the index, with the scope that holds it or waits for it. */
export interface Entry {
  readonly scope: ScopeId;
  readonly unit: string;
  readonly mode: Mode;
}

/** An immutable index of units: what overlaps a unit is found without looking at all the others. */
export interface LockIndex {
  readonly size: number;
  /** Adds an entry; one with the same scope and unit is replaced. */
  with(entry: Entry): LockIndex;
  without(scope: ScopeId, unit: string): LockIndex;
  overlapping(unit: Unit): Entry[];
  entries(): Entry[];
}

export declare const EMPTY_INDEX: LockIndex;
