import { coarseChange, type LineChange, lineChanges } from './line-changes.js';

/** Lines, and for each of them where it comes from. */
export interface Attributed<T> {
  readonly lines: readonly string[];
  readonly from: readonly T[];
}

/** What becomes of that when a text changes: lines that stayed come from where they came from, the others are new. */
export function carried<T>(former: Attributed<T>, lines: readonly string[], origin: T): Attributed<T> {
  const changes = lineChanges(former.lines, lines);
  if (changes === null) return carriedByContent(former, lines, origin, coarseChange(former.lines, lines));
  const from: T[] = [];
  let at = 0;
  for (const change of changes) {
    keep(from, former.from, at, change.from);
    for (let line = change.newFrom; line < change.newTo; line++) from.push(origin);
    at = change.to;
  }
  keep(from, former.from, at, former.from.length);
  return { lines, from };
}

/** Where texts differ too much to compare them in order, a line that was there before is the same line. */
function carriedByContent<T>(
  former: Attributed<T>,
  lines: readonly string[],
  origin: T,
  change: LineChange,
): Attributed<T> {
  const known = new Map<string, number[]>();
  for (let at = change.to - 1; at >= change.from; at--) {
    const line = former.lines[at] ?? '';
    const places = known.get(line);
    if (places === undefined) known.set(line, [at]);
    else places.push(at);
  }
  const from: T[] = [];
  keep(from, former.from, 0, change.from);
  for (let line = change.newFrom; line < change.newTo; line++) {
    const place = known.get(lines[line] ?? '')?.pop();
    from.push(place === undefined ? origin : (former.from[place] as T));
  }
  keep(from, former.from, change.to, former.from.length);
  return { lines, from };
}

function keep<T>(from: T[], former: readonly T[], start: number, end: number): void {
  // Not by slices: a call bears only so many arguments.
  for (let at = start; at < end; at++) from.push(former[at] as T);
}
