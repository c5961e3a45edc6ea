import type { Draft } from './draft.js';
import { type Opening, openScope, tooMany } from './open.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import type { ScopeId } from './scope.js';

/** One scope of a plan. `consumes` and `parent` may name other entries by their keys. */
export interface PlanEntry {
  readonly key?: string;
  readonly opening: Opening;
}

/** An entry, and its place in the plan. */
type Placed = PlanEntry & { readonly at: number };

/** Opens all scopes of a plan, or none. → their ids, in the order of the entries. */
export function openPlan(draft: Draft, by: string, entries: readonly PlanEntry[]): ScopeId[] | Refusal {
  const { maxPlan } = draft.view.settings;
  if (entries.length > maxPlan) {
    return refuse('LIMIT', `A plan has at most ${maxPlan} scopes; this one has ${entries.length}.`, 'Split the plan.', {
      argument: 'scopes',
      limit: maxPlan,
    });
  }
  const limit = tooMany(draft, entries.length);
  if (limit !== undefined) return limit;
  const order = inOrder(entries.map((entry, at) => ({ ...entry, at })));
  return isRefusal(order) ? order : draft.attempt(() => openAll(draft, by, order));
}

function openAll(draft: Draft, by: string, order: readonly Placed[]): ScopeId[] | Refusal {
  const opened: { readonly at: number; readonly id: ScopeId }[] = [];
  const byKey = new Map<string, ScopeId>();
  for (const { at, key, opening } of order) {
    const { consumes, parent } = opening;
    const id = openScope(draft, by, {
      ...opening,
      consumes: consumes.map((name) => byKey.get(name) ?? name),
      ...(parent === undefined ? {} : { parent: byKey.get(parent) ?? parent }),
    });
    if (isRefusal(id)) return within(id, at);
    opened.push({ at, id });
    if (key !== undefined) byKey.set(key, id);
  }
  return opened.sort((a, b) => a.at - b.at).map(({ id }) => id);
}

/** Says in which entry of a plan a refused argument stands. */
export function within(refusal: Refusal, at: number): Refusal {
  const { argument } = refusal.facts;
  const place = typeof argument === 'string' ? `scopes[${at}].${argument}` : `scopes[${at}]`;
  return { ...refusal, facts: { ...refusal.facts, argument: place } };
}

/** Entries so that each comes after those that it names; otherwise as they were given. Refuses double keys and cycles. */
function inOrder(entries: readonly Placed[]): Placed[] | Refusal {
  const named = new Map<string, Placed>();
  for (const entry of entries) {
    if (entry.key === undefined) continue;
    if (named.has(entry.key)) return doubleKey(entry.key, entry.at);
    named.set(entry.key, entry);
  }
  const order = new Set<Placed>();
  for (const entry of entries) {
    const cycle = place(entry, named, order);
    if (cycle !== undefined) return closed(cycle);
  }
  return [...order];
}

/** Depth first, without recursion: a plan may be one chain of thousands. → the cycle, where there is one. */
function place(first: Placed, named: ReadonlyMap<string, Placed>, order: Set<Placed>): Placed[] | undefined {
  const path = [first];
  const onPath = new Set(path);
  for (let entry = path.at(-1); entry !== undefined; entry = path.at(-1)) {
    const next = namedBy(entry, named).find((other) => !order.has(other));
    if (next === undefined) {
      order.add(entry);
      path.pop();
    } else if (onPath.has(next)) return path.slice(path.indexOf(next));
    else {
      path.push(next);
      onPath.add(next);
    }
  }
  return undefined;
}

function namedBy({ opening: { consumes, parent } }: PlanEntry, named: ReadonlyMap<string, Placed>): Placed[] {
  const names = parent === undefined ? consumes : [...consumes, parent];
  return names.map((name) => named.get(name)).filter((entry) => entry !== undefined);
}

function doubleKey(key: string, at: number): Refusal {
  return refuse('INVALID', `Two scopes of the plan have the key ${JSON.stringify(key)}.`, 'Give each its own key.', {
    argument: `scopes[${at}].key`,
    key,
  });
}

function closed(cycle: readonly Placed[]): Refusal {
  const keys = cycle.map(({ key }) => String(key));
  const next = [...keys.slice(1), ...keys.slice(0, 1)];
  const links = cycle.map(({ at, opening }, place) => {
    const link = opening.consumes.indexOf(String(next[place]));
    return `scopes[${at}].${link < 0 ? 'parent' : `consumes[${link}]`}`;
  });
  return refuse(
    'DEADLOCK',
    `The plan would never end: ${[...keys, ...keys.slice(0, 1)].join(' waits for ')}.`,
    'Take one of these out of consumes or parent.',
    { argument: String(links[0]), cycle: keys },
  );
}
