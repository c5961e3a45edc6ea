import type { Draft } from './draft.js';
import { gone, isStateless, lapsed, lost } from './leases.js';
import { expire, settle, unitsOf } from './settle.js';
import type { Scope } from './scope.js';

/**
 * Run before a connection shows a new sign of life: a lease that has run out is never renewed,
 * so all that it owned expires first and has to be claimed again.
 */
export function arrive(draft: Draft, connection: string): void {
  if (isStateless(connection) || !draft.view.state.owned.has(connection)) return;
  const reason = gone(draft.view, connection);
  if (reason === undefined) return;
  for (const id of draft.view.state.owned.get(connection) ?? []) giveUp(draft, id, reason);
}

/** Makes every expiry and lapse that has come due an event, so that waiters get what is free. */
export function sweep(draft: Draft): void {
  for (const ids of draft.view.state.owned.values()) {
    for (const id of ids) {
      const scope = draft.view.state.scopes.get(id);
      if (scope === undefined) continue;
      const reason = lost(draft.view, scope) ?? (scope.ticket && lapsed(draft.view, scope));
      if (reason !== undefined) giveUp(draft, id, reason);
    }
  }
}

function giveUp(draft: Draft, id: string, reason: string): void {
  const scope = draft.view.state.scopes.get(id);
  if (scope?.owner === undefined) return;
  if (isOnlyWaiting(draft, scope)) settle(draft, unitsOf(scope), [id]);
  else expire(draft, scope, reason);
}

/** Its lease stands, or it never had one: only its ticket is void. */
function isOnlyWaiting(draft: Draft, scope: Scope): boolean {
  return scope.ticket !== undefined && (scope.status === 'waiting' || lost(draft.view, scope) === undefined);
}
