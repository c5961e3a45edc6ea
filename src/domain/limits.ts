import type { Claimant } from './authority.js';
import { knownUnit } from './blockers.js';
import { includes } from './overlap.js';
import { type Refusal, refuse } from './refusal.js';
import type { Phase } from './scope.js';
import type { Settings } from './settings.js';
import type { View } from './view.js';

/** What a caller may claim at most. Processes are free unless some are named. */
export interface Limits {
  readonly units?: readonly string[];
  readonly phases?: readonly Phase[];
}

/** Refuses work in a phase, or on units, that the caller's token does not reach. */
export function denied(
  { limits }: Pick<Claimant, 'limits'>,
  { settings }: View,
  phase: Phase,
  units: readonly string[],
): Refusal | undefined {
  const { phases, units: allowed } = limits ?? {};
  if (phases !== undefined && !phases.includes(phase)) {
    return refuse(
      'DENIED',
      `Your token is for the phase ${phases.join(', ')}; this is ${phase}.`,
      'Take up work of your phase, or ask the operator for a token that reaches further.',
      { phase, phases: [...phases] },
    );
  }
  if (allowed === undefined) return undefined;
  const outside = units.filter(beyond(allowed, settings.folds));
  if (outside.length === 0) return undefined;
  return refuse(
    'DENIED',
    `Your token does not reach ${outside.slice(0, 20).join(', ')}.`,
    'Claim what it reaches, or ask the operator for a token that reaches further.',
    { units: outside.slice(0, 20), allowed: [...allowed] },
  );
}

/** Tells quickly, and of very many, whether some work is within what a caller may claim. */
export function reachOf(
  limits: Limits | undefined,
  { folds }: Settings,
): (phase: Phase, units: readonly string[]) => boolean {
  const { phases, units: allowed } = limits ?? {};
  const isBeyond = allowed === undefined ? () => false : beyond(allowed, folds);
  return (phase, units) => (phases === undefined || phases.includes(phase)) && !units.some(isBeyond);
}

/** Whether none of these units includes another one. Processes are free unless some are named. */
function beyond(allowed: readonly string[], folds: boolean): (text: string) => boolean {
  const known = allowed.map((each) => knownUnit(each, folds));
  const freesProcesses = !known.some(({ kind }) => kind === 'process');
  return (text) => {
    const unit = knownUnit(text, folds);
    if (unit.kind === 'process' && freesProcesses) return false;
    return !known.some((outer) => includes(outer, unit));
  };
}
