import type { Bar } from './blockers.js';
import { type Segment, STAR } from './glob.js';
import { overlaps } from './overlap.js';
import type { Unit } from './unit.js';

/** A name on the way to folders that are barred. */
interface Name {
  readonly below: Map<Segment, Name>;
  barred: boolean;
}

/** Globs that are kept: to compare with more of them would take longer than the look that it spares. */
const MOST = 4;

/**
 * What stood in the way during one look through open work. It stands in the way of what comes later in the same look too:
 * open scopes hold nothing, and a ticket that is ahead of one of them is ahead of all those of its rank or a lower one. So
 * what lies beneath a folder that somebody holds is passed over, without a look at the locks.
 */
export class Bars {
  readonly #units = new Set<string>();
  readonly #globs = new Set<Unit>();
  readonly #root = named();

  add({ unit, by }: Bar): void {
    this.#units.add(unit.text);
    for (const other of by) {
      if (other.kind === 'glob' && this.#globs.size < MOST) this.#globs.add(other);
      for (const pattern of other.patterns) if (pattern.at(-1) === STAR) this.#bar(pattern.slice(0, -1));
    }
  }

  has(unit: Unit): boolean {
    if (this.#units.has(unit.text) || unit.patterns.some((pattern) => this.#isBelow(pattern))) return true;
    for (const glob of this.#globs) if (overlaps(glob, unit)) return true;
    return false;
  }

  #bar(names: readonly Segment[]): void {
    let at = this.#root;
    for (const name of names) {
      const next = at.below.get(name) ?? named();
      at.below.set(name, next);
      at = next;
    }
    at.barred = true;
  }

  /** Whether it goes on from where all is barred: then both cover whatever the way to there covers. */
  #isBelow(pattern: readonly Segment[]): boolean {
    let at: Name | undefined = this.#root;
    for (const name of pattern) {
      if (at === undefined || at.barred) break;
      at = at.below.get(name);
    }
    return at?.barred ?? false;
  }
}

function named(): Name {
  return { below: new Map(), barred: false };
}
