import { type Event, RUN_ENDINGS } from '../../domain/event.js';
import type { ChangeRow } from '../../domain/intent.js';
import type { Scope } from '../../domain/scope.js';
import { isEnded, STATUSES } from '../../domain/scope.js';
import type { State } from '../../domain/state.js';
import type { ArtifactQuery, ArtifactRow, ChangeQuery, EventQuery, RunQuery, RunRow, ScopeQuery } from '../store.js';
import type { Driver, Row, Statement, Value } from './driver.js';
import { integer, integerOrNull, json, oneOf, optional, text, textOrNull } from './rows.js';
import { numberOf, scopeOfRow } from './scope-rows.js';

/** Past this many events, a search without a scope goes through the index. */
const LONG = 20_000;

const LIVE = STATUSES.filter((status) => !isEnded(status));

const SUCCESSOR = 'SELECT id FROM artifacts WHERE path = ? AND type = ? AND number > ? ORDER BY number LIMIT 1';

type Tests = { readonly [test: string]: Value | undefined };

/** Reading the ledger and its tables, a page at a time. */
export class Queries {
  readonly #driver: Driver;
  readonly #prepared = new Map<string, Statement>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  events({ after, until, limit, scope, agent, type, phase, newest }: EventQuery): Event[] {
    const where = {
      'seq > ?': after,
      'seq <= ?': until,
      'scope = ?': scope,
      'agent = ?': agent,
      'type = ?': type,
      'scope IN (SELECT id FROM scopes WHERE phase = ?)': phase,
    };
    const searched = scope === undefined && (agent !== undefined || type !== undefined);
    // The index holds agents and types too, and is far shorter to look through than the events.
    const index = searched && (until ?? this.#last()) - after > LONG ? ' INDEXED BY events_scope' : '';
    return this.#select('events', where, newest ? 'seq DESC' : 'seq', limit, index).map(eventOfRow);
  }

  changes({ after, limit, scope, path }: ChangeQuery): ChangeRow[] {
    const where = { 'seq > ?': after, 'scope = ?': scope, 'path = ?': path };
    return this.#select('changes', where, 'seq, path', limit).map((row) => ({
      seq: integer(row, 'seq'),
      scope: textOrNull(row, 'scope'),
      path: text(row, 'path'),
      before: textOrNull(row, 'before'),
      after: textOrNull(row, 'after'),
      mode: integerOrNull(row, 'mode'),
    }));
  }

  /** Live scopes are taken from `state`, which has them whole; the row of an ended scope is all there is of it. */
  scopes(query: ScopeQuery, state: State): Scope[] {
    const { status, phase, limit, before, parent, cause, consumes } = query;
    if (LIVE.some((live) => live === status)) return liveScopes(query, state);
    const where = {
      'number < ?': before,
      'status = ?': status,
      'phase = ?': phase,
      "terms IS NOT NULL AND terms ->> 'parent' = ?": parent,
      "terms ->> 'cause' = ?": cause,
      'instr(consumes, ?) > 0': consumes === undefined ? undefined : JSON.stringify(consumes),
    };
    return this.#select('scopes', where, 'number DESC', limit).map((row) => {
      const scope = scopeOfRow(row);
      return state.scopes.get(scope.id) ?? scope;
    });
  }

  artifacts({ after, limit, scope, path, type, hash, newest }: ArtifactQuery): ArtifactRow[] {
    const where = { 'number > ?': after, 'scope = ?': scope, 'path = ?': path, 'type = ?': type, 'hash = ?': hash };
    return this.#select('artifacts', where, newest ? 'number DESC' : 'number', limit).map((row) => ({
      id: text(row, 'id'),
      type: text(row, 'type'),
      ...optional('path', textOrNull(row, 'path')),
      hash: text(row, 'hash'),
      ...optional('run', textOrNull(row, 'run')),
      scope: text(row, 'scope'),
      agent: text(row, 'agent'),
      ...optional('commit', textOrNull(row, 'commit_id')),
      seq: integer(row, 'seq'),
      ...optional('supersededBy', this.#successor(row)),
    }));
  }

  #successor(row: Row): string | null {
    const path = textOrNull(row, 'path');
    if (path === null) return null;
    const [type, number] = [text(row, 'type'), integer(row, 'number')];
    const [next] = this.#all(SUCCESSOR, path, type, number);
    return next === undefined ? null : text(next, 'id');
  }

  run(id: string): RunRow | undefined {
    const row = this.#all('SELECT * FROM runs WHERE run = ?', id)[0];
    return row && runOfRow(row);
  }

  runs({ scope, tree, artifact, limit }: RunQuery): RunRow[] {
    const length = artifact?.length ?? 0;
    const made = { [`? IN (substr(log, 1, ${length}), substr(diff, 1, ${length}))`]: artifact };
    return this.#select('runs', { 'scope = ?': scope, 'tree = ?': tree, ...made }, 'started DESC', limit).map(runOfRow);
  }

  #last(): number {
    return integer(this.#all('SELECT seq FROM ledger')[0], 'seq');
  }

  /** Looks for the keys first, so that an index that covers the tests is enough to pass rows over. */
  #select(table: string, where: Tests, order: string, limit: number, index = ''): Row[] {
    const asked = Object.entries(where).flatMap(([test, value]) => (value === undefined ? [] : [{ test, value }]));
    const tests = asked.map(({ test }) => test).join(' AND ') || 'TRUE';
    const sql =
      index === ''
        ? `SELECT * FROM ${table} WHERE ${tests} ORDER BY ${order} LIMIT ?`
        : `SELECT * FROM ${table} WHERE seq IN (SELECT seq FROM ${table}${index} WHERE ${tests} ORDER BY ${order} LIMIT ?) ORDER BY ${order}`;
    return this.#all(sql, ...asked.map(({ value }) => value), limit);
  }

  #all(sql: string, ...values: Value[]): Row[] {
    const statement = this.#prepared.get(sql) ?? this.#driver.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement.all(...values);
  }
}

function liveScopes(query: ScopeQuery, state: State): Scope[] {
  const { status, phase, limit, before = Infinity, parent, cause, consumes } = query;
  return [...state.scopes.values()]
    .filter((scope) => scope.status === status && (phase === undefined || scope.contract.phase === phase))
    .filter(({ contract }) => parent === undefined || contract.parent === parent)
    .filter(({ contract }) => cause === undefined || contract.cause === cause)
    .filter(({ contract }) => consumes === undefined || contract.consumes.includes(consumes))
    .map((scope) => ({ scope, number: numberOf(scope.id) ?? 0 }))
    .filter(({ number }) => number < before)
    .sort((a, b) => b.number - a.number)
    .slice(0, limit)
    .map(({ scope }) => scope);
}

function runOfRow(row: Row): RunRow {
  return {
    run: text(row, 'run'),
    scope: textOrNull(row, 'scope'),
    agent: text(row, 'agent'),
    command: text(row, 'command'),
    containment: text(row, 'containment'),
    ending: row.ending === null ? null : oneOf(row, 'ending', RUN_ENDINGS),
    exit: integerOrNull(row, 'exit'),
    output: integerOrNull(row, 'output') ?? 0,
    rejected: integerOrNull(row, 'rejected') ?? 0,
    started: integer(row, 'started'),
    changed: integerOrNull(row, 'changed'),
    ended: integerOrNull(row, 'ended'),
    log: textOrNull(row, 'log'),
    diff: textOrNull(row, 'diff'),
    cut: row.cut === null ? null : json(row, 'cut'),
  };
}

export function eventOfRow(row: Row): Event {
  return {
    seq: integer(row, 'seq'),
    at: integer(row, 'at'),
    wall: integer(row, 'wall'),
    agent: text(row, 'agent'),
    connection: text(row, 'connection'),
    body: json(row, 'body'),
    ...optional('trace', textOrNull(row, 'trace')),
    hash: text(row, 'hash'),
  };
}
