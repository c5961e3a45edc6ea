import { unknownScope } from '../domain/authority.js';
import { blockers } from '../domain/blockers.js';
import { numberOf, parseHandle } from '../domain/handle.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope, ScopeId } from '../domain/scope.js';
import type { View } from '../domain/view.js';
import { inArgument, noScope, wrongCursor } from './argument.js';
import { traced } from './artifacts.js';
import type { ListedRun } from './contract.js';
import type { ScopeDetail, ScopePage, ScopeSummary, ScopesInput } from './control-plane-contract.js';
import { changeRows } from './history.js';
import { liveScopes, scopesAt } from './list.js';
import { endedRuns, runningOf } from './listed-runs.js';
import { paged, pageSize } from './page.js';
import type { Parts } from './parts.js';
import { pastAttempts } from './past-attempts.js';
import { revisionOf } from './revision.js';
import { undoneBy } from './undone.js';
import { canonicalUnit } from './units.js';

/** Lists of one scope, such as its children, are cut here. */
const MOST = 1_000;

/** Scopes newest first, a page at a time. */
export async function scopePage(parts: Parts, input: ScopesInput): Promise<ScopePage | Refusal> {
  const { cursor, limit, path, parent: given, ...rest } = input;
  const last = cursor === undefined ? undefined : parseHandle(cursor)?.id;
  if (cursor !== undefined && last === undefined) return wrongCursor(cursor);
  const parent = given === undefined ? undefined : parseHandle(given)?.id;
  if (given !== undefined && parent === undefined) return noScope('parent', given);
  const size = pageSize(limit);
  const query = {
    ...rest,
    limit: size + 1,
    ...(parent === undefined ? {} : { parent }),
    ...(last === undefined ? {} : { before: numberOf(last) }),
  };
  const found = path === undefined ? await parts.store.scopes(query) : await scopesNear(parts, path, query);
  if (isRefusal(found)) return found;
  const { items, next } = paged(found, size);
  return { scopes: items.map(summary), ...(next === undefined ? {} : { next }) };
}

type Query = Omit<ScopesInput, 'cursor' | 'path'> & { readonly before?: number; readonly limit: number };

async function scopesNear(parts: Parts, path: string, query: Query): Promise<Scope[] | Refusal> {
  const unit = await canonicalUnit(parts.workspace, path, 'read');
  if (isRefusal(unit)) return inArgument(unit, 'path');
  const { status, phase, parent, limit, before = Number.POSITIVE_INFINITY } = query;
  return parts.store.view({}, (view) => {
    const near = scopesAt(view, unit);
    const found = liveScopes(view).filter(
      (scope) =>
        near.has(scope.id) &&
        numberOf(scope.id) < before &&
        [undefined, scope.status].includes(status) &&
        [undefined, scope.contract.phase].includes(phase) &&
        [undefined, scope.contract.parent].includes(parent),
    );
    return found.reverse().slice(0, limit);
  });
}

function summary({ id, contract, status, owner, pending, attempts }: Scope): ScopeSummary {
  const { title, phase, priority, units, parent } = contract;
  return {
    id,
    title,
    status,
    phase,
    priority,
    units,
    ...(owner === undefined ? {} : { agent: owner.agent }),
    ...(parent === undefined ? {} : { parent }),
    ...(pending.length === 0 ? {} : { blocked_on: pending }),
    attempts,
  };
}

/** One scope, with all that is known of it. */
export async function scopeDetail(parts: Parts, given: string): Promise<ScopeDetail | Refusal> {
  const id = parseHandle(given)?.id;
  const known = id === undefined ? undefined : await parts.store.view({ scopes: [id] }, (view) => standing(view, id));
  if (known === undefined) return unknownScope(given);
  const { scope, queue, running } = known;
  const undoer = await undoneBy(parts, scope.id);
  const { store } = parts;
  const children = await store.scopes({ parent: scope.id, limit: MOST });
  const [first] = await store.events({ scope: scope.id, after: 0, limit: 1 });
  const [last] = await store.events({ scope: scope.id, after: 0, limit: 1, newest: true });
  return {
    ...summary(scope),
    ...contractOf(scope),
    children: children.map((child) => child.id).reverse(),
    locks: [...scope.locks.values()],
    ...(scope.stopping === undefined ? {} : { stopping: scope.stopping.reason }),
    ...queue,
    history: await pastAttempts(parts, scope.id),
    ...handed(scope),
    notes: scope.notes.map(({ from, text }) => ({ from, text })),
    ...(scope.summary === undefined ? {} : { summary: scope.summary }),
    ...(scope.commit === undefined ? {} : { commit: scope.commit }),
    ...(undoer === undefined ? {} : { undone_by: undoer }),
    artifacts: await traced(parts, await store.artifacts({ scope: scope.id, limit: MOST })),
    changes: await changesOf(parts, scope.id),
    runs: [...running, ...(await endedRuns(parts, scope.id))],
    opened_by: scope.openedBy,
    opened_at: isoTime(first?.body.type === 'scope.opened' ? first.wall : undefined),
    updated_at: isoTime(last?.wall),
    revision: revisionOf(scope),
  };
}

function contractOf({ contract }: Scope) {
  const { note, consumes, produces, inputs = [], nonGoals = [], done = [], checks = [], cause, conflict } = contract;
  return {
    ...(note === undefined ? {} : { note }),
    consumes,
    produces,
    inputs,
    non_goals: nonGoals,
    done,
    checks,
    ...(cause === undefined ? {} : { cause }),
    ...(conflict === undefined ? {} : { conflict }),
  };
}

interface Standing {
  readonly scope: Scope;
  readonly running: readonly ListedRun[];
  readonly queue: Pick<ScopeDetail, 'queue'>;
}

function standing(view: View, id: ScopeId): Standing | undefined {
  const scope = view.scope(id);
  return scope && { scope, running: runningOf(view, id), queue: queueOf(view, scope) };
}

function queueOf(view: View, { id, ticket }: Scope): Pick<ScopeDetail, 'queue'> {
  if (ticket === undefined) return {};
  const { units, mode } = ticket;
  const ahead = blockers(view, { scope: id, units, mode, ticket });
  const position = ahead.filter(({ why }) => why === 'queued').length + 1;
  const others = ahead.map((blocker) => ({
    id: blocker.scope.id,
    agent: blocker.scope.owner?.agent ?? 'unknown',
    units: blocker.units,
  }));
  return { queue: { position, units, mode, ahead: others } };
}

function handed({ handover }: Scope): Pick<ScopeDetail, 'handover'> {
  return handover === undefined ? {} : { handover: { from: handover.from, note: handover.note } };
}

async function changesOf(parts: Parts, scope: ScopeId): Promise<ScopeDetail['changes']> {
  const byPath = new Map<string, ScopeDetail['changes'][number]>();
  for (const { path, before, after } of await changeRows(parts, scope)) {
    byPath.set(path, { path, before: byPath.has(path) ? (byPath.get(path)?.before ?? null) : before, after });
  }
  return [...byPath.values()].filter(({ before, after }) => before !== after);
}

/** Wall time, for people: what no event tells any more is told as the beginning of time. */
export function isoTime(wall = 0): string {
  return new Date(wall).toISOString();
}
