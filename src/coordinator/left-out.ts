import type { ScopeId } from '../domain/scope.js';
import { merge3 } from './merge.js';

/** One change of a file, with its contents on both sides; null for no file. */
export interface Step {
  /** Null for an edit from outside. */
  readonly by: ScopeId | null;
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
}

/** A file as it would be had some of its changes never been made. */
export interface Rest {
  readonly bytes: Uint8Array | null;
  /** Whose changes do not stand without those that are left out, or without those of one that is named here. */
  readonly builtOn: readonly (ScopeId | null)[];
}

/**
 * Replays the changes that others made to a file, on its content before the changes that are left out. What does not merge
 * was built on those.
 *
 * To go backwards from the present content would be shorter, and wrong: it also takes away what somebody wrote anew after
 * the lines in question had gone.
 */
export async function leftOut(from: Uint8Array | null, others: AsyncIterable<Step> | Iterable<Step>): Promise<Rest> {
  let bytes = from;
  const builtOn = new Set<ScopeId | null>();
  for await (const { by, before, after } of others) {
    const merged = merge3(before, bytes, after);
    if (merged === undefined) builtOn.add(by);
    else bytes = merged;
  }
  return { bytes, builtOn: [...builtOn] };
}
