import type { Draft } from './draft.js';
import { parseHandle, scopeId } from './handle.js';
import { unknownScope } from './authority.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import type { Contract, ScopeId } from './scope.js';

/** The contract of a scope to be opened. Consumed scopes may be named by id or handle. */
export type Opening = Contract;

/** Opens a scope. Its `consumes` exist already, so a new scope cannot close a cycle. */
export function openScope(draft: Draft, by: string, opening: Opening): ScopeId | Refusal {
  const { state, settings } = draft.view;
  if (opening.title.length > settings.maxTitle) {
    return refuse('LIMIT', `A title has at most ${settings.maxTitle} characters; this one has ${opening.title.length}.`, 'Shorten title and put the rest into note.', { argument: 'title', limit: settings.maxTitle });
  }
  if (state.scopes.size >= settings.maxLiveScopes) {
    return refuse('LIMIT', `${settings.maxLiveScopes} scopes are open or at work.`, 'Finish or release some first.', { limit: settings.maxLiveScopes });
  }
  const consumes = consumed(draft, opening.consumes);
  if (isRefusal(consumes)) return consumes;
  const scope = scopeId(state.scopeCount + 1);
  const pending = consumes.filter((id) => draft.view.scope(id)?.status !== 'done');
  draft.emit({ type: 'scope.opened', scope, contract: { ...opening, consumes }, by, pending });
  return scope;
}

function consumed(draft: Draft, given: readonly string[]): ScopeId[] | Refusal {
  const ids: ScopeId[] = [];
  for (const text of given) {
    const id = parseHandle(text)?.id;
    const scope = id === undefined ? undefined : draft.view.scope(id);
    if (scope === undefined) return unknownScope(text);
    if (scope.status === 'failed' || scope.status === 'cancelled') {
      return refuse('BLOCKED', `${scope.id} is ${scope.status}: its outputs will not come.`, 'Leave it out of consumes, or open a scope for the missing work.', { scope: scope.id, status: scope.status });
    }
    ids.push(scope.id);
  }
  return [...new Set(ids)];
}
