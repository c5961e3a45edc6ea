import { setImmediate, setTimeout } from 'node:timers/promises';
import { StoreBroken, StoreBusy } from '../store.js';
import { type Driver, failureOf } from './driver.js';
import { reason } from './folder.js';
import { rollBack } from './schema.js';

const LONGEST_PAUSE = 20;

/**
 * The write lock of the database: first come, first served within this process, with pauses of random length
 * between tries against other processes (SQLite's own waiting is unfair and would block the event loop).
 */
export class WriteLock {
  readonly #driver: Driver;
  readonly #patience: number;
  readonly #enter: () => void;
  readonly #queue: (() => boolean)[] = [];
  #busy = false;

  /** `enter` begins the write transaction; `patience` is in milliseconds. */
  constructor(driver: Driver, patience: number, enter: () => void) {
    this.#driver = driver;
    this.#patience = patience;
    this.#enter = enter;
  }

  /**
   * Runs `work` under the lock, in the same turn of the event loop as the BEGIN; it ends the transaction itself.
   * Throws `StoreBusy` where the lock could not be had in time, and what `work` throws, after a ROLLBACK.
   */
  hold<T>(work: () => T): Promise<T> {
    const until = performance.now() + this.#patience;
    return new Promise((resolve, reject) => {
      this.#line(() => {
        try {
          this.#enter();
        } catch (error) {
          if (failureOf(error) === 'busy' && performance.now() < until) return false;
          reject(explained(error));
          return true;
        }
        // From here on nothing is tried again: the work may have had effects.
        try {
          resolve(work());
        } catch (error) {
          rollBack(this.#driver);
          reject(explained(error));
        }
        return true;
      });
    });
  }

  /** Resolves when everything that was asked for so far is through. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#line(() => {
        resolve();
        return true;
      });
    });
  }

  /** `attempt` answers whether it is through. */
  #line(attempt: () => boolean): void {
    if (!this.#busy && attempt()) return;
    this.#queue.push(attempt);
    if (!this.#busy) void this.#serve();
  }

  async #serve(): Promise<void> {
    this.#busy = true;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      for (let pause = 1; !next(); pause = Math.min(pause * 2, LONGEST_PAUSE)) await aMoment(pause);
      this.#queue.shift();
      // A long queue of quick commits must not keep timers and sockets waiting.
      if (this.#queue.length > 0) await setImmediate();
    }
    this.#busy = false;
  }
}

/** Tries until SQLite is no longer busy. Throws `StoreBusy` past `until` (as `performance.now()` counts). */
export async function whenFree<T>(attempt: () => T, until: number): Promise<T> {
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return attempt();
    } catch (error) {
      if (failureOf(error) !== 'busy' || performance.now() >= until) throw explained(error);
    }
    await aMoment(pause);
  }
}

/** Of random length, so that two who wait do not try in step for ever. */
function aMoment(longest: number): Promise<void> {
  return setTimeout(1 + Math.random() * longest);
}

/** An error of SQLite as one of the store's; any other as it is. */
export function explained(error: unknown): unknown {
  const failure = failureOf(error);
  if (failure === 'busy') return new StoreBusy('others have kept the database locked for too long', { cause: error });
  return failure === undefined
    ? error
    : new StoreBroken(`the database cannot be used: ${reason(error)}`, { cause: error });
}
