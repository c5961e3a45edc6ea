import type { Event } from '../../domain/event.js';
import type { ChangeRow } from '../../domain/intent.js';
import type { Scope } from '../../domain/scope.js';
import { isEnded } from '../../domain/scope.js';
import type { State } from '../../domain/state.js';
import type { ChangeQuery, EventQuery, ScopeQuery } from '../store.js';
import type { Driver, Row, Statement, Value } from './driver.js';
import { integer, integerOrNull, json, text, textOrNull } from './rows.js';
import { scopeOfRow } from './scope-rows.js';

/** Reading the ledger and its tables, a page at a time. */
export class Queries {
  readonly #driver: Driver;
  readonly #prepared = new Map<string, Statement>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  events({ after, limit, scope, agent, type }: EventQuery): Event[] {
    // Types have no index of their own, but the index of agents has all that is needed to pass the others over.
    if (type !== undefined && scope === undefined && agent === undefined) {
      const seqs = 'SELECT seq FROM events INDEXED BY events_agent WHERE seq > ? AND type = ? ORDER BY seq LIMIT ?';
      return this.#all(`SELECT * FROM events WHERE seq IN (${seqs}) ORDER BY seq`, after, type, limit).map(eventOfRow);
    }
    const where = { 'seq > ?': after, 'scope = ?': scope, 'agent = ?': agent, 'type = ?': type };
    return this.#select('events', where, 'seq', limit).map(eventOfRow);
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

  /** `state` has the live ones whole; the row of an ended scope is all there is of it. */
  scopes({ status, phase, limit, before }: ScopeQuery, state: State): Scope[] {
    const where = { 'number < ?': before, 'status = ?': status, 'phase = ?': phase };
    return this.#select('scopes', where, 'number DESC', limit).map((row) => {
      const scope = scopeOfRow(row);
      return isEnded(scope.status) ? scope : (state.scopes.get(scope.id) ?? scope);
    });
  }

  #select(table: string, where: { readonly [test: string]: Value | undefined }, order: string, limit: number): Row[] {
    const asked = Object.entries(where).flatMap(([test, value]) => (value === undefined ? [] : [{ test, value }]));
    const tests = asked.map(({ test }) => test).join(' AND ') || 'TRUE';
    const sql = `SELECT * FROM ${table} WHERE ${tests} ORDER BY ${order} LIMIT ?`;
    return this.#all(sql, ...asked.map(({ value }) => value), limit);
  }

  #all(sql: string, ...values: Value[]): Row[] {
    const statement = this.#prepared.get(sql) ?? this.#driver.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement.all(...values);
  }
}

export function eventOfRow(row: Row): Event {
  return {
    seq: integer(row, 'seq'),
    at: integer(row, 'at'),
    wall: integer(row, 'wall'),
    agent: text(row, 'agent'),
    connection: text(row, 'connection'),
    body: json(row, 'body'),
    hash: text(row, 'hash'),
  };
}
