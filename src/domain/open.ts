import { unknownScope } from './authority.js';
import type { Draft } from './draft.js';
import { parseHandle, scopeId } from './handle.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import type { Contract, Scope, ScopeId } from './scope.js';

/** The contract of a scope to be opened. Scopes in it may be named by id or handle. */
export type Opening = Contract;

/** Opens a scope. Its `consumes` exist already, so a new scope cannot close a cycle. */
export function openScope(draft: Draft, by: string, opening: Opening): ScopeId | Refusal {
  const limit = tooMuch(opening, draft) ?? tooMany(draft, 1);
  if (limit !== undefined) return limit;
  const consumed = consumedScopes(draft, opening.consumes);
  if (isRefusal(consumed)) return consumed;
  const parent = parentScope(draft, opening.parent);
  if (isRefusal(parent)) return parent;
  const scope = scopeId(draft.view.state.scopeCount + 1);
  const consumes = [...new Set(consumed.map(({ id }) => id))];
  const contract = { ...opening, consumes, ...(parent === undefined ? {} : { parent }) };
  draft.emit({ type: 'scope.opened', scope, contract, by, pending: unfinished(consumed) });
  return scope;
}

/** What a scope that consumes these still waits for. */
export function unfinished(consumed: readonly Scope[]): ScopeId[] {
  return [...new Set(consumed.filter(({ status }) => status !== 'done').map(({ id }) => id))];
}

/** What is wrong with the size of a contract. */
export function tooMuch({ title, units }: Opening, { view }: Draft): Refusal | undefined {
  const { maxTitle, maxUnits } = view.settings;
  if (title.length > maxTitle) {
    return refuse(
      'LIMIT',
      `A title has at most ${maxTitle} characters; this one has ${title.length}.`,
      'Shorten title and put the rest into note.',
      { argument: 'title', limit: maxTitle },
    );
  }
  if (units.length <= maxUnits) return undefined;
  return refuse(
    'LIMIT',
    `A scope may hold ${maxUnits} units; this one names ${units.length}.`,
    'Name folders or globs instead of single files.',
    { argument: 'units', limit: maxUnits },
  );
}

/** Whether so many more scopes would be too many. */
export function tooMany({ view }: Draft, more: number): Refusal | undefined {
  const { maxLiveScopes } = view.settings;
  const live = view.state.scopes.size;
  if (live + more <= maxLiveScopes) return undefined;
  return refuse(
    'LIMIT',
    `${live} scopes are open or at work, and there may be ${maxLiveScopes}.`,
    'Finish, cancel or release some first.',
    { limit: maxLiveScopes, live },
  );
}

/**
 * What is consumed is done, or alive and still to be done.
 *
 * @param all the list that the caller gave, where these are not all of it: the refusal tells the place in it.
 */
export function consumedScopes(draft: Draft, given: readonly string[], all = given): Scope[] | Refusal {
  const scopes: Scope[] = [];
  for (const text of given) {
    const scope = namedScope(draft, text);
    const argument = `consumes[${all.indexOf(text)}]`;
    if (scope === undefined) return named(unknownScope(text), argument);
    if (scope.status === 'failed' || scope.status === 'cancelled') {
      return refuse(
        'BLOCKED',
        `${scope.id} is ${scope.status}: its outputs will not come.`,
        'Leave it out of consumes, or open a scope for the missing work.',
        { argument, scope: scope.id, status: scope.status },
      );
    }
    scopes.push(scope);
  }
  return scopes;
}

function parentScope(draft: Draft, given: string | undefined): ScopeId | undefined | Refusal {
  return given === undefined ? undefined : (namedScope(draft, given)?.id ?? named(unknownScope(given), 'parent'));
}

function named(refusal: Refusal, argument: string): Refusal {
  return { ...refusal, facts: { argument, ...refusal.facts } };
}

/** A scope by its id or handle, ended or not. */
export function namedScope({ view }: Draft, text: string): Scope | undefined {
  const id = parseHandle(text)?.id;
  return id === undefined ? undefined : view.scope(id);
}
