import { type Found, HunkFinder } from './find-hunk.js';
import type { Hunk } from './hunk.js';
import { type FileLines, linesOf, type Sides, sidesOf, textOf } from './hunk-text.js';

export type HunkProblem =
  /** No place holds its old lines. */
  | { readonly kind: 'none'; readonly hunk: Hunk; readonly number: number }
  /** Several places do; line numbers from 1, the first 20 of them. */
  | {
      readonly kind: 'several';
      readonly hunk: Hunk;
      readonly number: number;
      readonly lines: readonly number[];
      readonly more: boolean;
    }
  /** It has no old lines, so that no place is more right than another. */
  | { readonly kind: 'unplaced'; readonly hunk: Hunk; readonly number: number }
  /** It changes lines that another hunk changes too. */
  | { readonly kind: 'overlap'; readonly hunk: Hunk; readonly number: number }
  /** Finding the places takes too long. */
  | { readonly kind: 'limit'; readonly hunk: Hunk; readonly number: number };

/** A hunk in its place, cut down to the lines from its first change to its last. */
interface Placed {
  readonly hunk: Hunk;
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly young: readonly string[];
  readonly newEnded: boolean | undefined;
}

/**
 * Applies hunks to a text, each at the one place where its old lines stand. All are placed in the text as it was, so
 * their order does not matter. Lines outside of the changes keep their bytes.
 */
export function applyHunks(text: string, hunks: readonly Hunk[]): { readonly text: string } | HunkProblem {
  const file = linesOf(text);
  const finder = new HunkFinder(file);
  const placed: Placed[] = [];
  for (const [index, hunk] of hunks.entries()) {
    const sides = sidesOf(hunk, file.crlf);
    const found = finder.find(hunk, sides);
    if (!('at' in found)) return problemOf(found, hunk, index + 1);
    placed.push(place(hunk, index + 1, sides, found.at));
  }
  placed.sort((a, b) => a.from - b.from || a.to - b.to);
  const overlap = placed.find(({ from }, index) => from < (placed[index - 1]?.to ?? 0));
  if (overlap !== undefined) return { kind: 'overlap', hunk: overlap.hunk, number: overlap.number };
  return { text: textOf(join(file, placed)) };
}

function problemOf(found: Exclude<Found, { at: number }>, hunk: Hunk, number: number): HunkProblem {
  if ('over' in found) return { kind: 'limit', hunk, number };
  if ('unplaced' in found) return { kind: 'unplaced', hunk, number };
  if (found.places.length === 0) return { kind: 'none', hunk, number };
  return { kind: 'several', hunk, number, lines: found.places.map((at) => at + 1), more: found.more };
}

function place(hunk: Hunk, number: number, sides: Sides, at: number): Placed {
  return {
    hunk,
    number,
    from: at + sides.head,
    to: at + sides.old.length - sides.tail,
    young: sides.young.slice(sides.head, sides.young.length - sides.tail),
    newEnded: sides.marked?.newEnded,
  };
}

function join(file: FileLines, placed: readonly Placed[]): FileLines {
  const parts: (readonly string[])[] = [];
  let at = 0;
  for (const { from, to, young } of placed) {
    parts.push(file.lines.slice(at, from), young);
    at = to;
  }
  parts.push(file.lines.slice(at));
  return { ...file, lines: parts.flat(), ended: endedAfter(file, placed) };
}

/**
 * Whether the text ends with a line feed afterwards: as `\ No newline at end of file` says; without it as before,
 * unless the last line, the only one without an ending, was taken away.
 */
function endedAfter(file: FileLines, placed: readonly Placed[]): boolean {
  const marked = placed.find(({ newEnded }) => newEnded !== undefined);
  if (marked?.newEnded !== undefined) return marked.newEnded;
  const cutsLast = placed.some(({ to, young }) => to === file.lines.length && young.length === 0);
  const adds = placed.some(({ from, young }) => from === file.lines.length && young.length > 0);
  return file.ended || (cutsLast && !adds);
}
