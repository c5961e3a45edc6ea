import { type Bar, knownUnit } from './blockers.js';
import { STAR } from './glob.js';
import { overlaps } from './overlap.js';
import type { Ready } from './ready.js';
import type { Unit } from './unit.js';
import { addWay, allBeginWith, beginsWith, noWays, type Ways } from './ways.js';

/** Globs that are kept: to compare with more of them would take longer than the look that it spares. */
const MOST = 4;

/**
 * What stood in the way during one look through open work. It stands in the way of what comes later in the same look too:
 * open scopes hold nothing, and a ticket that is ahead of one of them is ahead of all those of its rank or a lower one. So
 * what lies beneath a folder that somebody holds is passed over, without a look at the locks.
 */
export class Bars {
  readonly #folds: boolean;
  readonly #units = new Set<string>();
  readonly #globs = new Set<Unit>();
  readonly #folders = noWays();

  /** @param folds whether the disk takes `A` for `a`. */
  constructor(folds: boolean) {
    this.#folds = folds;
  }

  add({ unit, by }: Bar): void {
    this.#units.add(unit.text);
    for (const other of by) {
      if (other.kind === 'glob' && this.#globs.size < MOST) this.#globs.add(other);
      // What goes on from where all is covered overlaps with it, pattern or not.
      for (const pattern of other.patterns) if (pattern.at(-1) === STAR) addWay(this.#folders, pattern.slice(0, -1));
    }
  }

  has(text: string): boolean {
    const unit = knownUnit(text, this.#folds);
    if (this.#units.has(unit.text)) return true;
    for (const pattern of unit.patterns) if (beginsWith(pattern, this.#folders)) return true;
    for (const glob of this.#globs) if (overlaps(glob, unit)) return true;
    return false;
  }

  /** Whether all of this work is known to lie beneath folders that are barred. */
  hasAll(piece: readonly Ready[]): boolean {
    const ways = waysTo(piece, this.#folds);
    return ways !== undefined && allBeginWith(ways, this.#folders);
  }
}

const KNOWN = {
  exact: new WeakMap<readonly Ready[], Ways | undefined>(),
  folding: new WeakMap<readonly Ready[], Ways | undefined>(),
};

/** Where the first units of a piece are; undefined where one is no path. Told once for each piece, since few of them change. */
function waysTo(piece: readonly Ready[], folds: boolean): Ways | undefined {
  const known = folds ? KNOWN.folding : KNOWN.exact;
  if (!known.has(piece)) known.set(piece, firstWays(piece, folds));
  return known.get(piece);
}

function firstWays(piece: readonly Ready[], folds: boolean): Ways | undefined {
  const ways = noWays();
  for (const { units } of piece) {
    const [pattern] = units.slice(0, 1).flatMap((text) => knownUnit(text, folds).patterns);
    if (pattern === undefined) return undefined;
    addWay(ways, pattern);
  }
  return ways;
}
