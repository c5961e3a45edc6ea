import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Intent } from '../../domain/intent.js';
import { changed, changeOf, fileRecovery, hashAt, opened, record, sha } from '../steps.testsuite.js';
import { type Recovery, StoreBroken } from '../store.js';
import { SqliteBench } from './bench.testsuite.js';
import { DATABASE } from './options.js';
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

const AUTHOR = { agent: 'a', connection: 'c' };
const { files, contents } = changeOf('a.txt');

/** → what to settle. */
async function apply(to = store): Promise<number> {
  const { answer } = await to.transact<number>(AUTHOR, { contents }, (tx) => {
    const id = tx.mark(files);
    writeFileSync(join(bench.root, 'a.txt'), 'new');
    return { answer: id, events: [opened('S001'), changed('S001', 'a.txt', sha('old'), sha('new'))] };
  });
  return Number(answer);
}

/** The same, cut off before its COMMIT: what is on the disk is what a kill in that instant leaves. */
async function cutOff(): Promise<void> {
  const journal = join(bench.folder, 'applying');
  let named = Buffer.alloc(0);
  const step = store.transact(AUTHOR, { contents }, (tx) => {
    tx.mark(files);
    named = readFileSync(journal);
    throw new Error('cut off');
  });
  await expect(step).rejects.toThrow('cut off');
  bench.tamper(`DELETE FROM events; DELETE FROM files; DELETE FROM changes; UPDATE ledger SET seq = 0, hash = ''`);
  store = await bench.open();
  writeFileSync(journal, named);
  writeFileSync(join(bench.root, 'a.txt'), 'new');
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

const text = (): string => readFileSync(join(bench.root, 'a.txt'), 'utf8');

test('promise 6: after a reboot an effect that was committed is finished, once', async () => {
  await apply();
  rmSync(join(bench.root, 'a.txt'));
  const after = await reboot();
  expect(text()).toBe('new');
  expect(await types(after)).toEqual(['scope.opened', 'files.changed', 'files.outside']);
  rmSync(join(bench.root, 'a.txt'));
  await bench.open();
  expect(hashAt(bench.root, 'a.txt')).toBeNull();
});

test('promise 5: after a reboot a committed effect does not bring back what has been changed since', async () => {
  await apply();
  rmSync(join(bench.root, 'a.txt'));
  await record(store, changed('S001', 'a.txt', sha('new'), null));
  await reboot();
  expect(hashAt(bench.root, 'a.txt')).toBeNull();
});

test('promise 6: within one boot, a file of a committed effect that is gone is a person’s doing', async () => {
  await apply();
  await store.close();
  rmSync(join(bench.root, 'a.txt'));
  await bench.open();
  expect(hashAt(bench.root, 'a.txt')).toBeNull();
});

test('promise 6: an effect that was settled is left alone after a reboot', async () => {
  await store.settle(await apply());
  rmSync(join(bench.root, 'a.txt'));
  await reboot();
  expect(hashAt(bench.root, 'a.txt')).toBeNull();
});

test('promise 6: likewise where the next writer first had an effect to undo', async () => {
  await store.settle(await apply());
  const step = store.transact(AUTHOR, { contents }, (tx) => {
    tx.mark(files);
    throw new Error('a bug');
  });
  await expect(step).rejects.toThrow('a bug');
  rmSync(join(bench.root, 'a.txt'));
  await reboot();
  expect(hashAt(bench.root, 'a.txt')).toBeNull();
});

test('promise 12: what nobody came back for is forgotten after ten minutes', async () => {
  await apply();
  for (let quarters = 0; quarters < 44; quarters++) {
    bench.pass(15_000);
    const life = [{ key: 'c', touch: 'seen' as const }];
    await store.transact(AUTHOR, {}, () => ({ answer: true, events: [], life }));
  }
  await bench.open();
  rmSync(join(bench.root, 'a.txt'));
  await reboot();
  expect(hashAt(bench.root, 'a.txt')).toBeNull();
});

test.each(['boot 1', 'boot 2'])('promise 6: an effect that was cut off is undone, in %s', async (boot) => {
  await cutOff();
  await store.close();
  bench.clock.boot = boot;
  store = await bench.open({ recovery: spied() });
  expect(store.applying()).toEqual(['a.txt']);
  await record(store, opened('S001'));
  expect(text()).toBe('old');
  expect(told).toEqual([{ files, rebooted: boot === 'boot 2' }]);
  expect(store.applying()).toEqual([]);
  expect(await types(store)).toEqual(['files.outside', 'scope.opened']);
});

test('promise 11: while an effect that was cut off cannot be undone, nothing is written', async () => {
  await cutOff();
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

test('promise 5: the effect of a former ledger is not undone on behalf of a new one', async () => {
  await apply();
  await store.close();
  for (const name of readdirSync(bench.folder)) {
    if (name.startsWith(DATABASE)) rmSync(join(bench.folder, name));
  }
  store = await bench.open();
  await record(store, opened('S001'));
  expect(text()).toBe('new');
});

let told: Intent[];

/** Recovery that remembers what it was told to undo. */
function spied(): Recovery {
  told = [];
  const { undo, redo } = fileRecovery(bench.root);
  return {
    undo: (intent, content) => {
      told.push(intent);
      return undo(intent, content);
    },
    redo,
  };
}
