import type { ScopeId } from '../domain/scope.js';
import type { Parts } from './parts.js';

const MOST = 100;
const UNDOES = 'undoes:';

/** The cause of a scope that takes the changes of another one back. */
export function undoes(id: ScopeId): string {
  return UNDOES + id;
}

/** Which scope has taken the changes of a scope back, unless that was undone in its turn. */
export async function undoneBy(parts: Parts, id: ScopeId): Promise<ScopeId | undefined> {
  const tried = await parts.store.scopes({ status: 'done', parent: id, cause: undoes(id), limit: MOST });
  for (const { id: by } of tried) if ((await undoneBy(parts, by)) === undefined) return by;
  return undefined;
}

/** The scope itself, where it has taken back all that it had changed: nothing of it is left. What was published stays. */
export async function gaveAllBack(parts: Parts, id: ScopeId): Promise<ScopeId | undefined> {
  const scope = await parts.store.view({ scopes: [id] }, (view) => view.scope(id));
  if (scope === undefined || scope.published > 0) return undefined;
  // What a scope that undoes another one takes back is not its own, unless it could not be published.
  if (scope.contract.cause?.startsWith(UNDOES) && scope.status !== 'cancelled') return undefined;
  const query = { scope: id, type: 'files.changed', after: 0, limit: 1, newest: true } as const;
  const [last] = await parts.store.events(query);
  return last?.body.type === 'files.changed' && last.body.cause === 'revert' ? id : undefined;
}
