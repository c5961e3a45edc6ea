import type { Identity } from './identity.js';
import type { KeptToken, TokenFiles } from './token-files.js';
import { hashOf } from './tokens.js';

/** How often a server looks whether tokens of what is under way have ended, in milliseconds. */
const LOOK = 1_000;
/** A state of the disk so young may already hide a further change: it is read again. */
const YOUNG = 2_000;

/** The tokens as a running server knows them: a change of the files counts from the next request on. */
export class LiveTokens {
  readonly #files: TokenFiles;
  readonly #now: () => number;
  readonly #log: (sentence: string) => void;
  readonly #listeners: ((name: string) => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  /** By hash: nobody can choose one, so how long a look-up takes tells nothing. */
  #known: ReadonlyMap<string, KeptToken> = new Map();
  #seen: string | undefined;
  #told = '';

  constructor(files: TokenFiles, log: (sentence: string) => void, now: () => number = Date.now) {
    this.#files = files;
    this.#log = log;
    this.#now = now;
    this.#timer = setInterval(() => this.#look(), LOOK).unref();
  }

  check(token: string): Identity | undefined {
    this.#look();
    const found = this.#known.get(hashOf(token));
    if (found === undefined) return undefined;
    const { name, role, limits } = found;
    return { name, role, ...(limits === undefined ? {} : { limits }) };
  }

  /** Calls back with the name of each token that is revoked or expires. */
  onEnd(listener: (name: string) => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const former = this.#known;
    try {
      this.#read();
    } catch (error) {
      // The whole state was removed under the server: every call says so, to those who were known.
      if (this.#files.isStateGone()) return;
      // What cannot be read lets nobody in.
      this.#known = new Map();
      this.#seen = undefined;
      this.#say(`the tokens cannot be read: ${String(error)}`);
    }
    const ended = [...former].filter(([hash]) => !this.#known.has(hash));
    for (const [, { name }] of ended) for (const listener of this.#listeners) listener(name);
  }

  #read(): void {
    const now = this.#now();
    const { text, at } = this.#files.state();
    if (text !== this.#seen) {
      const tokens = this.#files.list((path) => this.#say(`${path} holds no token: remove it`));
      this.#known = new Map(tokens.map((token) => [token.hash, token]));
      this.#seen = now - at > YOUNG ? text : undefined;
    }
    const lives = ({ expires = Infinity }: KeptToken) => expires > now;
    if (![...this.#known.values()].every(lives)) {
      this.#known = new Map([...this.#known].filter(([, token]) => lives(token)));
    }
  }

  /** The same thing is said once, not with every request. */
  #say(sentence: string): void {
    if (sentence !== this.#told) this.#log(sentence);
    this.#told = sentence;
  }
}
