import { createHash, timingSafeEqual } from 'node:crypto';
import type { Identity } from './identity.js';

export interface Token extends Identity {
  readonly token: string;
}

/** Gives whose a token is that is valid, else undefined. */
export type TokenCheck = (token: string) => Promise<Identity | undefined> | Identity | undefined;

/** Compares with all tokens in constant time: how long it takes tells nothing about any of them. */
export function checkTokens(tokens: readonly Token[]): TokenCheck {
  const known = tokens.map(({ token, ...identity }) => ({ identity, hash: Buffer.from(hashOf(token), 'hex') }));
  return (given) => {
    const hash = Buffer.from(hashOf(given), 'hex');
    return known.filter((each) => timingSafeEqual(each.hash, hash))[0]?.identity;
  };
}

/**
 * What is kept of a token. One round of SHA-256 without salt is enough: a token is 256 random bits, so there are no likely
 * ones to try, which is what slow, salted hashes guard passwords against.
 */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
