import type { Parts } from '../coordinator/parts.js';
import { parseHandle } from '../domain/handle.js';
import type { ScopeId } from '../domain/scope.js';

/** The scope that a person named by its id or handle, if there is one, live or ended. */
export async function knownScope(parts: Parts, given: string): Promise<ScopeId | undefined> {
  const id = parseHandle(given)?.id;
  if (id === undefined) return undefined;
  return parts.store.view({ scopes: [id] }, (view) => view.scope(id)?.id);
}
