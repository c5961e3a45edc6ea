import type { Claimant } from './authority.js';
import { liveScope, ownerOf } from './blockers.js';
import type { Draft } from './draft.js';
import { grant, tooManyUnits, wouldNeverEnd } from './grant.js';
import { lost } from './leases.js';
import { openScope } from './open.js';
import { isRefusal, type Refusal } from './refusal.js';
import type { Scope, ScopeId } from './scope.js';
import { settle, unitsOf } from './settle.js';

export interface HandOn {
  /** The scope of a command that has ended. It ends too. */
  readonly command: ScopeId;
  /** Units of it that the command changed something in. */
  readonly units: readonly string[];
  /** Who gets them: the scope that the command ran for, as it was then; where it ran for none, a new one. */
  readonly heir: Scope | undefined;
  /** The title of a new one. */
  readonly title: string;
}

/**
 * What a command changed in units of its own goes on to the scope that it ran for, and its process is free. The units are
 * never free in between, so whoever waits for them is not overtaken: the command's turn lasts until its changes are kept.
 * Undefined where the command's scope, or the one that it ran for, is no more.
 */
export function handOn(draft: Draft, { owner }: Claimant, request: HandOn): Scope | Refusal | undefined {
  const command = active(draft, request.command);
  if (command === undefined) return undefined;
  return draft.attempt<Scope | undefined>(() => {
    const heir = heirOf(draft, owner.agent, request);
    if (heir === undefined || isRefusal(heir)) return heir;
    const limit = tooManyUnits(draft, heir, request.units);
    if (limit !== undefined) return limit;
    const reason = 'the command ended';
    draft.emit({ type: 'scope.released', scope: command.id, to: 'cancelled', reason, from: ownerOf(command).agent });
    grant(draft, owner, heir, { units: request.units, mode: 'write' });
    settle(draft, unitsOf(command));
    return wouldNeverEnd(draft, heir.id) ?? liveScope(draft.view, heir.id);
  });
}

function heirOf(draft: Draft, agent: string, { heir, units, title }: HandOn): Scope | Refusal | undefined {
  if (heir !== undefined) {
    const present = active(draft, heir.id);
    return present?.tenure === heir.tenure ? present : undefined;
  }
  const opening = { title, phase: 'build' as const, units, consumes: [], produces: [], priority: 0, standing: false };
  const id = openScope(draft, agent, opening);
  return isRefusal(id) ? id : liveScope(draft.view, id);
}

function active({ view }: Draft, id: ScopeId): Scope | undefined {
  const scope = view.state.scopes.get(id);
  return scope?.status === 'active' && scope.stopping === undefined && lost(view, scope) === undefined
    ? scope
    : undefined;
}
