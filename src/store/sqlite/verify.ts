import type { Event } from '../../domain/event.js';
import { scopeOf } from '../../domain/event.js';
import { evolve } from '../../domain/evolve.js';
import type { State } from '../../domain/state.js';
import { canonical, link } from './chain.js';
import { checkpointOf, restore } from './checkpoint.js';
import { type Driver, openDriver, type Row } from './driver.js';
import { reason } from './folder.js';
import type { Folded } from './ledger.js';
import { Loader } from './load.js';
import { Projector } from './project.js';
import { eventOfRow } from './queries.js';
import { migrate } from './schema.js';

const PAGE = 5_000;

/** The tables that follow from the events, and the columns that tell their rows apart. */
const PROJECTED = {
  scopes: 'number',
  locks: 'scope, unit',
  tickets: 'scope',
  files: 'path',
  changes: 'seq, path',
  artifacts: 'id',
  runs: 'run',
} as const;

/** Compares the database, as the open transaction sees it, with a replay of its events. One line for each difference. */
export function verify(driver: Driver): string[] {
  const memory = openDriver(':memory:', driver.name);
  try {
    migrate(memory);
    const found: string[] = [];
    const start = checkpointOf(driver);
    restore(driver, memory, start);
    const folded = replay(driver, memory, start, found);
    if (folded === undefined) return found;
    for (const [table, key] of Object.entries(PROJECTED)) found.push(...compareTable(driver, memory, table, key));
    if (found.length > 0) return found;
    const loader = new Loader(driver);
    if (loader.head().hash !== folded.hash) found.push('ledger: its hash is not that of the last event');
    found.push(...compareStates(loader.state(), folded.state), ...compareCounts(driver, folded.state));
    return found;
  } finally {
    memory.close();
  }
}

/** Projects all events since the checkpoint into `memory`. Undefined where one of them cannot follow. */
function replay(driver: Driver, memory: Driver, start: Folded, found: string[]): Folded | undefined {
  const page = driver.prepare('SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?');
  const projector = new Projector(memory);
  let folded = start;
  memory.exec('BEGIN');
  for (let rows = page.all(start.state.seq, PAGE); rows.length > 0; rows = page.all(folded.state.seq, PAGE)) {
    for (const row of rows) {
      try {
        const event = eventOfRow(row);
        found.push(...wrongEvent(event, folded, row));
        const state = evolve(folded.state, event);
        projector.write(event, folded.state, state);
        folded = { state, hash: event.hash };
      } catch (error) {
        found.push(`events: after ${folded.state.seq} they cannot be replayed: ${reason(error)}`);
        return undefined;
      }
    }
    projector.flush();
  }
  memory.exec('COMMIT');
  return folded;
}

function wrongEvent(event: Event, { state, hash }: Folded, row: Row): string[] {
  const found: string[] = [];
  if (event.seq !== state.seq + 1) found.push(`events: ${event.seq} comes after ${state.seq}`);
  if (event.hash !== link(hash, event, canonical(event.body))) found.push(`events: the chain breaks at ${event.seq}`);
  const columns = { type: row.type, scope: row.scope };
  const body = { type: event.body.type, scope: scopeOf(event.body) ?? null };
  if (canonical(columns) !== canonical(body)) found.push(`events: the columns of ${event.seq} differ from its body`);
  return found;
}

function compareTable(driver: Driver, memory: Driver, table: string, key: string): string[] {
  const sql = `SELECT * FROM ${table} ORDER BY ${key}`;
  const nameOf = (row: Row): string =>
    key
      .split(', ')
      .map((column) => String(row[column]))
      .join(' ');
  const stored = new Map(
    driver
      .prepare(sql)
      .all()
      .map((row) => [nameOf(row), row]),
  );
  const found: string[] = [];
  for (const expected of memory.prepare(sql).all()) {
    const name = nameOf(expected);
    const row = stored.get(name);
    stored.delete(name);
    if (row === undefined) found.push(`${table} ${name}: the row is missing`);
    else found.push(...compareRows(`${table} ${name}`, row, expected));
  }
  for (const name of stored.keys()) found.push(`${table} ${name}: no event made this row`);
  return found;
}

function compareRows(name: string, row: Row, expected: Row): string[] {
  return Object.entries(expected)
    .filter(([column, value]) => row[column] !== value)
    .map(
      ([column, value]) =>
        `${name}: ${column} is ${JSON.stringify(row[column])}, by the events ${JSON.stringify(value)}`,
    );
}

/** The tables can be right and still be read back as something else than the events fold to. */
function compareStates(read: State, folded: State): string[] {
  const [a, b] = [partsOf(read), partsOf(folded)];
  return Object.keys(b)
    .filter((part) => a[part] !== b[part])
    .map((part) => `state: ${part}, read from the tables, differs from the fold of the events`);
}

/** A row whose scope has ended is not read back: it is found by counting. */
function compareCounts(driver: Driver, { locks, scopes }: State): string[] {
  const tickets = scopes.count((scope) => scope.ticket !== undefined);
  return Object.entries({ locks: locks.size, tickets }).flatMap(([table, expected]) => {
    const count = driver.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.count;
    return count === expected ? [] : [`${table}: ${String(count)} rows, by the events ${expected}`];
  });
}

/** A state as texts that are the same where it is. */
export function partsOf(state: State): { readonly [part: string]: string } {
  const { scopes, runs, locks, queue, ready, consumers, owned, ...numbers } = state;
  return {
    numbers: canonical(numbers),
    scopes: canonical(scopes.map((scope) => ({ ...scope, locks: scope.locks.toObject() })).toObject()),
    runs: canonical(runs.toObject()),
    locks: canonical(locks.entries().map(canonical).sort()),
    queue: canonical(queue.entries().map(canonical).sort()),
    ready: canonical(ready.flat()),
    consumers: canonical(consumers.map((ids) => ids.toArray().sort()).toObject()),
    owned: canonical(owned.map((ids) => ids.toArray().sort()).toObject()),
  };
}
