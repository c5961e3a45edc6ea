import type { Opening } from '../domain/open.js';
import { openPlan, type PlanEntry, within } from '../domain/plan.js';
import { planTooLarge } from '../domain/plan-size.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { ScopeId } from '../domain/scope.js';
import type { Caller, Declaration } from './contract.js';
import { act, type Parts, scopeNeeds } from './parts.js';
import { type Disk, patientDisk } from './patient-disk.js';
import { parseProduces, parseUnits } from './units.js';

/** Declares many scopes at once, all or nothing. → their ids, in the order given. */
export async function declare(
  parts: Parts,
  caller: Caller,
  tool: string,
  scopes: readonly Declaration[],
): Promise<readonly ScopeId[] | Refusal> {
  const entries = planTooLarge(parts.settings, scopes) ?? (await parsed(parts, scopes));
  const needs = { scopes: isRefusal(entries) ? [] : namedBesides(scopes) };
  return act<readonly ScopeId[]>(parts, caller, tool, needs, (draft) => ({
    answer: isRefusal(entries) ? entries : openPlan(draft, caller.agent, entries),
  }));
}

/** Scopes that a plan names, and that are not in it. */
function namedBesides(scopes: readonly Declaration[]): ScopeId[] {
  const named = new Set(scopes.flatMap(({ consumes = [], parent = [] }) => consumes.concat(parent)));
  for (const { key } of scopes) if (key !== undefined) named.delete(key);
  return [...named].flatMap((name) => scopeNeeds(name));
}

async function parsed({ workspace }: Parts, scopes: readonly Declaration[]): Promise<PlanEntry[] | Refusal> {
  const disk = patientDisk(workspace);
  const entries: PlanEntry[] = [];
  for (const [at, scope] of scopes.entries()) {
    const opening = await openingOf(disk, scope);
    if (isRefusal(opening)) return within(opening, at);
    entries.push({ opening, ...(scope.key === undefined ? {} : { key: scope.key }) });
  }
  return entries;
}

/** A declaration → a contract for anybody to take up. */
export async function openingOf(workspace: Disk, given: Declaration): Promise<Opening | Refusal> {
  const units = await parseUnits(workspace, given.units ?? []);
  if (isRefusal(units)) return units;
  const produces = await parseProduces(workspace, given.produces ?? []);
  if (isRefusal(produces)) return produces;
  const { note, inputs, non_goals: nonGoals, done, checks, parent } = given;
  return {
    title: given.title.trim(),
    phase: given.phase ?? 'build',
    units,
    consumes: given.consumes ?? [],
    produces,
    priority: given.priority ?? 0,
    standing: true,
    ...(note === undefined ? {} : { note }),
    ...(inputs === undefined ? {} : { inputs }),
    ...(nonGoals === undefined ? {} : { nonGoals }),
    ...(done === undefined ? {} : { done }),
    ...(checks === undefined ? {} : { checks }),
    ...(parent === undefined ? {} : { parent }),
  };
}
