import { hasSameName } from './authority.js';
import { ownedBy } from './deadlock.js';
import type { Draft } from './draft.js';
import { isStateless } from './leases.js';
import type { Note, Owner, ScopeId } from './scope.js';

/** A sentence for an agent about one of its scopes. */
export interface Told extends Pick<Note, 'from' | 'text'> {
  readonly scope: ScopeId;
}

/**
 * Takes the notes that wait for an agent: each is shown once, with the answer of its next call.
 *
 * @param named scopes that the call is about; callers without a connection are told of no others.
 */
export function takeNotes(draft: Draft, owner: Owner, named: readonly ScopeId[]): Told[] {
  const { state } = draft.view;
  const mine = (by: Owner) => hasSameName(owner, by);
  const scopes = isStateless(owner.connection)
    ? named.map((id) => state.scopes.get(id)).filter((scope) => scope?.owner !== undefined && mine(scope.owner))
    : ownedBy(draft.view, owner.connection, mine);
  return scopes
    .filter((scope) => scope !== undefined)
    .flatMap(({ id, notes }) => {
      const last = notes.at(-1);
      if (last === undefined) return [];
      draft.emit({ type: 'scope.told', scope: id, until: last.seq });
      return notes.map(({ from, text }) => ({ scope: id, from, text }));
    });
}
