import type { Draft } from './draft.js';
import { gone, isStateless } from './leases.js';
import { reapScope } from './settle.js';

/**
 * Run before a connection shows a new sign of life: a lease that has run out is never renewed, so all that it owned
 * expires first and has to be claimed again. From here on the connection counts as alive.
 */
export function arrive(draft: Draft, connection: string): void {
  if (isStateless(connection)) return;
  if (gone(draft.view, connection) !== undefined) {
    for (const id of draft.view.state.owned.get(connection) ?? []) reapScope(draft, id);
  }
  draft.touch(connection);
}

/** Makes every expiry and lapse that has come due an event, so that waiters get what is free. */
export function sweep(draft: Draft): void {
  for (const ids of draft.view.state.owned.values()) for (const id of ids) reapScope(draft, id);
}
