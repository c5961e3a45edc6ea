import { type Claimant, onlyScope, ownScope, stillWaiting } from './authority.js';
import { type Blocker, holderName, knownUnit, liveScope } from './blockers.js';
import type { Draft } from './draft.js';
import { grant, obstacles, tooManyUnits, wouldNeverEnd } from './grant.js';
import { denied } from './limits.js';
import { openScope } from './open.js';
import { covers } from './overlap.js';
import { invalid } from './path.js';
import { isRefusal, listed, type Refusal, refuse } from './refusal.js';
import type { Scope } from './scope.js';
import { reap } from './settle.js';
import type { State } from './state.js';
import { endsAwaited } from './stopping.js';
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
  const name = write.scope ?? own?.id;
  if (own?.status === 'waiting') return stillWaiting(own, name);
  const missing = uncovered(draft, own, write.paths);
  if (isRefusal(missing)) return missing;
  const barred = denied(claimant, draft.view, own?.contract.phase ?? 'build', write.paths);
  if (barred !== undefined) return barred;
  if (own !== undefined && missing.length === 0) return { scope: own, claimed: [] };
  if (draft.view.settings.claims === 'explicit') return notClaimed(missing, name);
  reap(draft, missing);
  return draft.attempt(() => claimFree(draft, claimant, own, missing, write));
}

/** The paths that the scope may not write yet, as units to be claimed. */
function uncovered({ view }: Draft, own: Scope | undefined, paths: readonly string[]): string[] | Refusal {
  const { folds } = view.settings;
  const missing: string[] = [];
  for (const path of new Set(paths)) {
    const unit = parseUnit(path, folds);
    if (isRefusal(unit)) return unit;
    // A file whose name reads as something else is never claimed by halves.
    if (!covers(unit, path)) return invalid(path, 'can not be claimed by its name; claim its folder first');
    const isHeld = view.state.locks
      .overlapping(unit)
      .some((entry) => entry.scope === own?.id && entry.mode === 'write' && covers(knownUnit(entry.unit, folds), path));
    if (!isHeld) missing.push(unit.text);
  }
  return missing;
}

function claimFree(
  draft: Draft,
  { owner }: Claimant,
  own: Scope | undefined,
  units: readonly string[],
  { scope: given, title }: Write,
): Allowed | Refusal {
  const opening = { phase: 'build' as const, units, consumes: [], produces: [], priority: 0, standing: false };
  const id =
    own?.id ?? openScope(draft, owner.agent, { ...opening, title: title.slice(0, draft.view.settings.maxTitle) });
  if (isRefusal(id)) return id;
  const scope = liveScope(draft.view, id);
  const wish = { units, mode: 'write' as const };
  const limit = tooManyUnits(draft, scope, units);
  if (limit !== undefined) return limit;
  const refused = heldByOthers(draft.view.state, obstacles(draft, scope, wish), given ?? own?.id, units);
  if (refused !== undefined) return refused;
  grant(draft, owner, scope, wish);
  return wouldNeverEnd(draft, id) ?? { scope: liveScope(draft.view, id), claimed: units };
}

/** What others hold or queue for, as a refusal that names them and the call that waits for it. */
function heldByOthers(
  state: State,
  ahead: readonly Blocker[],
  name: string | undefined,
  wanted: readonly string[],
): Refusal | undefined {
  const [first] = ahead;
  if (first === undefined) return undefined;
  const holders = ahead.map(({ scope, why }) => {
    return { id: scope.id, agent: holderName(scope), title: scope.contract.title, why };
  });
  const runs = ahead.flatMap(({ scope }) => endsAwaited(state, scope));
  const { id, contract } = first.scope;
  const verb = first.why === 'held' ? 'is held by' : 'is next for';
  return refuse(
    'HELD',
    `${listed(first.units)} ${verb} ${id} (${holderName(first.scope)}: ${contract.title})${untilEnded(runs)}.`,
    `Wait for it with claim_scope ${claimCall(name, wanted)}, then read the files again; or work elsewhere meanwhile.`,
    {
      units: [...new Set(ahead.flatMap((blocker) => blocker.units))],
      holders,
      ...(runs.length > 0 ? { runs } : {}),
    },
  );
}

/** Why units are held though nobody owns their scope any more. */
function untilEnded(runs: readonly string[]): string {
  return runs.length === 0 ? '' : ` until ${runs.join(', ')} has ended`;
}

function notClaimed(missing: readonly string[], name: string | undefined): Refusal {
  return refuse(
    'NOT_CLAIMED',
    `${listed(missing)} is not claimed, and claims are explicit here.`,
    `Call claim_scope ${claimCall(name, missing)} first.`,
    { units: [...missing] },
  );
}

/** In the words of the caller: whoever works under a handle needs it again. */
function claimCall(scope: string | undefined, units: readonly string[]): string {
  return JSON.stringify(scope === undefined ? { units } : { scope, units });
}
