import type { Event } from '../../domain/event.js';
import type { Store } from '../../store/store.js';

const PAGE = 500;

/** What the demo sees while it goes on: the events of the ledger and, between them, what agents tell, in order. */
export class Live {
  readonly #store: Store;
  readonly #onEvent: (event: Event, next: Event | undefined) => void;
  readonly #told: (() => void)[] = [];
  #wake = new AbortController();

  constructor(store: Store, onEvent: (event: Event, next: Event | undefined) => void) {
    this.#store = store;
    this.#onEvent = onEvent;
  }

  /** Calls this back as soon as everything that is in the ledger by now has been seen. */
  afterwards(tell: () => void): void {
    this.#told.push(tell);
    this.#wake.abort();
  }

  /** Until `signal` aborts; what is in the ledger by then is seen too. */
  async follow(signal: AbortSignal): Promise<void> {
    for (let after = 0; ; ) {
      const over = signal.aborted;
      this.#wake = new AbortController();
      const told = this.#told.splice(0);
      after = await this.#see(after);
      for (const tell of told) tell();
      if (over) return;
      if (this.#told.length === 0) await this.#store.changed(after, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #see(from: number): Promise<number> {
    for (let after = from; ; ) {
      const events = await this.#store.events({ after, limit: PAGE });
      for (const [at, event] of events.entries()) this.#onEvent(event, events[at + 1]);
      const last = events.at(-1);
      if (last === undefined) return after;
      after = last.seq;
    }
  }
}
