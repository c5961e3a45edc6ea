import { holderName } from './blockers.js';
import type { Draft } from './draft.js';
import type { EventBody } from './event.js';
import { runsOf } from './open-runs.js';
import { type Refusal, refuse } from './refusal.js';
import type { Scope, ScopeId } from './scope.js';
import { becomeFree, settle } from './settle.js';
import type { State } from './state.js';

/**
 * Puts the end of a command on record, once: false where another server has done it. A scope that waited for that alone
 * gives up its units.
 */
export function endRun(
  draft: Draft,
  ended: Omit<Extract<EventBody, { type: 'run.ended' }>, 'type' | 'scope'>,
): boolean {
  const run = draft.view.state.runs.get(ended.run);
  if (run === undefined) return false;
  const { scope, turn } = run;
  draft.emit({ type: 'run.ended', ...ended, ...(scope === undefined ? {} : { scope }) });
  for (const id of new Set([scope, turn])) if (id !== undefined) stopped(draft, id);
  return true;
}

function stopped(draft: Draft, id: ScopeId): void {
  const { state } = draft.view;
  const scope = state.scopes.get(id);
  if (scope?.stopping === undefined || runsOf(state, id).length > 0) return;
  settle(draft, becomeFree(draft, scope, scope.stopping));
}

/** What a scope waits for that keeps its units though its owner has lost it; empty for any other. */
export function endsAwaited(state: State, { id, stopping }: Pick<Scope, 'id' | 'stopping'>): string[] {
  return stopping === undefined ? [] : runsOf(state, id).map(({ run }) => run);
}

export function isStopping(state: State, scope: Scope): Refusal {
  const runs = endsAwaited(state, scope);
  return refuse(
    'BUSY',
    `${scope.id} was taken from ${holderName(scope)} (${scope.stopping?.reason ?? ''}); it is free when ${runs.join(', ')} has ended.`,
    'Call again in a moment: its commands are being ended.',
    { scope: scope.id, runs },
  );
}
