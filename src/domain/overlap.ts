import { charsMeet, type Pattern, type Segment, STAR, type Star, type Token } from './glob.js';
import { nameKey } from './path.js';
import { isRefusal } from './refusal.js';
import { parseUnit, type Unit } from './unit.js';

/** Steps that one comparison may take: far beyond honest units, about a millisecond for hostile ones. */
const MAX_STEPS = 20_000;

interface Work {
  left: number;
}

/**
 * Whether something is covered by both units. Where that would take too long to tell, they overlap.
 * If either was read for a disk that folds case, both are compared as if they were.
 */
export function overlaps(a: Unit, b: Unit): boolean {
  if (a.folds !== b.folds) return overlaps(folding(a), folding(b));
  if (a.kind === 'process' || b.kind === 'process') return a.text === b.text;
  const work = { left: MAX_STEPS };
  return a.patterns.some((mine) => b.patterns.some((its) => patternsMeet(mine, its, work)));
}

/**
 * Whether holding the unit (read for the disk at hand) covers the file at this canonical path.
 * Where that would take too long to tell, it does not.
 */
export function covers(unit: Unit, path: string): boolean {
  const names = path.split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..')) return false;
  return coversOne(unit, [names.map((name) => nameKey(name, unit.folds))]);
}

function coversOne(unit: Unit, paths: readonly Pattern[]): boolean {
  const work = { left: MAX_STEPS };
  return unit.patterns.some((pattern) => paths.some((path) => patternsMeet(pattern, path, work))) && work.left > 0;
}

/** Whether holding `outer` is holding all of `inner`; where that is hard to tell, it is not. Both read for one disk. */
export function includes(outer: Unit, inner: Unit): boolean {
  if (outer.text === inner.text) return true;
  if (outer.kind === 'process' || inner.kind === 'process') return false;
  if (inner.kind === 'file') return coversOne(outer, inner.patterns);
  return inner.patterns.every((pattern) => outer.patterns.some((above) => isBelow(above, pattern)));
}

/** Whether the first is a folder, spelled out, and the second leads into it. */
function isBelow(folder: Pattern, pattern: Pattern): boolean {
  const names = folder.slice(0, -1);
  if (folder.at(-1) !== STAR || pattern.length <= names.length) return false;
  return names.every((name, at) => typeof name === 'string' && name === pattern[at]);
}

function folding(unit: Unit): Unit {
  const folded = parseUnit(unit.text, true);
  if (isRefusal(folded)) throw new Error(`not a unit: ${unit.text}`);
  return folded;
}

function patternsMeet(a: Pattern, b: Pattern, work: Work): boolean {
  if (partInNames(a, b)) return false;
  return listsMeet(a, b, (x: Exclude<Segment, Star>, y) => segmentsMeet(x, y, work), work);
}

/** Whether two patterns differ in a plain name before anything else: most do, and it is quickly told. */
function partInNames(a: Pattern, b: Pattern): boolean {
  for (const [at, name] of a.entries()) {
    const other = b[at];
    if (typeof name !== 'string' || typeof other !== 'string') return false;
    if (name !== other) return true;
  }
  return false;
}

function segmentsMeet(a: Exclude<Segment, Star>, b: Exclude<Segment, Star>, work: Work): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  return listsMeet(tokensOf(a, work), tokensOf(b, work), charsMeet, work);
}

function tokensOf(segment: Exclude<Segment, Star>, work: Work): readonly Token[] {
  if (typeof segment !== 'string') return segment;
  work.left -= segment.length;
  return [...segment];
}

/**
 * Whether two lists with stars can stand for the same list: names of a path, or characters of a name.
 * Goes through the pairs of places (one in each list) that can be reached together. True when the work runs out.
 */
function listsMeet<T>(
  a: readonly (T | Star)[],
  b: readonly (T | Star)[],
  itemsMeet: (x: T, y: T) => boolean,
  work: Work,
): boolean {
  const width = b.length + 1;
  const seen = new Set<number>();
  const open = [0];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (seen.has(place)) continue;
    seen.add(place);
    if (work.left-- <= 0) return true;
    const i = Math.floor(place / width);
    const j = place % width;
    const x = a[i];
    const y = b[j];
    if (x === undefined && y === undefined) return true;
    // A star at the end takes whatever is left.
    if ((x === STAR && i === a.length - 1) || (y === STAR && j === b.length - 1)) return true;
    if (x === STAR || y === STAR) {
      // A star ends here, or swallows what the other list has next.
      if (x === STAR || x !== undefined) open.push(place + width);
      if (y !== undefined) open.push(place + 1);
    } else if (x !== undefined && y !== undefined && itemsMeet(x, y)) open.push(place + width + 1);
  }
  return false;
}
