import { RAISER } from './agent-name.js';
import type { Draft } from './draft.js';
import { openScope } from './open.js';
import type { Refusal } from './refusal.js';
import type { Contract, Scope, ScopeId } from './scope.js';
import type { View } from './view.js';

/** What makes Signalbox open a scope by itself. */
export interface Occasion extends Pick<Contract, 'title' | 'phase' | 'units' | 'conflict' | 'parent'> {
  /** One live scope for one cause: retries of the same thing raise nothing new. */
  readonly cause: string;
  readonly note: string;
}

export type Conflict = NonNullable<Contract['conflict']>;

export interface KnownConflict {
  readonly scope: Scope;
  readonly conflict: Conflict;
}

/** The conflict scopes over a file that are alive. */
export function conflictsOver({ state }: View, path: string): KnownConflict[] {
  return [...state.scopes.values()].flatMap((scope) => {
    const { conflict } = scope.contract;
    return conflict?.paths.includes(path) === true ? [{ scope, conflict }] : [];
  });
}

/** Opens a scope for what has happened, for anybody to take up; undefined where one for this cause is alive. */
export function raise(draft: Draft, occasion: Occasion): ScopeId | Refusal | undefined {
  if (draft.view.state.scopes.some(({ contract }) => contract.cause === occasion.cause)) return undefined;
  const title = occasion.title.slice(0, draft.view.settings.maxTitle);
  return openScope(draft, RAISER, { ...occasion, title, consumes: [], produces: [], priority: 0, standing: true });
}
