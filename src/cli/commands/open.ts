import type { ControlPlane } from '../../coordinator/control-plane-contract.js';
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import type { Phase, Product } from '../../domain/scope.js';
import { type PlanFault, parsePlan } from '../../wire/plan.js';
import { fail, print, printJson } from '../output.js';
import { person } from '../person.js';

export interface OpenOptions {
  readonly unit?: readonly string[];
  readonly phase?: Phase;
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
  readonly input?: readonly string[];
  readonly nonGoal?: readonly string[];
  readonly done?: readonly string[];
  readonly check?: readonly string[];
  readonly priority?: number;
  readonly parent?: string;
  readonly note?: string;
}

/** `open`: one scope for anybody to take up, as a plan declares it. */
export async function open(plane: ControlPlane, title: string, options: OpenOptions, json: boolean): Promise<void> {
  const plan = parsePlan({ version: 1, scopes: [entryOf(title, options)] });
  if (!('scopes' in plan)) return fail(faulty(plan));
  const ids = await plane.declare(person(), plan.scopes);
  if (isRefusal(ids)) return fail(inOption(ids));
  const [id] = ids;
  json ? printJson({ id, title: title.trim() }) : print(`${id} is open.`);
}

/** Under the names of a plan, without what was not given. */
function entryOf(title: string, options: OpenOptions): object {
  const { unit, input, nonGoal, check, produces, ...rest } = options;
  const fields = {
    ...rest,
    title,
    units: unit,
    inputs: input,
    non_goals: nonGoal,
    checks: check,
    produces: produces?.map(productOf),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function productOf(text: string): string | Product {
  const [, path, type] = /^(.+)=([^=/]+)$/.exec(text) ?? [];
  return path === undefined || type === undefined ? text : { path, type };
}

/** Where something stands, as in a plan of one scope → as on the command line. */
function placeOf(place: string): string {
  return place.replace(/^scopes\[0\]\.?/, '') || 'the scope';
}

function faulty(faults: readonly PlanFault[]): Refusal {
  const lines = faults.map(({ place, reason }) => `${placeOf(place)}: ${reason}`);
  return refuse('INVALID', lines.join('\n'), 'Nothing was opened: put that right and open it again.');
}

function inOption(refusal: Refusal): Refusal {
  const { argument } = refusal.facts;
  return typeof argument === 'string' ? { ...refusal, sentence: `${placeOf(argument)}: ${refusal.sentence}` } : refusal;
}
