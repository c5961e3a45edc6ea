import { MAX_MERGED, MAX_MERGED_LINES } from './limits.js';
import { type LineChange, lineChanges } from './line-changes.js';
import { decodeText, encodeText, splitLines } from './text.js';

/** Lines that both sides changed. Line numbers from 1, in the base; `to` is before `from` where both only inserted. */
export interface Conflict {
  readonly from: number;
  readonly to: number;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

export type Clash =
  | { readonly reason: 'overlap'; readonly conflicts: readonly Conflict[] }
  /** More than 2,000,000 characters or 50,000 lines, or too different to compare in bounded time. */
  | { readonly reason: 'too_large'; readonly conflicts: readonly [] };

/**
 * Three-way merge by lines: replays `base → ours` on `theirs`. Changes of both sides are kept where at least one
 * unchanged line lies between them; equal changes count once; overlapping and touching ones clash. Line endings are
 * part of the line and are never converted.
 *
 * The merge is our own on top of jsdiff's comparison, because node-diff3 compares in cubic time: it took 55 s for
 * 5,000 equal lines and 4 s for 50,000 different ones, on the thread that must keep the leases alive.
 */
export function rebase(base: string, ours: string, theirs: string): { readonly text: string } | Clash {
  if (ours === theirs || base === theirs) return { text: ours };
  if (base === ours) return { text: theirs };
  if (Math.max(base.length, ours.length, theirs.length) > MAX_MERGED) return TOO_LARGE;
  const lines = splitLines(base);
  const left = splitLines(ours);
  const right = splitLines(theirs);
  if (Math.max(lines.length, left.length, right.length) > MAX_MERGED_LINES) return TOO_LARGE;
  const leftChanges = lineChanges(lines, left);
  const rightChanges = lineChanges(lines, right);
  if (leftChanges === null || rightChanges === null) return TOO_LARGE;
  return merge(lines, { lines: left, changes: leftChanges }, { lines: right, changes: rightChanges });
}

/** The same over bytes; null where one of the three is a binary. */
export function rebaseBytes(
  base: Uint8Array,
  ours: Uint8Array,
  theirs: Uint8Array,
): { readonly bytes: Uint8Array } | Clash | null {
  const texts = [base, ours, theirs].map(decodeText);
  const [baseText, oursText, theirsText] = texts;
  if (typeof baseText !== 'string' || typeof oursText !== 'string' || typeof theirsText !== 'string') return null;
  const merged = rebase(baseText, oursText, theirsText);
  return 'text' in merged ? { bytes: encodeText(merged.text) } : merged;
}

const TOO_LARGE: Clash = { reason: 'too_large', conflicts: [] };

interface Side {
  readonly lines: readonly string[];
  readonly changes: readonly LineChange[];
}

/** A stretch of the base with the changes of each side that lie in it. */
interface Region {
  readonly from: number;
  to: number;
  readonly ours: LineChange[];
  readonly theirs: LineChange[];
}

function merge(base: readonly string[], ours: Side, theirs: Side): { readonly text: string } | Clash {
  const merged: string[] = [];
  const conflicts: Conflict[] = [];
  let at = 0;
  for (const region of regions(ours.changes, theirs.changes)) {
    merged.push(base.slice(at, region.from).join(''));
    const left = contentOf(region, region.ours, base, ours.lines);
    const right = contentOf(region, region.theirs, base, theirs.lines);
    if (region.theirs.length === 0 || left === right) merged.push(left);
    else if (region.ours.length === 0) merged.push(right);
    else
      conflicts.push({
        ...placeOf(region),
        base: base.slice(region.from, region.to).join(''),
        ours: left,
        theirs: right,
      });
    at = region.to;
  }
  merged.push(base.slice(at).join(''));
  return conflicts.length > 0 ? { reason: 'overlap', conflicts } : { text: merged.join('') };
}

function placeOf(region: Region): { readonly from: number; readonly to: number } {
  return { from: region.from + 1, to: region.to };
}

/** Changes that overlap or touch share a region. */
function regions(ours: readonly LineChange[], theirs: readonly LineChange[]): Region[] {
  const all = [
    ...ours.map((change) => ({ change, side: 'ours' as const })),
    ...theirs.map((change) => ({ change, side: 'theirs' as const })),
  ].sort((a, b) => a.change.from - b.change.from);
  const found: Region[] = [];
  for (const { change, side } of all) {
    let region = found.at(-1);
    if (region === undefined || change.from > region.to) {
      region = { from: change.from, to: change.to, ours: [], theirs: [] };
      found.push(region);
    }
    region.to = Math.max(region.to, change.to);
    region[side].push(change);
  }
  return found;
}

/** What one side made of a region. */
function contentOf(
  region: Region,
  changes: readonly LineChange[],
  base: readonly string[],
  side: readonly string[],
): string {
  const parts: string[] = [];
  let at = region.from;
  for (const change of changes) {
    parts.push(base.slice(at, change.from).join(''), side.slice(change.newFrom, change.newTo).join(''));
    at = change.to;
  }
  return parts.join('') + base.slice(at, region.to).join('');
}
