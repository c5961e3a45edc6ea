import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Event } from '../../domain/event.js';
import { evolve } from '../../domain/evolve.js';
import { EMPTY_STATE } from '../../domain/state.js';
import { HISTORIES } from '../histories.testsuite.js';
import { ALICE, BOB, changed, claim, granted, opened, record, released, sha } from '../steps.testsuite.js';
import { SqliteBench } from './bench.testsuite.js';
import { setCheckpoint } from './checkpoint.js';
import { openDriver } from './driver.js';
import { DATABASE } from './options.js';
import type { SqliteStore } from './sqlite-store.js';
import { partsOf } from './verify.js';

const DAY = 86_400_000;
const KEEP = { contents: 30 * DAY, events: 30 * DAY };

let bench: SqliteBench;
let store: SqliteStore;
let now: number;

beforeEach(async () => {
  bench = new SqliteBench();
  now = Date.now();
  store = await open();
});

afterEach(async () => {
  expect(await bench.verify(), 'promise 8: replaying the events gives the tables').toEqual([]);
  await bench.dispose();
});

function open(): Promise<SqliteStore> {
  return bench.open({ wall: () => now });
}

async function seqs(): Promise<number[]> {
  return (await store.events({ after: 0, limit: 10_000 })).map(({ seq }) => seq);
}

/** Forty days of nothing, and what they make of the ledger. */
async function later(): Promise<number> {
  now += 40 * DAY;
  return (await store.expire(KEEP)).events;
}

test('promise 8: wherever the ledger is cut, its replay from there gives the tables', async () => {
  const property = fc.asyncProperty(HISTORIES, fc.nat(100), async (events, part) => {
    const at = Math.floor((events.length * part) / 100);
    const one = new SqliteBench();
    try {
      const writing = await one.open();
      await writing.transact(ALICE, {}, () => ({ answer: true, events: events.slice(0, at) }));
      const behind = await one.open();
      await behind.view({}, () => true);
      await writing.transact(ALICE, {}, () => ({ answer: true, events: events.slice(at) }));
      cutAt(one, await writing.events({ after: 0, until: at, limit: 1_000 }));
      expect(await one.verify()).toEqual([]);
      const all = [writing, behind, await one.open()];
      const [first, ...others] = await Promise.all(all.map((each) => each.view({}, ({ state }) => partsOf(state))));
      expect(others).toEqual([first, first]);
      // What goes by itself is never more than may go, and leaves as much in order.
      await (await one.open({ wall: () => Date.now() + 40 * DAY })).expire(KEEP);
      expect(await one.verify()).toEqual([]);
    } finally {
      await one.dispose();
    }
  });
  await fc.assert(property, { numRuns: 40, seed: 16 });
});

/** Makes the ledger begin after these events. */
function cutAt(one: SqliteBench, events: readonly Event[]): void {
  const driver = openDriver(join(one.folder, DATABASE));
  setCheckpoint(driver, { state: events.reduce(evolve, EMPTY_STATE), hash: events.at(-1)?.hash ?? '' });
  driver.prepare('DELETE FROM events WHERE seq <= ?').run(events.length);
  driver.close();
}

test('events stay for ever unless it is said otherwise, and until their time is over', async () => {
  await record(store, released(await claim(store, 'a.ts')));
  now += 400 * DAY;
  await store.keep([{ hash: sha('a'), bytes: Buffer.from('a') }]);
  now += 400 * DAY;
  expect(await store.expire({})).toEqual({ contents: 0, events: 0 });
  now += DAY;
  expect(await store.expire({ contents: DAY })).toEqual({ contents: 1, events: 0 });
  await record(store, released(await claim(store, 'b.ts')));
  now += 10 * DAY;
  expect((await store.expire(KEEP)).events).toBe(3);
  expect(await seqs()).toEqual([4, 5, 6]);
  expect(await later()).toBe(3);
  expect(await seqs()).toEqual([]);
  await claim(store, 'c.ts');
  expect(await seqs()).toEqual([7, 8]);
  expect((await store.events({ after: 0, limit: 1 }))[0]).toMatchObject({ body: { scope: 'S003' } });
});

test('what is being worked on keeps its events from its beginning on', async () => {
  const ended = await claim(store, 'a.ts');
  await record(store, released(ended), opened('S002'));
  await record(store, { type: 'run.started', run: 'R001', command: 'x', cwd: '.', containment: 'none' });
  await record(store, opened('S003'), granted('S003', ['b.ts'], 2));
  expect(await later()).toBe(4);
  expect(await seqs()).toEqual([5, 6, 7]);
  const over = { ending: 'exited', exit: 0, output: 0, rejected: 0 } as const;
  await record(store, { type: 'run.ended', run: 'R001', ...over });
  expect(await later()).toBe(2);
  expect(await seqs()).toEqual([7, 8]);
  await record(store, changed('S003', 'b.ts', null, sha('b')), released('S003'));
  expect(await later()).toBe(4);
  expect(await store.changes({ limit: 10 })).toMatchObject([{ path: 'b.ts', after: sha('b') }]);
});

test('promise 2: a server that had seen nothing since what was cut goes by the tables', async () => {
  const other = await bench.open();
  const first = await claim(store, 'a.ts');
  expect(await other.view({}, ({ state }) => state.seq)).toBe(2);
  await record(store, released(first), opened('S002'), granted('S002', ['b.ts'], 2, BOB));
  await later();
  const seen = await other.view({}, ({ state }) => [state.seq, [...state.scopes.keys()], state.locks.size]);
  expect(seen).toEqual([5, ['S002'], 1]);
  expect(await claim(other, 'c.ts')).toBe('S003');
});

test('promise 6: what is stopped between the checkpoint and the last deletion is ended by the next one', async () => {
  for (let round = 0; round < 6; round++) {
    const scopes = Array.from({ length: 100 }, (_, place) => `S${String(100 * round + place + 1).padStart(3, '0')}`);
    await record(store, ...scopes.flatMap((id) => [opened(id), released(id)]));
  }
  const watching = await open();
  now += 40 * DAY;
  const cutting = store.expire(KEEP);
  const first = async () => (await watching.events({ after: 0, limit: 1 }))[0]?.seq;
  while ((await first()) === 1) await setImmediate();
  await store.close();
  const { events } = await cutting;
  expect(await bench.verify()).toEqual([]);
  now += DAY;
  const rest = await watching.expire(KEEP);
  expect(events + rest.events).toBe(1_200);
  expect(await first()).toBeUndefined();
  expect(await claim(watching, 'a.ts')).toBe('S601');
});

test('promise 8: after a cut, rows that no event made and links that do not join are still found', async () => {
  await claim(store, 'a.ts');
  await record(store, opened('S002'));
  await record(store, released('S001'));
  await later();
  await claim(store, 'b.ts');
  const wrong = async (harm: string, mend: string) => {
    bench.tamper(harm);
    const found = await bench.verify();
    bench.tamper(mend);
    return found.join('\n');
  };
  const unmade = "INSERT INTO files VALUES ('x.ts', NULL, 420, NULL, 5)";
  expect(await wrong(unmade, "DELETE FROM files WHERE path = 'x.ts'")).toContain('files x.ts: seq is 5');
  const link = (hash: string) => `UPDATE checkpoint SET hash = ${hash}`;
  expect(await wrong(link("'z' || hash"), link('substr(hash, 2)'))).toContain('the chain breaks at 5');
  const agent = (name: string) => `UPDATE scopes SET opened_by = '${name}' WHERE id = 'S002'`;
  expect(await wrong(agent('mallory'), agent('alice'))).toContain('scopes 2: opened_by is "mallory"');
});
