import { unknownScope } from './authority.js';
import type { Draft } from './draft.js';
import { parseHandle, scopeId } from './handle.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import type { Contract, Scope, ScopeId } from './scope.js';

/** The contract of a scope to be opened. Scopes in it may be named by id or handle. */
export type Opening = Contract;

/** Scopes that need no look: those that are opened together, by the names that they have for each other. */
export type Known = ReadonlyMap<string, ScopeId>;

const NONE: Known = new Map();

/**
 * Opens a scope. What it consumes exists already, so that it cannot close a cycle; or is opened together with it, and
 * then the whole was looked at before.
 */
export function openScope(draft: Draft, by: string, opening: Opening, together = NONE): ScopeId | Refusal {
  const limit = tooMuch(opening, draft) ?? tooMany(draft, 1);
  if (limit !== undefined) return limit;
  const consumed = consumedScopes(draft, opening.consumes, together);
  if (isRefusal(consumed)) return consumed;
  const parent = parentScope(draft, opening.parent, together);
  if (isRefusal(parent)) return parent;
  const scope = scopeId(draft.view.state.scopeCount + 1);
  const { consumes, pending } = consumed;
  const contract = { ...opening, consumes, ...(parent === undefined ? {} : { parent }) };
  draft.emit({ type: 'scope.opened', scope, contract, by, pending });
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

/** What a scope consumes, each once in the order given, and what of it is still to come. */
export interface Consumed {
  readonly consumes: readonly ScopeId[];
  readonly pending: readonly ScopeId[];
}

/** What is consumed is done, or alive and still to be done. What is `known` is still to come. */
export function consumedScopes(draft: Draft, given: readonly string[], known: Known): Consumed | Refusal {
  const consumes = new Set<ScopeId>();
  const pending = new Set<ScopeId>();
  for (const [at, text] of given.entries()) {
    const id = known.get(text);
    const scope = id === undefined ? consumable(draft, text, `consumes[${at}]`) : { id, status: 'open' };
    if (isRefusal(scope)) return scope;
    consumes.add(scope.id);
    if (scope.status !== 'done') pending.add(scope.id);
  }
  return { consumes: [...consumes], pending: [...pending] };
}

function consumable(draft: Draft, text: string, argument: string): Scope | Refusal {
  const scope = namedScope(draft, text);
  if (scope === undefined) return unknownScope(text, argument);
  if (scope.status !== 'failed' && scope.status !== 'cancelled') return scope;
  return refuse(
    'BLOCKED',
    `${scope.id} is ${scope.status}: its outputs will not come.`,
    'Leave it out of consumes, or open a scope for the missing work.',
    { argument, scope: scope.id, status: scope.status },
  );
}

function parentScope(draft: Draft, given: string | undefined, together: Known): ScopeId | undefined | Refusal {
  if (given === undefined) return undefined;
  return together.get(given) ?? namedScope(draft, given)?.id ?? unknownScope(given, 'parent');
}

/** A scope by its id or handle, ended or not. */
export function namedScope({ view }: Draft, text: string): Scope | undefined {
  const id = parseHandle(text)?.id;
  return id === undefined ? undefined : view.scope(id);
}
