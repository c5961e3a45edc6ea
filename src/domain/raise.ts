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

/** The conflict scope over a file that is alive already, where this scope has a part in it. */
export function conflictOver({ state }: View, scope: ScopeId, path: string): Scope | undefined {
  return state.scopes.find(({ contract: { conflict } }) => {
    return conflict !== undefined && conflict.paths.includes(path) && conflict.between.includes(scope);
  });
}

/** Opens a scope for what has happened, for anybody to take up; undefined where one for this cause is alive. */
export function raise(draft: Draft, occasion: Occasion): ScopeId | Refusal | undefined {
  if (draft.view.state.scopes.some(({ contract }) => contract.cause === occasion.cause)) return undefined;
  const title = occasion.title.slice(0, draft.view.settings.maxTitle);
  return openScope(draft, RAISER, { ...occasion, title, consumes: [], produces: [], priority: 0, standing: true });
}
