/** The longest that a timer can run, in milliseconds. */
const LONGEST = 2_000_000_000;

/** How long one call may wait: until its time is over or its client gives it up. `end` lets go of both. */
export class Patience {
  readonly #deadline = new AbortController();
  readonly #given: AbortSignal;
  readonly #over = (): void => this.#deadline.abort();
  // A timer of its own: Node 20 may collect `AbortSignal.any` over `AbortSignal.timeout` as garbage before it fires.
  readonly #timer: NodeJS.Timeout;

  /** @param ms milliseconds. */
  constructor(given: AbortSignal, ms: number) {
    this.#given = given;
    this.#timer = setTimeout(this.#over, Math.min(ms, LONGEST));
    given.addEventListener('abort', this.#over);
    if (given.aborted) this.#over();
  }

  get signal(): AbortSignal {
    return this.#deadline.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#given.removeEventListener('abort', this.#over);
  }
}
