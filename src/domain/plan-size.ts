import { type Refusal, refuse } from './refusal.js';
import type { Settings } from './settings.js';

/** What makes one scope of a plan large. */
export interface Sized {
  readonly units?: readonly unknown[];
  readonly produces?: readonly unknown[];
  readonly consumes?: readonly unknown[];
}

/** Told from the lengths of lists alone, before anything in them is looked at. */
export function planTooLarge(
  { maxPlan, maxPlanUnits, maxPlanConsumes }: Settings,
  scopes: readonly Sized[],
): Refusal | undefined {
  const all = { units: 0, consumes: 0 };
  for (const { units = [], produces = [], consumes = [] } of scopes) {
    all.units += units.length + produces.length;
    all.consumes += consumes.length;
  }
  return (
    over(maxPlan, scopes.length, `A plan has at most ${maxPlan} scopes`) ??
    over(maxPlanUnits, all.units, `The scopes of a plan name at most ${maxPlanUnits} units and outputs together`) ??
    over(maxPlanConsumes, all.consumes, `The scopes of a plan consume at most ${maxPlanConsumes} others together`)
  );
}

function over(limit: number, count: number, rule: string): Refusal | undefined {
  if (count <= limit) return undefined;
  return refuse('LIMIT', `${rule}; this one has ${count}.`, 'Split the plan.', { argument: 'scopes', limit, count });
}
