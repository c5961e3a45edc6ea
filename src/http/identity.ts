import type { Limits } from '../domain/limits.js';

/** What a token may do: `observer` looks, `agent` works under its own scopes, `operator` decides about everybody's. */
export const ROLES = ['operator', 'agent', 'observer'] as const;
export type Role = (typeof ROLES)[number];

/** Who calls, by its token. */
export interface Identity {
  /** Stands in the ledger. */
  readonly name: string;
  readonly role: Role;
  /** What it may claim; everything where left out. */
  readonly limits?: Limits;
}
