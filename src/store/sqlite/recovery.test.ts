import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { IntentId } from '../../domain/intent.js';
import { changed, fileRecovery, hashAt, intentFor, opened, record, sha } from '../steps.testsuite.js';
import { StoreBroken } from '../store.js';
import { SqliteBench } from './bench.testsuite.js';
import type { SqliteStore } from './sqlite-store.js';

let bench: SqliteBench;
let store: SqliteStore;

beforeEach(async () => {
  bench = new SqliteBench();
  store = await bench.open();
  writeFileSync(join(bench.root, 'a.txt'), 'old');
});

afterEach(async () => {
  expect(await bench.verify(), 'promise 8: replaying the events gives the tables').toEqual([]);
  await bench.dispose();
});

function prepare(): Promise<IntentId> {
  const { intent, contents } = intentFor('a.txt');
  return store.prepare(intent, contents);
}

async function apply(id: IntentId): Promise<void> {
  await store.transact({ agent: 'a', connection: 'c' }, {}, (tx) => {
    tx.mark(id);
    writeFileSync(join(bench.root, 'a.txt'), 'new');
    return { answer: true, events: [opened('S001'), changed('S001', 'a.txt', sha('old'), sha('new'))] };
  });
}

/** The machine goes down and comes up again. */
async function reboot(): Promise<SqliteStore> {
  await store.close();
  bench.clock.boot = 'boot 2';
  return bench.open();
}

async function types(from: SqliteStore): Promise<string[]> {
  return (await from.events({ after: 0, limit: 10 })).map(({ body }) => body.type);
}

test('promise 6: after a reboot an applied intent is finished, once', async () => {
  await apply(await prepare());
  rmSync(join(bench.root, 'a.txt'));
  const after = await reboot();
  expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe('new');
  expect(await types(after)).toEqual(['scope.opened', 'files.changed', 'files.outside']);
  rmSync(join(bench.root, 'a.txt'));
  await bench.open();
  expect(hashAt(bench.root, 'a.txt')).toBeNull();
});

test('promise 6: within one boot, a file of an applied intent that is gone is a person’s doing', async () => {
  await apply(await prepare());
  await store.close();
  rmSync(join(bench.root, 'a.txt'));
  await bench.open();
  expect(hashAt(bench.root, 'a.txt')).toBeNull();
});

test('promise 6: an intent that was settled is left alone after a reboot', async () => {
  const id = await prepare();
  await apply(id);
  await store.settle(id);
  rmSync(join(bench.root, 'a.txt'));
  await reboot();
  expect(hashAt(bench.root, 'a.txt')).toBeNull();
});

test('promise 6: likewise where the next writer first had an interrupted effect to undo', async () => {
  const done = await prepare();
  await apply(done);
  const { intent, contents } = intentFor('b.txt');
  writeFileSync(join(bench.folder, 'applying'), String(await store.prepare(intent, contents)));
  await store.settle(done);
  await record(store, opened('S002'));
  rmSync(join(bench.root, 'a.txt'));
  expect(await types(await reboot())).toEqual(['scope.opened', 'files.changed', 'files.outside', 'scope.opened']);
  expect(hashAt(bench.root, 'a.txt')).toBeNull();
});

test('promise 6: after a power cut that took the marker, a half-done effect is undone', async () => {
  await prepare();
  writeFileSync(join(bench.root, 'a.txt'), 'new');
  await reboot();
  expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe('old');
});

test('promise 5: after a reboot an intent that was never applied does not undo the same change by another', async () => {
  await prepare();
  await apply(await prepare());
  await reboot();
  expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe('new');
});

test('promise 12: intents that nobody came back for are dropped after ten minutes', async () => {
  const id = await prepare();
  for (let minutes = 0; minutes < 11; minutes++) {
    for (let quarter = 0; quarter < 4; quarter++) {
      bench.pass(15_000);
      await store.transact({ agent: 'a', connection: 'c' }, {}, () => ({
        answer: true,
        events: [],
        life: [{ key: 'c', touch: 'seen' }],
      }));
    }
  }
  await bench.open();
  await expect(apply(id)).rejects.toThrow('is not pending');
  expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe('old');
});

test('promise 12: an intent that is still young is not dropped by a server that comes', async () => {
  const id = await prepare();
  bench.pass(15_000);
  await bench.open();
  await apply(id);
  expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe('new');
});

test('promise 11: while an interrupted effect cannot be undone, nothing is written', async () => {
  const id = await prepare();
  writeFileSync(join(bench.folder, 'applying'), String(id));
  writeFileSync(join(bench.root, 'a.txt'), 'new');
  const undo = (): never => {
    throw new Error('EACCES');
  };
  const stuck = await bench.open({ recovery: { ...fileRecovery(bench.root), undo } });
  await expect(record(stuck, opened('S001'))).rejects.toThrow(StoreBroken);
  await expect(record(stuck, opened('S001'))).rejects.toThrow('a.txt could not be settled: EACCES');
  expect(await types(stuck)).toEqual([]);
  await record(store, opened('S001'));
  expect(await types(store)).toEqual(['files.outside', 'scope.opened']);
});

test('promise 6: a marker that was cut off while it was written names nothing', async () => {
  await prepare();
  writeFileSync(join(bench.folder, 'applying'), '');
  expect(store.applying()).toEqual([]);
  await record(store, opened('S001'));
  expect(await types(store)).toEqual(['scope.opened']);
  expect(hashAt(bench.root, '.signalbox/applying')).toBeNull();
});
