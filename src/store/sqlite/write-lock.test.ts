import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claim, idOf, opened } from '../steps.testsuite.js';
import { StoreBusy } from '../store.js';
import { SqliteBench } from './bench.testsuite.js';
import { type Driver, openDriver } from './driver.js';
import { DATABASE } from './options.js';
import type { SqliteStore } from './sqlite-store.js';

let bench: SqliteBench;
let store: SqliteStore;
let rival: Driver;

beforeEach(async () => {
  bench = new SqliteBench();
  store = await bench.open({ patience: 200 });
  rival = openDriver(join(bench.folder, DATABASE));
});

afterEach(async () => {
  rival.close();
  expect(await bench.verify(), 'promise 8: replaying the events gives the tables').toEqual([]);
  await bench.dispose();
});

/** Says its place when its turn comes. */
function turn(order: number[], place: number): Promise<unknown> {
  return store.transact({ agent: 'a', connection: 'c' }, {}, ({ state }) => {
    order.push(place);
    return { answer: true, events: [opened(idOf(state.scopeCount + 1))] };
  });
}

test('promise 3: who asked first while the database was locked goes first', async () => {
  const order: number[] = [];
  rival.exec('BEGIN IMMEDIATE');
  const first = turn(order, 1);
  rival.exec('ROLLBACK');
  await Promise.all([first, turn(order, 2), turn(order, 3)]);
  expect(order).toEqual([1, 2, 3]);
});

test('promise 11: past its patience each call is StoreBusy, and the next ones go on', async () => {
  rival.exec('BEGIN IMMEDIATE');
  const outcomes = await Promise.allSettled([claim(store, 'a.ts'), claim(store, 'b.ts')]);
  expect(outcomes.map((one) => one.status === 'rejected' && one.reason instanceof StoreBusy)).toEqual([true, true]);
  rival.exec('ROLLBACK');
  expect(await claim(store, 'c.ts')).toBe('S001');
});

test('calls that wait for the lock when the store is closed are refused', async () => {
  rival.exec('BEGIN IMMEDIATE');
  const waits = claim(store, 'a.ts');
  const closes = store.close();
  rival.exec('ROLLBACK');
  await expect(waits).rejects.toThrow('closed');
  await closes;
});

test('timers run between the commits of a long queue', async () => {
  const order: (number | string)[] = [];
  rival.exec('BEGIN IMMEDIATE');
  const turns = Array.from({ length: 5 }, (_, place) => turn(order as number[], place));
  rival.exec('ROLLBACK');
  const timer = turns[0]?.then(() => setImmediate(() => order.push('timer')));
  await Promise.all([...turns, timer]);
  expect(order.indexOf('timer')).toBeLessThan(4);
  expect(order.indexOf('timer')).toBeGreaterThan(0);
});
