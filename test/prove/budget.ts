import { appendFileSync } from 'node:fs';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** How long `npm run prove` may take; 0 for the short form that is a part of `npm test`. */
    minutes: number;
    /** The file that takes what each part has reached, a line each; empty where nobody reads it. */
    report: string;
  }
}

/** How often each thing was really reached, faults injected and refusals among them. */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** Of these, what was never reached: what is not there proves nothing. */
  missing(whats: readonly string[]): string[] {
    return whats.filter((what) => this.of(what) === 0);
  }

  get entries(): [string, number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** Rounds of a part: at least one, and more as long as its share of the time lasts. Yields their numbers, from 0. */
export function* rounds(share: number): Generator<number> {
  const until = performance.now() + inject('minutes') * 60_000 * share;
  for (let round = 0; round === 0 || performance.now() < until; round++) yield round;
}

/** A seed of this run, to be printed with whatever goes wrong. */
export function seedOf(round: number): number {
  return inject('minutes') === 0 ? 20_261_121 + round : (Date.now() + round * 7_919) % 2 ** 31;
}

/** Puts what a part has reached on the page of `npm run prove`. */
export function report(part: string, tally: Tally): void {
  const path = inject('report');
  if (path !== '') appendFileSync(path, `${JSON.stringify({ part, counts: tally.entries })}\n`);
}
