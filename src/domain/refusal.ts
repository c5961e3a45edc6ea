/**
 * A refusal is an expected "no": a value, never an exception.
 * Doors print it as `CODE: sentence`, then the facts, then the next step.
 */
export type Code =
  | 'HELD'
  | 'WAITING'
  | 'NOT_CLAIMED'
  | 'STALE_BASE'
  | 'NO_MATCH'
  | 'LEASE_LOST'
  | 'DEADLOCK'
  | 'OUTSIDE'
  | 'PROTECTED'
  | 'NOT_FOUND'
  | 'BINARY'
  | 'UNKNOWN_SCOPE'
  | 'NOT_YOURS'
  | 'BLOCKED'
  | 'INCOMPLETE'
  | 'LIMIT'
  | 'BUSY'
  | 'INVALID'
  | 'DENIED'
  | 'REVIEW'
  | 'UNAVAILABLE';

const SHOWN = 20;

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface Refusal {
  readonly refused: true;
  readonly code: Code;
  /** One sentence: what happened. */
  readonly sentence: string;
  /** The facts behind the sentence, as fields. */
  readonly facts: { readonly [key: string]: Json };
  /** What to do now, as an exact next call where there is one. */
  readonly next: string;
}

export function refuse(code: Code, sentence: string, next: string, facts: Refusal['facts'] = {}): Refusal {
  return { refused: true, code, sentence, facts, next };
}

/** Names as a sentence can bear them: the first twenty, and how many more there are. */
export function listed(names: readonly string[]): string {
  const hidden = names.length - SHOWN;
  return [...names.slice(0, SHOWN), ...(hidden > 0 ? [`${hidden} more`] : [])].join(', ');
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && (value as { refused?: unknown }).refused === true;
}
