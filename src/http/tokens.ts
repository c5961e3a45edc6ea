import { createHash } from 'node:crypto';
import type { Identity } from './identity.js';

/** Gives whose a token is that is valid, else undefined. */
export type TokenCheck = (token: string) => Promise<Identity | undefined> | Identity | undefined;

export interface Tokens {
  readonly check: TokenCheck;
  /** Calls back with the name of each token that is revoked or expires. */
  onEnd(listener: (name: string) => void): void;
}

/**
 * What is kept of a token. One round of SHA-256 without salt is enough: a token is 256 random bits, so there are no likely
 * ones to try, which is what slow, salted hashes guard passwords against.
 */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
