import { type Json, type Refusal, refuse } from '../domain/refusal.js';
import type { Hash } from '../domain/scope.js';

const WHY = 'what nothing needs any more is kept for a limited time (keep.contents_days in signalbox.yaml)';

export function hasExpired(what: string): string {
  return `${what} has expired: ${WHY}.`;
}

/** Something that is on record, but whose content is not there any more. */
export function expired(what: string, next: string, facts: { readonly [key: string]: Json }): Refusal {
  return refuse('NOT_FOUND', hasExpired(what), next, { ...facts, expired: true });
}

/** Thrown where the history of a scope is followed in contents; every use case answers with the refusal. */
export class ContentExpired extends Error {
  override readonly name = 'ContentExpired';

  constructor(readonly hash: Hash) {
    super(`the content ${hash} has expired`);
  }

  get refusal(): Refusal {
    const next = 'Look for the commit of the scope with run {"command": "git log --grep Scope:"}.';
    return expired(`The text of a former version (artifact:${this.hash.slice(0, 10)})`, next, { hash: this.hash });
  }
}
