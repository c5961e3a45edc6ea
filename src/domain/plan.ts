import { circleIn } from './circle.js';
import type { Draft } from './draft.js';
import { scopeId } from './handle.js';
import { type Known, type Opening, openScope, tooMany } from './open.js';
import { planTooLarge } from './plan-size.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import type { ScopeId } from './scope.js';

/** One scope of a plan. `consumes` and `parent` may name other entries by their keys. */
export interface PlanEntry {
  readonly key?: string;
  readonly opening: Opening;
}

const SHOWN = 20;

/** An entry, and its place in the plan. */
interface Placed extends PlanEntry {
  readonly key: string;
  readonly at: number;
}

/** The entries that others can name. */
type Named = ReadonlyMap<string, Placed>;

/** Opens all scopes of a plan, or none. → their ids, which ascend in the order of the entries. */
export function openPlan(draft: Draft, by: string, entries: readonly PlanEntry[]): ScopeId[] | Refusal {
  const sizes = entries.map(({ opening }) => opening);
  const limit = planTooLarge(draft.view.settings, sizes) ?? tooMany(draft, entries.length);
  if (limit !== undefined) return limit;
  const named = namedEntries(entries);
  if (isRefusal(named)) return named;
  return circleOfConsumes(named) ?? circleOfParents(named) ?? draft.attempt(() => openAll(draft, by, entries, named));
}

/** The ids are known beforehand, so entries may name what comes after them. */
function openAll(draft: Draft, by: string, entries: readonly PlanEntry[], named: Named): ScopeId[] | Refusal {
  const first = draft.view.state.scopeCount + 1;
  const together: Known = new Map([...named].map(([key, { at }]) => [key, scopeId(first + at)]));
  const ids: ScopeId[] = [];
  for (const [at, { opening }] of entries.entries()) {
    const id = openScope(draft, by, opening, together);
    if (isRefusal(id)) return within(id, at);
    ids.push(id);
  }
  return ids;
}

/** Says in which entry of a plan a refused argument stands. */
export function within(refusal: Refusal, at: number): Refusal {
  const { argument } = refusal.facts;
  const place = typeof argument === 'string' ? `scopes[${at}].${argument}` : `scopes[${at}]`;
  return { ...refusal, facts: { ...refusal.facts, argument: place } };
}

function namedEntries(entries: readonly PlanEntry[]): Named | Refusal {
  const named = new Map<string, Placed>();
  for (const [at, { key, opening }] of entries.entries()) {
    if (key === undefined) continue;
    if (named.has(key)) return doubleKey(key, at);
    named.set(key, { key, opening, at });
  }
  return named;
}

function doubleKey(key: string, at: number): Refusal {
  return refuse('INVALID', `Two scopes of the plan have the key ${JSON.stringify(key)}.`, 'Give each its own key.', {
    argument: `scopes[${at}].key`,
    key,
  });
}

/** A scope waits for what it consumes, and not for its parent: that one may well consume what its parts have made. */
function circleOfConsumes(named: Named): Refusal | undefined {
  const circle = circleIn(named.values(), ({ opening }) => among(named, opening.consumes));
  if (circle === undefined) return undefined;
  const sentence = `The plan would never end: ${around(circle, 'waits for')}.`;
  const [first, second = first] = circle;
  const link = first?.opening.consumes.indexOf(String(second?.key));
  return refuse('DEADLOCK', sentence, 'Take one of these out of consumes.', facts(circle, `consumes[${link}]`));
}

function circleOfParents(named: Named): Refusal | undefined {
  const circle = circleIn(named.values(), ({ opening: { parent } }) =>
    among(named, parent === undefined ? [] : [parent]),
  );
  if (circle === undefined) return undefined;
  const sentence = `A scope would be a part of itself: ${around(circle, 'is a part of')}.`;
  return refuse('INVALID', sentence, 'Leave the parent of one of these out.', facts(circle, 'parent'));
}

function among(named: Named, names: readonly string[]): Placed[] {
  return names.map((name) => named.get(name)).filter((entry) => entry !== undefined);
}

function facts(circle: readonly Placed[], field: string): Refusal['facts'] {
  return { argument: `scopes[${circle[0]?.at}].${field}`, cycle: shown(circle) };
}

function around(circle: readonly Placed[], verb: string): string {
  const names = shown(circle);
  return [...names, ...names.slice(0, 1)].join(` ${verb} `);
}

/** Whoever reads of a long circle looks for one place to open it. */
function shown(circle: readonly Placed[]): string[] {
  const hidden = circle.length - SHOWN;
  return [...circle.slice(0, SHOWN).map(({ key }) => key), ...(hidden > 0 ? [`${hidden} more`] : [])];
}
