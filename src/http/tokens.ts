import { createHash, timingSafeEqual } from 'node:crypto';

export interface Token {
  /** Who uses it; stands in the ledger. */
  readonly name: string;
  readonly token: string;
}

/** Gives the name of a token that is valid, else undefined. */
export type TokenCheck = (token: string) => Promise<string | undefined> | string | undefined;

/** Compares with all tokens in constant time: how long it takes tells nothing about any of them. */
export function checkTokens(tokens: readonly Token[]): TokenCheck {
  const known = tokens.map(({ name, token }) => ({ name, digest: digest(token) }));
  return (given) => {
    const hash = digest(given);
    return known.filter((each) => timingSafeEqual(each.digest, hash))[0]?.name;
  };
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
