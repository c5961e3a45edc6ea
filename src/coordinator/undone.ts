import type { ScopeId } from '../domain/scope.js';
import type { Parts } from './parts.js';

const MOST = 100;

/** What a scope that undoes another one is opened for, and the conflict scope where that cannot be. */
export function undoing(id: ScopeId): string {
  return `undo:${id}`;
}

/** Which scope has taken the changes of a scope back, unless that was undone in its turn. */
export async function undoneBy(parts: Parts, id: ScopeId): Promise<ScopeId | undefined> {
  const tried = await parts.store.scopes({ status: 'done', parent: id, cause: undoing(id), limit: MOST });
  for (const { id: by, contract } of tried) {
    if (contract.conflict === undefined && (await undoneBy(parts, by)) === undefined) return by;
  }
  return undefined;
}
