import { RAISER } from './agent-name.js';
import type { Draft } from './draft.js';
import { openScope } from './open.js';
import type { Refusal } from './refusal.js';
import type { Contract, ScopeId } from './scope.js';

/** What makes Signalbox open a scope by itself. */
export interface Occasion extends Pick<Contract, 'title' | 'phase' | 'units' | 'conflict' | 'parent'> {
  /** One live scope for one cause: retries of the same thing raise nothing new. */
  readonly cause: string;
  readonly note: string;
}

/** Opens a scope for what has happened, for anybody to take up; undefined where one for this cause is alive. */
export function raise(draft: Draft, occasion: Occasion): ScopeId | Refusal | undefined {
  if (draft.view.state.scopes.some(({ contract }) => contract.cause === occasion.cause)) return undefined;
  const title = occasion.title.slice(0, draft.view.settings.maxTitle);
  return openScope(draft, RAISER, { ...occasion, title, consumes: [], produces: [], priority: 0, standing: true });
}
