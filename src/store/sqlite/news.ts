import type { Bells } from './bell.js';
import type { Driver, Statement } from './driver.js';
import { failureOf } from './driver.js';
import { integer } from './rows.js';
import { explained } from './write-lock.js';

const POLL = 1_000;

interface Waiter {
  readonly seq: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Tells those who wait that the ledger has grown. With nobody waiting there is no timer and no work. */
export class News {
  readonly #bells: Bells;
  readonly #check: () => void;
  readonly #seq: Statement;
  readonly #version: Statement;
  readonly #waiters = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;
  #seen: unknown;

  /** `check` throws where the database can no longer be trusted. */
  constructor(driver: Driver, bells: Bells, check: () => void) {
    this.#bells = bells;
    this.#check = check;
    this.#seq = driver.prepare('SELECT seq FROM ledger');
    this.#version = driver.prepare('PRAGMA data_version');
  }

  /** Resolves when the ledger has grown past `seq`, or when `signal` aborts. */
  after(seq: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', waiter.resolve);
        if (this.#waiters.size === 0) this.#rest();
      };
      const waiter: Waiter = {
        seq,
        resolve: () => {
          end();
          resolve();
        },
        reject: (error) => {
          end();
          reject(explained(error));
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', waiter.resolve);
      if (signal.aborted) waiter.resolve();
      else this.#attend();
    });
  }

  /** This server has committed. */
  committed(seq: number): void {
    for (const waiter of [...this.#waiters]) if (seq > waiter.seq) waiter.resolve();
  }

  /** Lets everyone go: the store closes. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.resolve();
    this.#bells.close();
  }

  /** The bell is hung up before the ledger is looked at, so that nothing falls between. */
  #attend(): void {
    this.#timer ??= setInterval(() => this.#poll(), POLL);
    this.#attempt(() => {
      this.#bells.listen(() => this.#attempt(() => this.#look()));
      this.#look();
    });
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    this.#attempt(() => {
      this.#check();
      const version = this.#version.get()?.data_version;
      if (version === this.#seen) return;
      this.#look();
      this.#seen = version;
    });
  }

  #look(): void {
    if (this.#waiters.size > 0) this.committed(integer(this.#seq.get(), 'seq'));
  }

  /** A busy database is looked at again with the next poll; a broken one is news for everybody. */
  #attempt(look: () => void): void {
    try {
      look();
    } catch (error) {
      if (failureOf(error) === 'busy') return;
      for (const waiter of [...this.#waiters]) waiter.reject(error);
    }
  }
}
