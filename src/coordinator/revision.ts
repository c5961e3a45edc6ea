import { createHash } from 'node:crypto';
import { type Refusal, refuse } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';

const LENGTH = 16;

/** A word for a scope as it stands: it differs whenever the scope does. */
export function revisionOf(scope: Scope): string {
  const whole = { ...scope, locks: [...scope.locks.values()].sort((a, b) => (a.unit < b.unit ? -1 : 1)) };
  return createHash('sha256').update(JSON.stringify(whole, inOrder)).digest('hex').slice(0, LENGTH);
}

/** The same scope may have its fields in another order, read from a table or folded from events. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Refuses where a scope has changed since the revisions that a caller looked at. */
export function outdated(scope: Scope | undefined, match: readonly string[] | undefined): Refusal | undefined {
  if (scope === undefined || match === undefined) return undefined;
  const revision = revisionOf(scope);
  if (match.includes(revision)) return undefined;
  return refuse(
    'STALE_BASE',
    `${scope.id} has changed since you looked at it; nothing was done.`,
    'Look at it again, then decide anew.',
    { scope: scope.id, revision },
  );
}
