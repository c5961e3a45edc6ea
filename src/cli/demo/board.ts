import type { Fact } from './messages.js';

/** Facts that somebody waits for. Each is posted once and stays, so that nobody can come too late. */
export class Board {
  readonly #facts = new Map<Fact, PromiseWithResolvers>();

  post(fact: Fact, value = ''): void {
    this.#slot(fact).resolve(value);
  }

  /** Resolves with the value of the fact as soon as it is posted. */
  hear(fact: Fact): Promise<string> {
    return this.#slot(fact).promise;
  }

  #slot(fact: Fact): PromiseWithResolvers {
    const known = this.#facts.get(fact);
    if (known !== undefined) return known;
    const slot = withResolvers();
    this.#facts.set(fact, slot);
    return slot;
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<string>;
  readonly resolve: (value: string) => void;
}

/** Node 20 has no `Promise.withResolvers`. */
function withResolvers(): PromiseWithResolvers {
  let resolve: (value: string) => void = () => undefined;
  const promise = new Promise<string>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
