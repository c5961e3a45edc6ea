import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import { bearerToken, hasTokenInUrl } from './guards.js';
import type { Identity } from './identity.js';
import { Bucket, RATES, type Rates } from './rate.js';
import type { TokenCheck } from './tokens.js';

export interface Denial {
  readonly status: 400 | 401 | 429;
  readonly message: string;
  readonly headers: { readonly [name: string]: string };
}

/** What has to be known of a request before it is let in. */
export interface Arrival {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly outgoing: ServerResponse;
}

interface Guest {
  readonly bucket: Bucket;
  /** Exchanges that are under way. */
  readonly open: Set<ServerResponse>;
  /** Those of them that count as calls: a GET only looks, or is a stream. */
  calls: number;
}

/** Lets in who has a valid token and does not ask too much, and throws out whose token has ended. */
export class Gate {
  readonly #check: TokenCheck;
  readonly #rates: Rates;
  readonly #now: () => number;
  readonly #guests = new Map<string, Guest>();

  constructor(check: TokenCheck, rates: Rates = RATES, now: () => number = () => performance.now()) {
    this.#check = check;
    this.#rates = rates;
    this.#now = now;
  }

  async admit({ method, url, authorization, outgoing }: Arrival): Promise<Identity | Denial> {
    if (hasTokenInUrl(url)) return denied(400, 'A token belongs in the Authorization header, not in the URL');
    const token = bearerToken(authorization);
    const identity = token === undefined ? undefined : await this.#check(token);
    if (identity === undefined) return denied(401, 'A valid bearer token is needed', { 'WWW-Authenticate': 'Bearer' });
    const guest = this.#guest(identity.name);
    const wait = guest.bucket.take(this.#now());
    if (wait > 0) return tooMany(`This token may send ${this.#rates.perSecond} requests a second`, wait);
    const calls = method === 'GET' ? 0 : 1;
    if (guest.calls + calls > this.#rates.concurrent)
      return tooMany(`This token may have ${this.#rates.concurrent} calls under way`, 1_000);
    guest.calls += calls;
    guest.open.add(outgoing);
    finished(outgoing, () => {
      guest.calls -= calls;
      guest.open.delete(outgoing);
    });
    return identity;
  }

  /** A token has been revoked, or has expired: whatever is under way for it is cut off. */
  end(name: string): void {
    const guest = this.#guests.get(name);
    this.#guests.delete(name);
    for (const outgoing of guest?.open ?? []) outgoing.destroy();
  }

  #guest(name: string): Guest {
    const known = this.#guests.get(name);
    if (known !== undefined) return known;
    const guest: Guest = { bucket: new Bucket(this.#rates, this.#now()), open: new Set(), calls: 0 };
    this.#guests.set(name, guest);
    return guest;
  }
}

export function isDenial(answer: Identity | Denial): answer is Denial {
  return 'status' in answer;
}

function denied(status: Denial['status'], message: string, headers: Denial['headers'] = {}): Denial {
  return { status, message, headers };
}

function tooMany(message: string, wait: number): Denial {
  return denied(429, message, { 'Retry-After': String(Math.ceil(wait / 1_000)) });
}
