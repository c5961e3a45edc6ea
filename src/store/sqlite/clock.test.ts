import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULTS } from '../../domain/settings.js';
import { claim, opened, record, released } from '../steps.testsuite.js';
import { SqliteBench, TestClock } from './bench.testsuite.js';
import { advance, machineClock } from './clock.js';
import type { SqliteStore } from './sqlite-store.js';

let bench: SqliteBench;
let store: SqliteStore;

beforeEach(async () => {
  bench = new SqliteBench();
  store = await bench.open();
  await record(store, opened('S001'));
});

afterEach(async () => {
  expect(await bench.verify()).toEqual([]);
  await bench.dispose();
});

const now = (): Promise<number> => store.view({}, (view) => view.now);
const commit = (): Promise<string> => claim(store, 'a.ts');

test('promise 7: lock time runs with the machine’s clock, in every store alike', async () => {
  bench.pass(14_999);
  expect(await now()).toBe(14_999);
  await commit();
  bench.pass(10_000);
  const other = await bench.open();
  expect(await other.view({}, (view) => view.now)).toBe(24_999);
});

test('promise 7: between two commits at most 15 s pass, however long nobody could commit', async () => {
  bench.pass(3_600_000);
  expect(await now()).toBe(15_000);
  expect(await now()).toBe(15_000);
  await commit();
  expect(await now()).toBe(15_000);
  bench.pass(15_001);
  expect(await now()).toBe(30_000);
});

test('promise 7: with a short lease it is a quarter of it, so that no step is as long as the lease', async () => {
  const short = await bench.open({ settings: { ...DEFAULTS, lease: 6_000 } });
  bench.pass(3_600_000);
  expect(await short.view({}, (view) => view.now)).toBe(1_500);
});

test('promise 7: servers with different leases go by the same one, until nobody owns anything', async () => {
  const short = await bench.open({ settings: { ...DEFAULTS, lease: 6_000 } });
  const leases = () => Promise.all([store, short].map((one) => one.view({}, ({ settings }) => settings.lease)));
  expect(await leases()).toEqual([60_000, 6_000]);
  const own = await claim(short, 'a.ts');
  expect(await leases()).toEqual([6_000, 6_000]);
  await claim(store, 'b.ts');
  bench.pass(3_600_000);
  // Its own lease would have let more time pass than the other's bears.
  expect(await now()).toBe(1_500);
  await record(short, released(own));
  expect(await leases()).toEqual([6_000, 6_000]);
  await record(short, released('S003'));
  await claim(store, 'a.ts');
  expect(await leases()).toEqual([60_000, 60_000]);
});

test('promise 7: over a reboot no time passes, and then it runs on', async () => {
  bench.pass(5_000);
  await commit();
  bench.clock.boot = 'boot 2';
  bench.clock.ms += 9_000;
  const after = await bench.open();
  expect(await after.view({}, (view) => view.now)).toBe(5_000);
  await record(after, opened('S003'));
  bench.pass(1_000);
  expect(await after.view({}, (view) => view.now)).toBe(6_000);
});

test('promise 7: a clock that runs backwards does not take lock time with it', async () => {
  bench.pass(5_000);
  await commit();
  bench.pass(-4_000);
  expect(await now()).toBe(5_000);
  await commit();
  bench.pass(1_000);
  expect(await now()).toBe(6_000);
});

test('promise 7: commits in quick succession do not make lock time stand still', async () => {
  for (let round = 0; round < 40; round++) {
    bench.pass(0.25);
    await commit();
  }
  expect(await now()).toBe(10);
});

test('promise 7: wall time is recorded and changes nothing else', async () => {
  const yesterday = await bench.open({ wall: () => 1_000 });
  await record(yesterday, opened('S002'));
  const [event] = await yesterday.events({ after: 1, limit: 1 });
  expect(event).toMatchObject({ at: 0, wall: 1_000 });
});

test('the machine’s clock names its boot and does not go back', () => {
  const clock = machineClock();
  const before = clock.monotonic();
  expect(clock.monotonic()).toBeGreaterThanOrEqual(before);
  expect(machineClock().boot).toBe(clock.boot);
  expect(clock.boot).not.toBe('');
});

test('the fraction of a millisecond is kept for the next time', () => {
  const clock = Object.assign(new TestClock(), { ms: 10.75 });
  expect(advance({ lock: 5, mono: 9, boot: 'boot 1' }, clock, 15_000)).toEqual({ lock: 6, mono: 10, boot: 'boot 1' });
});
