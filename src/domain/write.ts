import { type Claimant, onlyScope, ownScope } from './authority.js';
import { type Blocker, blockers, knownUnit } from './blockers.js';
import type { Draft } from './draft.js';
import { openScope } from './open.js';
import { covers } from './overlap.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import type { Scope } from './scope.js';
import { reap } from './settle.js';
import { parseUnit } from './unit.js';

/** A write to be done under a scope: the handle given, the caller's only active scope, or a new one. */
export interface Write {
  readonly scope?: string;
  readonly paths: readonly string[];
  /** The title of a scope that the write claims for itself. */
  readonly title: string;
}

export interface Allowed {
  readonly scope: Scope;
  /** Units that were free and have been claimed with the write. */
  readonly claimed: readonly string[];
}

/**
 * May this caller change these paths now? What it holds, yes; what is free, it claims in the same step (unless claims
 * are explicit); what others hold or queue for, no.
 */
export function allowWrite(draft: Draft, claimant: Claimant, write: Write): Allowed | Refusal {
  const own = write.scope === undefined ? onlyScope(draft, claimant) : ownScope(draft, claimant, write.scope);
  if (isRefusal(own)) return own;
  const missing = uncovered(draft, own, write.paths);
  if (isRefusal(missing)) return missing;
  if (missing.length === 0 && own?.status === 'active') return { scope: own, claimed: [] };
  if (own?.status === 'waiting') return stillWaiting(own);
  if (draft.view.settings.claims === 'explicit') return notClaimed(missing, own);
  reap(draft, missing);
  return draft.attempt(() => claimFree(draft, claimant, own, missing, write.title));
}

function uncovered(draft: Draft, own: Scope | undefined, paths: readonly string[]): string[] | Refusal {
  const missing: string[] = [];
  for (const path of new Set(paths)) {
    const unit = parseUnit(path, draft.view.settings.folds);
    if (isRefusal(unit)) return unit;
    const held = draft.view.state.locks
      .overlapping(unit)
      .some((entry) => entry.scope === own?.id && entry.mode === 'write' && covers(knownUnit(entry.unit, draft.view.settings.folds), path));
    if (!held) missing.push(unit.text);
  }
  return missing;
}

function claimFree(draft: Draft, claimant: Claimant, own: Scope | undefined, units: readonly string[], title: string): Allowed | Refusal {
  const { owner } = claimant;
  const id = own?.id ?? openScope(draft, owner.agent, implicit(title, units));
  if (isRefusal(id)) return id;
  const { state, now, settings } = draft.view;
  const count = units.length + (own?.locks.size ?? 0);
  if (count > settings.maxUnits) {
    return refuse('LIMIT', `A scope may hold ${settings.maxUnits} units; this change comes to ${count}.`, 'Claim folders or globs with claim_scope instead of single files.', { limit: settings.maxUnits, asked: count });
  }
  const ticket = { units, mode: 'write' as const, arrival: state.seq + 1, since: now, priority: 0 };
  const ahead = blockers(draft.view, { scope: id, units, mode: 'write', ticket });
  if (ahead.length > 0) return held(ahead, own, units);
  draft.emit({ type: 'scope.granted', scope: id, units, mode: 'write', owner, generation: state.generation + 1, queued: false });
  const scope = draft.view.state.scopes.get(id);
  if (scope === undefined) throw new Error(`${id} was granted and is not there`);
  return { scope, claimed: units };
}

function implicit(title: string, units: readonly string[]) {
  return { title, phase: 'build' as const, units, consumes: [], produces: [], priority: 0, standing: false };
}

/** What others hold or queue for, as a refusal that names them and the call that waits for it. */
function held(ahead: readonly Blocker[], own: Scope | undefined, wanted: readonly string[]): Refusal {
  const [first] = ahead;
  if (first === undefined) throw new Error('nothing is held');
  const units = [...new Set(ahead.flatMap((blocker) => [...blocker.units]))];
  const agent = first.scope.owner?.agent ?? 'unknown';
  const verb = first.why === 'held' ? 'is held by' : 'is next for';
  const call = JSON.stringify(own === undefined ? { units: wanted } : { scope: own.id, units: wanted });
  return refuse('HELD', `${first.units.join(', ')} ${verb} ${first.scope.id} (${agent}: ${first.scope.contract.title}).`, `Wait for it with claim_scope ${call}, then read the files again; or work elsewhere meanwhile.`, {
    units,
    holders: ahead.map((blocker) => ({ id: blocker.scope.id, agent: blocker.scope.owner?.agent ?? 'unknown', title: blocker.scope.contract.title, why: blocker.why })),
  });
}

function stillWaiting(own: Scope): Refusal {
  return refuse('WAITING', `${own.id} is still waiting for ${own.ticket?.units.join(', ') ?? 'its units'}.`, `Call claim_scope {"scope": "${own.id}"} to go on waiting.`, { scope: own.id, units: [...(own.ticket?.units ?? [])] });
}

function notClaimed(missing: readonly string[], own: Scope | undefined): Refusal {
  const call = JSON.stringify(own === undefined ? { units: missing } : { scope: own.id, units: missing });
  return refuse('NOT_CLAIMED', `${missing.join(', ') || 'This'} is not claimed, and claims are explicit here.`, `Call claim_scope ${call} first.`, { units: [...missing] });
}
