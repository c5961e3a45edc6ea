import { numberOf } from '../domain/handle.js';
import type { Contract, Scope, ScopeId, Status } from '../domain/scope.js';
import type { Declaration } from './contract.js';
import type { Parts } from './parts.js';

const PAGE = 1_000;

/** Scopes as they would be declared again, each under its id as the key. */
export interface ExportedPlan {
  readonly scopes: readonly Declaration[];
  /** References to scopes that are not in the plan: left out of it. */
  readonly left: readonly { readonly scope: ScopeId; readonly names: ScopeId; readonly as: 'consumes' | 'parent' }[];
}

/**
 * The plan of the workspace: every scope that was opened for anybody to take up, as its contract stands. What agents
 * claimed for themselves and what Signalbox raised by itself came of the work, and is no part of the plan.
 */
export async function exportPlan(parts: Parts, status?: Status): Promise<ExportedPlan> {
  const scopes = (await allScopes(parts, status)).filter(({ contract }) => contract.standing && !contract.cause);
  const planned = new Set(scopes.map(({ id }) => id));
  const left = scopes.flatMap(({ id, contract: { consumes, parent } }) => [
    ...consumes.filter((name) => !planned.has(name)).map((names) => ({ scope: id, names, as: 'consumes' as const })),
    ...(parent === undefined || planned.has(parent) ? [] : [{ scope: id, names: parent, as: 'parent' as const }]),
  ]);
  return { scopes: scopes.map(({ id, contract }) => declarationOf(id, contract, planned)), left };
}

/** Oldest first. */
async function allScopes(parts: Parts, status: Status | undefined): Promise<Scope[]> {
  const scopes: Scope[] = [];
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const page = await parts.store.scopes({ limit: PAGE, before, ...(status === undefined ? {} : { status }) });
    scopes.push(...page);
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return scopes.reverse();
    before = numberOf(last.id);
  }
}

function declarationOf(key: ScopeId, contract: Contract, planned: ReadonlySet<ScopeId>): Declaration {
  const { title, phase, units, produces, inputs, nonGoals, done, checks, priority, parent, note } = contract;
  const consumes = contract.consumes.filter((id) => planned.has(id));
  return {
    key,
    title,
    phase,
    ...(units.length > 0 ? { units } : {}),
    ...(inputs?.length ? { inputs } : {}),
    ...(consumes.length > 0 ? { consumes } : {}),
    ...(produces.length > 0
      ? { produces: produces.map(({ path, type }) => (type === 'file' ? path : { path, type })) }
      : {}),
    ...(nonGoals?.length ? { non_goals: nonGoals } : {}),
    ...(done?.length ? { done } : {}),
    ...(checks?.length ? { checks } : {}),
    ...(priority === 0 ? {} : { priority }),
    ...(parent !== undefined && planned.has(parent) ? { parent } : {}),
    ...(note === undefined ? {} : { note }),
  };
}
