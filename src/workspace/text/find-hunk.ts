import type { Hunk } from './hunk.js';
import type { FileLines, Sides } from './hunk-text.js';
import { MAX_COMPARED } from './limits.js';

/**
 * Where a hunk's old lines stand: all places found, or the first few of many. `unplaced`: it has none, and nothing else
 * says where it belongs. `over`: too much work to tell.
 */
export type Found =
  | { readonly at: number }
  | { readonly places: readonly number[]; readonly more: boolean }
  | { readonly unplaced: true }
  | { readonly over: true };

const MAX_PLACES = 20;

/** Finds hunks in one file by their content. Work on all of them together is bounded. */
export class HunkFinder {
  readonly #file: FileLines;
  #index: Map<string, number[]> | undefined;
  #compared = 0;

  constructor(file: FileLines) {
    this.#file = file;
  }

  /** The one place where a hunk fits. Where several fit, nothing decides: a line number is of the file as it once was. */
  find(hunk: Hunk, sides: Sides): Found {
    const floor = this.#below(hunk.anchors);
    if (sides.old.length === 0 && !hunk.atEnd && this.#file.lines.length > 0) return { unplaced: true };
    const places: number[] = [];
    for (const at of this.#candidates(sides.old)) {
      if (at >= floor && this.#fits(hunk, sides, at)) places.push(at);
      if (places.length > MAX_PLACES || this.#compared > MAX_COMPARED) break;
    }
    if (this.#compared > MAX_COMPARED) return { over: true };
    const [only] = places;
    if (only !== undefined && places.length === 1) return { at: only };
    return { places: places.slice(0, MAX_PLACES), more: places.length > MAX_PLACES };
  }

  /** The line below the anchors, each looked for below the one before; behind every line where one is not there. */
  #below(anchors: readonly string[]): number {
    const { lines } = this.#file;
    let at = 0;
    for (const anchor of anchors) {
      while (at < lines.length && this.#charge(lines[at]) && lines[at]?.includes(anchor) === false) at++;
      if (at >= lines.length) return Number.POSITIVE_INFINITY;
      at++;
    }
    return at;
  }

  /** Counts work; false when there was too much of it. */
  #charge(line = ''): boolean {
    this.#compared += 1 + line.length / 64;
    return this.#compared <= MAX_COMPARED;
  }

  /** Where the hunk can begin, in order: taken from the places of its rarest line. Without old lines: at the end. */
  *#candidates(old: readonly string[]): Generator<number> {
    const [first, ...rest] = old;
    if (first === undefined) return yield this.#file.lines.length;
    let rarest = this.#placesOf(first);
    let offset = 0;
    for (const [index, line] of rest.entries()) {
      const places = this.#placesOf(line);
      if (places.length >= rarest.length) continue;
      rarest = places;
      offset = index + 1;
    }
    for (const place of rarest) yield place - offset;
  }

  #placesOf(line: string): readonly number[] {
    this.#index ??= indexOf(this.#file.lines);
    return this.#index.get(line) ?? [];
  }

  #fits(hunk: Hunk, { old, marked }: Sides, at: number): boolean {
    const { lines, ended } = this.#file;
    const end = at + old.length;
    this.#charge();
    if (at < 0 || end > lines.length) return false;
    if ((hunk.atEnd || marked !== undefined) && end !== lines.length) return false;
    if (marked !== undefined && old.length > 0 && marked.oldEnded !== ended) return false;
    return old.every((line, index) => this.#charge(line) && line === lines[at + index]);
  }
}

/** Where each line stands. */
function indexOf(lines: readonly string[]): Map<string, number[]> {
  const index = new Map<string, number[]>();
  for (const [at, line] of lines.entries()) {
    const places = index.get(line);
    if (places === undefined) index.set(line, [at]);
    else places.push(at);
  }
  return index;
}
