import { MAX_MERGED } from './limits.js';
import { type LineChange, lineChanges } from './line-changes.js';
import { decodeText } from './text.js';

/**
 * Whether what changed from `before` to `after` is in `present` too, whatever else is different there: no line that came is
 * gone, and what went is not back. Null stands for no file. False where that cannot be told: in binaries, and in texts
 * that are too large or too different to compare.
 */
export function stands(before: Uint8Array | null, after: Uint8Array | null, present: Uint8Array | null): boolean {
  if (isSame(after, present) || isSame(before, after)) return true;
  if (after === null || present === null) return false;
  const [old, young, now] = [before ?? new Uint8Array(), after, present].map(linesOf);
  if (old === undefined || young === undefined || now === undefined) return false;
  const own = lineChanges(old, young);
  const others = lineChanges(young, now);
  if (own === null || others === null) return false;
  return !others.some((other) => own.some((change) => takesBack(other, change, old, now)));
}

function takesBack(other: LineChange, own: LineChange, old: readonly string[], now: readonly string[]): boolean {
  if (own.newFrom < own.newTo) return other.from < other.to && other.from < own.newTo && own.newFrom < other.to;
  if (own.newFrom < other.from || other.to < own.newFrom) return false;
  const back = new Set(now.slice(other.newFrom, other.newTo));
  return old.slice(own.from, own.to).every((line) => back.has(line));
}

/** Without their ends: a line stays the same when another one comes behind it. */
function linesOf(bytes: Uint8Array): string[] | undefined {
  if (bytes.length > MAX_MERGED) return undefined;
  return decodeText(bytes)?.split('\n');
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === b || (a !== null && b !== null && Buffer.compare(a, b) === 0);
}
