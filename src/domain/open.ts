import { unknownScope } from './authority.js';
import type { Draft } from './draft.js';
import { parseHandle, scopeId } from './handle.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import type { Contract, Scope, ScopeId } from './scope.js';

/** The contract of a scope to be opened. Consumed scopes may be named by id or handle. */
export type Opening = Contract;

/** Opens a scope. Its `consumes` exist already, so a new scope cannot close a cycle. */
export function openScope(draft: Draft, by: string, opening: Opening): ScopeId | Refusal {
  const limit = tooMuch(draft, opening);
  if (limit !== undefined) return limit;
  const consumed = consumedScopes(draft, opening.consumes);
  if (isRefusal(consumed)) return consumed;
  const scope = scopeId(draft.view.state.scopeCount + 1);
  const consumes = [...new Set(consumed.map(({ id }) => id))];
  const pending = consumes.filter((id) => draft.view.state.scopes.has(id));
  draft.emit({ type: 'scope.opened', scope, contract: { ...opening, consumes }, by, pending });
  return scope;
}

function tooMuch({ view }: Draft, { title, units }: Opening): Refusal | undefined {
  const { maxTitle, maxUnits, maxLiveScopes } = view.settings;
  if (title.length > maxTitle) {
    return refuse(
      'LIMIT',
      `A title has at most ${maxTitle} characters; this one has ${title.length}.`,
      'Shorten title and put the rest into note.',
      { argument: 'title', limit: maxTitle },
    );
  }
  if (units.length > maxUnits) {
    return refuse(
      'LIMIT',
      `A scope may hold ${maxUnits} units; this one names ${units.length}.`,
      'Name folders or globs instead of single files.',
      { argument: 'units', limit: maxUnits },
    );
  }
  if (view.state.scopes.size < maxLiveScopes) return undefined;
  return refuse('LIMIT', `${maxLiveScopes} scopes are open or at work.`, 'Finish or release some first.', {
    limit: maxLiveScopes,
  });
}

/** What is consumed is done, or alive and still to be done. */
function consumedScopes(draft: Draft, given: readonly string[]): Scope[] | Refusal {
  const scopes: Scope[] = [];
  for (const text of given) {
    const id = parseHandle(text)?.id;
    const scope = id === undefined ? undefined : draft.view.scope(id);
    if (scope === undefined) return unknownScope(text);
    if (scope.status === 'failed' || scope.status === 'cancelled') {
      return refuse(
        'BLOCKED',
        `${scope.id} is ${scope.status}: its outputs will not come.`,
        'Leave it out of consumes, or open a scope for the missing work.',
        { scope: scope.id, status: scope.status },
      );
    }
    scopes.push(scope);
  }
  return scopes;
}
