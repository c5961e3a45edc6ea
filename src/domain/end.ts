import { type Claimant, endedScope, onlyScope, ownScope, unknownScope } from './authority.js';
import type { Draft } from './draft.js';
import { parseHandle } from './handle.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import { type Artifact, isEnded, type Scope, type ScopeId } from './scope.js';
import { settle, unitsOf } from './settle.js';

/** The active (or, for a release, waiting) scope that a call is about. */
export function requireOwn(draft: Draft, claimant: Claimant, given: string | undefined): Scope | Refusal {
  const own = given === undefined ? onlyScope(draft, claimant) : ownScope(draft, claimant, given);
  if (own !== undefined) return own;
  return refuse('NOT_CLAIMED', 'You own no active scope.', 'Pass scope, or claim one with claim_scope {"units": […]}.', {});
}

/** Gives a scope up. Work that is left goes back to everyone; a mere claim that changed nothing is no more. */
export function release(draft: Draft, claimant: Claimant, given: string | undefined, reason: string, reverted: boolean): Scope | Refusal {
  const own = requireOwn(draft, claimant, given);
  if (isRefusal(own)) return own;
  const left = own.contract.standing || (own.changes > 0 && !reverted);
  draft.emit({ type: 'scope.released', scope: own.id, to: left ? 'open' : 'cancelled', reason, from: own.owner?.agent ?? 'unknown' });
  settle(draft, unitsOf(own));
  return { ...own, status: left ? 'open' : 'cancelled' };
}

export interface Publication {
  readonly scope: ScopeId;
  readonly status: 'done' | 'progress' | 'failed';
  readonly summary: string;
  readonly artifacts: readonly Artifact[];
  readonly commit?: string;
}

/** Records a publication. Returns the scopes that it unblocks. */
export function publish(draft: Draft, own: Scope, { status, commit, ...rest }: Publication): ScopeId[] {
  const made = commit === undefined ? {} : { commit };
  if (status === 'progress') {
    draft.emit({ type: 'scope.progressed', ...rest, ...made });
    return [];
  }
  if (status === 'failed') {
    draft.emit({ type: 'scope.failed', ...rest });
    settle(draft, unitsOf(own));
    return [];
  }
  const dependants = [...(draft.view.state.consumers.get(own.id) ?? [])];
  draft.emit({ type: 'scope.done', ...rest, ...made });
  settle(draft, unitsOf(own), dependants);
  return dependants.filter((id) => draft.view.state.scopes.get(id)?.pending.length === 0);
}

/** An operator takes a scope away from whoever has it; what it changed is handed over. */
export function releaseByOperator(draft: Draft, given: string, operator: string, reason: string): Scope | Refusal {
  const id = parseHandle(given)?.id;
  const scope = id === undefined ? undefined : draft.view.scope(id);
  if (scope === undefined) return unknownScope(given);
  if (isEnded(scope.status)) return endedScope(scope);
  if (scope.owner === undefined) {
    return refuse('NOT_CLAIMED', `${scope.id} is ${scope.status}: nobody holds it.`, 'There is nothing to release.', { scope: scope.id });
  }
  const to = scope.contract.standing || scope.changes > 0 ? 'open' : 'cancelled';
  draft.emit({ type: 'scope.released', scope: scope.id, to, reason: `${reason} (by ${operator})`, from: scope.owner.agent });
  settle(draft, unitsOf(scope));
  return { ...scope, status: to };
}
