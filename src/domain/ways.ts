import type { Segment } from './glob.js';

/** Ways through names: a tree in which each way is from the root to an end. */
export interface Ways {
  readonly below: Map<Segment, Ways>;
  /** Whether a way ends here; others may go on. */
  end: boolean;
}

export function noWays(): Ways {
  return { below: new Map(), end: false };
}

export function addWay(ways: Ways, names: readonly Segment[]): void {
  let at = ways;
  for (const name of names) {
    const next = at.below.get(name) ?? noWays();
    at.below.set(name, next);
    at = next;
  }
  at.end = true;
}

/** Whether these names begin with one of the ways. */
export function beginsWith(names: readonly Segment[], ways: Ways): boolean {
  let at: Ways | undefined = ways;
  for (const name of names) {
    if (at === undefined || at.end) break;
    at = at.below.get(name);
  }
  return at?.end ?? false;
}

/** Whether each of some ways, of which there is one at least, begins with one of the others. */
export function allBeginWith(some: Ways, ways: Ways): boolean {
  if (ways.end || some.end) return ways.end;
  for (const [name, below] of some.below) {
    const next = ways.below.get(name);
    if (next === undefined || !allBeginWith(below, next)) return false;
  }
  return true;
}
