import { Map as ImmutableMap } from 'immutable';
import type { Contract, Lock, Owner, Scope, ScopeId, Ticket } from '../../domain/scope.js';
import { PHASES, STATUSES } from '../../domain/scope.js';
import type { Mode } from '../../domain/unit.js';
import type { Row, Value } from './driver.js';
import { integer, integerOrNull, json, oneOf, optional, text, textOrNull } from './rows.js';

/** Columns that stand from the opening of a scope on. */
export const FIXED_COLUMNS = [
  'number',
  'id',
  'phase',
  'title',
  'priority',
  'standing',
  'units',
  'consumes',
  'produces',
  'note',
  'terms',
  'opened_by',
  'opened_at',
] as const;

/** Columns that events change, but for the status. */
export const WORKING_COLUMNS = [
  'agent',
  'connection',
  'named_by',
  'stopping',
  'lapsed',
  'pending',
  'tenure',
  'generation',
  'granted_at',
  'attempts',
  'changes',
  'handover',
  'artifacts',
  'notes',
  'summary',
  'commit_id',
  'published',
] as const;

/** Columns that events change. */
export const MOVING_COLUMNS = ['status', ...WORKING_COLUMNS] as const;

type Terms = Pick<Contract, 'inputs' | 'nonGoals' | 'done' | 'checks' | 'parent' | 'cause' | 'conflict'>;
type Unset<T> = { [key in keyof T]: T[key] | undefined };

const MODES: readonly Mode[] = ['write', 'read'];

/** The number in a scope's id is its row's key: `S012` → 12. Undefined where it is no id. */
export function numberOf(id: ScopeId): number | undefined {
  return /^S\d{1,15}$/.test(id) ? Number(id.slice(1)) : undefined;
}

/** In the order of `FIXED_COLUMNS`. */
export function fixedValues({ id, contract, openedBy, openedAt }: Scope): Value[] {
  const number = numberOf(id);
  if (number === undefined) throw new Error(`${id} is no id of a scope`);
  return [
    number,
    id,
    contract.phase,
    contract.title,
    contract.priority,
    contract.standing ? 1 : 0,
    JSON.stringify(contract.units),
    JSON.stringify(contract.consumes),
    JSON.stringify(contract.produces),
    contract.note ?? null,
    termsOf(contract),
    openedBy,
    openedAt,
  ];
}

/** In the order of `WORKING_COLUMNS`. */
export function workingValues(scope: Scope): Value[] {
  return [
    scope.owner?.agent ?? null,
    scope.owner?.connection ?? null,
    scope.owner?.namedBy ?? null,
    scope.stopping ? JSON.stringify(scope.stopping) : null,
    scope.lapsed ? JSON.stringify(scope.lapsed) : null,
    JSON.stringify(scope.pending),
    scope.tenure,
    scope.generation,
    scope.grantedAt ?? null,
    scope.attempts,
    scope.changes,
    scope.handover ? JSON.stringify(scope.handover) : null,
    JSON.stringify(scope.artifacts),
    scope.notes.length > 0 ? JSON.stringify(scope.notes) : null,
    scope.summary ?? null,
    scope.commit ?? null,
    scope.published,
  ];
}

/** The scope of a row. `locks` and `ticket` stand in tables of their own; an ended scope has neither. */
export function scopeOfRow(row: Row, locks: readonly Lock[] = [], ticket?: Ticket): Scope {
  const connection = textOrNull(row, 'connection');
  return {
    id: text(row, 'id'),
    contract: contractOfRow(row),
    status: oneOf(row, 'status', STATUSES),
    openedBy: text(row, 'opened_by'),
    openedAt: integer(row, 'opened_at'),
    ...(connection === null ? {} : { owner: ownerOfRow(row, connection) }),
    ...(row.stopping === null ? {} : { stopping: json(row, 'stopping') }),
    tenure: integer(row, 'tenure'),
    generation: integer(row, 'generation'),
    ...optional('grantedAt', integerOrNull(row, 'granted_at')),
    locks: ImmutableMap(locks.map((lock) => [lock.unit, lock])),
    ...(ticket === undefined ? {} : { ticket }),
    ...(row.lapsed === null ? {} : { lapsed: json(row, 'lapsed') }),
    pending: json(row, 'pending'),
    attempts: integer(row, 'attempts'),
    changes: integer(row, 'changes'),
    ...(row.handover === null ? {} : { handover: json(row, 'handover') }),
    artifacts: json(row, 'artifacts'),
    notes: row.notes === null ? [] : json(row, 'notes'),
    ...optional('summary', textOrNull(row, 'summary')),
    ...optional('commit', textOrNull(row, 'commit_id')),
    published: integer(row, 'published'),
  };
}

function ownerOfRow(row: Row, connection: string): Owner {
  return { connection, agent: text(row, 'agent'), ...optional('namedBy', textOrNull(row, 'named_by')) };
}

/** What few contracts have, in one column; null where there is nothing. */
function termsOf({ inputs, nonGoals, done, checks, parent, cause, conflict }: Contract): string | null {
  const terms = JSON.stringify({ inputs, nonGoals, done, checks, parent, cause, conflict } satisfies Unset<Terms>);
  return terms === '{}' ? null : terms;
}

function contractOfRow(row: Row): Contract {
  return {
    title: text(row, 'title'),
    ...optional('note', textOrNull(row, 'note')),
    phase: oneOf(row, 'phase', PHASES),
    units: json(row, 'units'),
    consumes: json(row, 'consumes'),
    produces: json(row, 'produces'),
    priority: integer(row, 'priority'),
    standing: integer(row, 'standing') === 1,
    ...(row.terms === null ? {} : json<Terms>(row, 'terms')),
  };
}

export function lockOfRow(row: Row): Lock {
  return { unit: text(row, 'unit'), mode: oneOf(row, 'mode', MODES), generation: integer(row, 'generation') };
}

export function ticketOfRow(row: Row): Ticket {
  return {
    units: json(row, 'units'),
    mode: oneOf(row, 'mode', MODES),
    arrival: integer(row, 'arrival'),
    since: integer(row, 'since'),
    priority: integer(row, 'priority'),
  };
}
