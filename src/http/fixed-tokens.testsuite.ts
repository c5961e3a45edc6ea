import { Feed } from '../coordinator/feed.js';
import type { Identity } from './identity.js';
import type { Tokens } from './tokens.js';

/** Tokens as a test names them. */
export class FixedTokens implements Tokens {
  readonly #tokens: Map<string, Identity>;
  readonly #listeners: ((name: string) => void)[] = [];

  constructor(tokens: { readonly [token: string]: Identity }) {
    this.#tokens = new Map(Object.entries(tokens));
  }

  check = (token: string): Identity | undefined => this.#tokens.get(token);

  onEnd(listener: (name: string) => void): void {
    this.#listeners.push(listener);
  }

  revoke(token: string): void {
    const name = this.#tokens.get(token)?.name ?? '';
    this.#tokens.delete(token);
    for (const listener of this.#listeners) listener(name);
  }
}

/** For servers whose events nobody asks for. */
export const noFeed = new Feed(Object.create(null));
