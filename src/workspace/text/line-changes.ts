import { diffArrays } from 'diff/lib/diff/array.js';

/** One run of lines that differs: `before[from, to)` became `after[newFrom, newTo)`. Line indexes from 0. */
export interface LineChange {
  readonly from: number;
  readonly to: number;
  readonly newFrom: number;
  readonly newTo: number;
}

// Myers' algorithm takes (number of lines) × (number of edits) steps, at least (number of edits)² of them.
const MAX_STEPS = 20_000_000;
const MAX_EDIT_LENGTH = 1_000;

/**
 * What changed from one list of lines to another, in order, with at least one common line between two changes.
 * Null when the lists differ so much that comparing them would take more than about a tenth of a second.
 */
export function lineChanges(before: readonly string[], after: readonly string[]): LineChange[] | null {
  const start = commonStart(before, after);
  const tail = commonTail(before, after, start);
  const old = before.slice(start, before.length - tail);
  const young = after.slice(start, after.length - tail);
  if (old.length === 0 && young.length === 0) return [];
  if (old.length === 0 || young.length === 0) {
    return [{ from: start, to: start + old.length, newFrom: start, newTo: start + young.length }];
  }
  const pairs = commonLines(old, young);
  return pairs === null ? null : between(pairs, start, old.length, young.length);
}

/** The one change that covers all differences: what is left to say where `lineChanges` gives up. */
export function coarseChange(before: readonly string[], after: readonly string[]): LineChange {
  const start = commonStart(before, after);
  const tail = commonTail(before, after, start);
  return { from: start, to: before.length - tail, newFrom: start, newTo: after.length - tail };
}

function commonStart(a: readonly string[], b: readonly string[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}

function commonTail(a: readonly string[], b: readonly string[], start: number): number {
  const most = Math.min(a.length, b.length) - start;
  let length = 0;
  while (length < most && a[a.length - 1 - length] === b[b.length - 1 - length]) length++;
  return length;
}

/** A longest common subsequence, as pairs of indexes. */
function commonLines(a: readonly string[], b: readonly string[]): [number, number][] | null {
  // A line that only one side has is never part of the common sequence: without them even a rewritten file is cheap.
  const shared = numberShared(a, b);
  const left = positions(a, shared);
  const right = positions(b, shared);
  const steps = Math.floor(MAX_STEPS / (left.length + right.length + 1));
  const changes = diffArrays(
    left.map((at) => shared.get(String(a[at]))),
    right.map((at) => shared.get(String(b[at]))),
    { maxEditLength: Math.min(MAX_EDIT_LENGTH, steps) },
  );
  if (changes === undefined) return null;
  const pairs: [number, number][] = [];
  let i = 0;
  let j = 0;
  for (const change of changes) {
    if (!change.added && !change.removed) {
      const paired = right.slice(j, j + change.count);
      left.slice(i, i + change.count).forEach((at, k) => {
        pairs.push([at, Number(paired[k])]);
      });
    }
    if (!change.added) i += change.count;
    if (!change.removed) j += change.count;
  }
  return pairs;
}

/** Numbers compare faster than long lines. */
function numberShared(a: readonly string[], b: readonly string[]): Map<string, number> {
  const known = new Set(b);
  const shared = new Map<string, number>();
  for (const line of a) if (known.has(line) && !shared.has(line)) shared.set(line, shared.size);
  return shared;
}

function positions(lines: readonly string[], shared: ReadonlyMap<string, number>): number[] {
  const found: number[] = [];
  lines.forEach((line, at) => {
    if (shared.has(line)) found.push(at);
  });
  return found;
}

/** The gaps between the common lines, shifted by the start that was cut off. */
function between(pairs: readonly [number, number][], shift: number, oldEnd: number, newEnd: number): LineChange[] {
  const changes: LineChange[] = [];
  let from = 0;
  let newFrom = 0;
  for (const [to, newTo] of [...pairs, [oldEnd, newEnd] as const]) {
    if (to > from || newTo > newFrom) {
      changes.push({ from: from + shift, to: to + shift, newFrom: newFrom + shift, newTo: newTo + shift });
    }
    from = to + 1;
    newFrom = newTo + 1;
  }
  return changes;
}
