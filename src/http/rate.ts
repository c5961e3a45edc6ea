/** How much one token may ask. */
export interface Rates {
  readonly perSecond: number;
  /** Requests that may come at once after a pause. */
  readonly burst: number;
  /** Calls that may be under way at once; most of them wait. Streams have bounds of their own. */
  readonly concurrent: number;
}

/** Far more than a crew of agents asks, and less than would keep the server from others. */
export const RATES: Rates = { perSecond: 200, burst: 1_000, concurrent: 256 };

/** A token bucket. Times are milliseconds of a clock that never goes back. */
export class Bucket {
  readonly #rates: Rates;
  #left: number;
  #at: number;

  constructor(rates: Rates, now: number) {
    this.#rates = rates;
    this.#left = rates.burst;
    this.#at = now;
  }

  /** Takes one. → 0, or where there is none the milliseconds until there is. */
  take(now: number): number {
    const { perSecond, burst } = this.#rates;
    this.#left = Math.min(burst, this.#left + ((now - this.#at) * perSecond) / 1_000);
    this.#at = now;
    if (this.#left < 1) return ((1 - this.#left) * 1_000) / perSecond;
    this.#left--;
    return 0;
  }
}
