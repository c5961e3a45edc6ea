import { Map as ImmutableMap } from 'immutable';
import type { OpenRun } from '../../domain/open-runs.js';
import type { Lock, Scope } from '../../domain/scope.js';
import { EMPTY_STATE, type State } from '../../domain/state.js';
import type { Driver, Row, Value } from './driver.js';
import type { Folded } from './ledger.js';
import { indexed } from './load.js';
import { Projector } from './project.js';
import { integer, json, text } from './rows.js';

/** A state as it is written down: everything else can be told from it. */
interface Written extends Pick<State, 'seq' | 'generation' | 'scopeCount' | 'runCount' | 'artifactCount'> {
  readonly scopes: readonly (Omit<Scope, 'locks'> & { readonly locks: readonly Lock[] })[];
  readonly runs: readonly OpenRun[];
}

/** Where the ledger begins: the state after the last event that was cut, and its link; empty where none was. */
export function checkpointOf(driver: Driver): Folded {
  const row = driver.prepare('SELECT hash, state FROM checkpoint').get();
  return row === undefined ? { state: EMPTY_STATE, hash: '' } : { state: read(row), hash: text(row, 'hash') };
}

/** Under the write lock: events up to this one count as cut from here on. */
export function setCheckpoint(driver: Driver, { state, hash }: Folded): void {
  const values = [state.seq, hash, written(state)];
  driver.prepare('INSERT OR REPLACE INTO checkpoint (id, seq, hash, state) VALUES (1, ?, ?, ?)').run(...values);
  driver.prepare('UPDATE ledger SET cut = ?').run(state.seq);
}

function written({ seq, generation, scopeCount, runCount, artifactCount, scopes, runs }: State): string {
  const whole: Written = {
    seq,
    generation,
    scopeCount,
    runCount,
    artifactCount,
    scopes: [...scopes.values()].map((scope) => ({ ...scope, locks: [...scope.locks.values()] })),
    runs: [...runs.values()],
  };
  // In the order of its making, in which the tables have it too.
  return JSON.stringify(whole);
}

function read(row: Row): State {
  const { scopes, runs, ...numbers } = json<Written>(row, 'state');
  const live = scopes.map((scope) => ({ ...scope, locks: ImmutableMap(scope.locks.map((lock) => [lock.unit, lock])) }));
  return { ...indexed(live), ...numbers, runs: ImmutableMap(runs.map((run) => [run.run, run])) };
}

/**
 * Puts the tables as they were at the checkpoint into an empty database, as far as the events that come after it build on
 * them. What has not changed since is taken over as it is: nothing tells any more how it came about.
 */
export function restore(driver: Driver, into: Driver, { state }: Folded): void {
  const { seq: cut, scopeCount } = state;
  if (cut === 0) return;
  const since = (row: Row, column: string): boolean => row[column] !== null && integer(row, column) > cut;
  copy(driver, into, 'scopes', 'number', scopeCount);
  copy(driver, into, 'changes', 'seq', cut);
  copy(driver, into, 'artifacts', 'seq', cut);
  copy(driver, into, 'files', 'seq', Number.MAX_SAFE_INTEGER, (row) => (since(row, 'seq') ? { ...row, seq: 0 } : row));
  copy(driver, into, 'runs', 'started', cut, (row) => {
    const open = since(row, 'ended') ? { ...row, ...NOT_ENDED } : row;
    return since(row, 'changed') ? { ...open, changed: null } : open;
  });
  new Projector(into).restore(state);
}

const NOT_ENDED = {
  ended: null,
  ending: null,
  exit: null,
  output: null,
  rejected: null,
  log: null,
  cut: null,
  diff: null,
  tree: null,
};

/** Rows of a table whose column is no larger than that. */
function copy(
  from: Driver,
  into: Driver,
  table: string,
  column: string,
  most: number,
  as: (row: Row) => Row = (row) => row,
): void {
  const rows = from.prepare(`SELECT * FROM ${table} WHERE ${column} <= ?`).all(most);
  const [first] = rows;
  if (first === undefined) return;
  const names = Object.keys(first);
  const places = names.map(() => '?').join(', ');
  const insert = into.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`);
  for (const row of rows.map(as)) insert.run(...names.map((name) => columnOf(row[name])));
}

function columnOf(value: unknown): Value {
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value;
  throw new Error(`a table that follows from events holds ${typeof value}`);
}
