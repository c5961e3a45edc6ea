import { lineChanges } from './line-changes.js';
import { splitLines } from './text.js';

export interface ChangeCount {
  readonly added: number;
  readonly removed: number;
}

// This runs on every patch: beyond these sizes lines are only counted, which gives the least possible numbers.
const MAX_COMPARED_BYTES = 200_000;

/**
 * How many lines a change adds and removes; null stands for "no file". Lines end with LF, so any bytes can be counted.
 * Exact for changes within 200 kB of each other; beyond that, lines that only moved count as unchanged.
 */
export function countChange(before: Uint8Array | null, after: Uint8Array | null): ChangeCount {
  const a = bufferOf(before);
  const b = bufferOf(after);
  const start = commonStart(a, b);
  const tail = commonTail(a, b, start);
  const old = a.subarray(start, a.length - tail);
  const young = b.subarray(start, b.length - tail);
  const removed = countLines(old);
  const added = countLines(young);
  if (removed === 0 || added === 0 || (removed === 1 && added === 1)) return { added, removed };
  // latin1 maps each byte to one character, so equal bytes are equal lines, whatever the encoding is.
  const oldLines = splitLines(old.toString('latin1'));
  const newLines = splitLines(young.toString('latin1'));
  const small = old.length + young.length <= MAX_COMPARED_BYTES;
  const changes = small ? lineChanges(oldLines, newLines) : null;
  if (changes === null) return countByContent(oldLines, newLines);
  return changes.reduce(
    (sum, change) => ({
      added: sum.added + change.newTo - change.newFrom,
      removed: sum.removed + change.to - change.from,
    }),
    { added: 0, removed: 0 },
  );
}

function bufferOf(bytes: Uint8Array | null): Buffer {
  return bytes === null ? Buffer.alloc(0) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Length of the equal whole lines at the start. */
function commonStart(a: Buffer, b: Buffer): number {
  const most = Math.min(a.length, b.length);
  const at = largest(most, (from, to) => a.compare(b, from, to, from, to) === 0);
  if (at === a.length && at === b.length) return at;
  return at === 0 ? 0 : a.lastIndexOf(10, at - 1) + 1;
}

/** Length of the equal whole lines at the end, behind `start`. */
function commonTail(a: Buffer, b: Buffer, start: number): number {
  const most = Math.min(a.length, b.length) - start;
  const length = largest(
    most,
    (from, to) => a.compare(b, b.length - to, b.length - from, a.length - to, a.length - from) === 0,
  );
  if (startsLine(a, a.length - length, start) && startsLine(b, b.length - length, start)) return length;
  const end = a.indexOf(10, a.length - length);
  return end === -1 ? 0 : a.length - end - 1;
}

/** The largest number up to `most` below which all is equal: by halves, because one native comparison is fast. */
function largest(most: number, isEqual: (from: number, to: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isEqual(low, middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function startsLine(bytes: Buffer, at: number, start: number): boolean {
  return at === start || bytes[at - 1] === 10;
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  let at = 0;
  while (at < bytes.length) {
    at = bytes.indexOf(10, at) + 1 || bytes.length;
    lines++;
  }
  return lines;
}

function countByContent(before: readonly string[], after: readonly string[]): ChangeCount {
  const left = new Map<string, number>();
  for (const line of before) left.set(line, (left.get(line) ?? 0) + 1);
  let kept = 0;
  for (const line of after) {
    const count = left.get(line) ?? 0;
    if (count > 0) {
      left.set(line, count - 1);
      kept++;
    }
  }
  return { added: after.length - kept, removed: before.length - kept };
}
