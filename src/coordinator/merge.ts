import { rebaseBytes } from '../workspace/text/rebase.js';

/**
 * Three-way merge of whole files, absent ones included: what one side left as it was, the other side decides.
 *
 * @returns the merged file, null for none, undefined where both sides changed the same.
 */
export function merge3(
  base: Uint8Array | null,
  ours: Uint8Array | null,
  theirs: Uint8Array | null,
): Uint8Array | null | undefined {
  if (isSame(ours, base) || isSame(ours, theirs)) return theirs;
  if (isSame(theirs, base)) return ours;
  if (base === null || ours === null || theirs === null) return undefined;
  const merged = rebaseBytes(base, ours, theirs);
  return merged !== null && 'bytes' in merged ? merged.bytes : undefined;
}

/** Whether two files are alike; null is no file. */
export function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === b || (a !== null && b !== null && Buffer.compare(a, b) === 0);
}
