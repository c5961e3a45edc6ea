import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventBody } from '../../domain/event.js';
import type { Hash } from '../../domain/scope.js';
import { ALICE, changed, granted, opened, record, released, sha } from '../steps.testsuite.js';
import { SqliteBench } from './bench.testsuite.js';
import { openDriver } from './driver.js';
import { DATABASE } from './options.js';
import type { SqliteStore } from './sqlite-store.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KEEP = { contents: 30 * DAY };
const LARGE = 300 * 1024;

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

/** Keeps these words as contents. Returns their hashes. */
async function keep(...words: string[]): Promise<Hash[]> {
  const contents = words.map((word) => ({ hash: sha(word), bytes: Buffer.from(word) }));
  await store.keep(contents);
  return contents.map(({ hash }) => hash);
}

async function kept(...words: string[]): Promise<string[]> {
  const found = await Promise.all(words.map(async (word) => ((await store.content(sha(word))) ? [word] : [])));
  return found.flat();
}

function publishedAs(scope: string, hash: Hash): EventBody {
  return { type: 'scope.done', scope, summary: 's', artifacts: [{ id: 'A001', type: 'file', hash }] };
}

/** A scope that changed a file twice, from one word over the next to the third. */
function worked(scope: string, path: string, [first = '', second = '', third = '']: readonly string[]): EventBody[] {
  const steps = [changed(scope, path, sha(first), sha(second)), changed(scope, path, sha(second), sha(third))];
  return [opened(scope), granted(scope, [path], Number(scope.slice(1))), ...steps];
}

test('contents that nothing needs go when their time is over, and not before', async () => {
  const ended = ['ended before', 'ended between', 'present version'];
  const live = ['live before', 'live between', 'live after'];
  const others = ['side', 'artifact', 'log'];
  await keep(...ended, ...live, ...others, 'forgotten');
  const conflict = { between: ['S002'], paths: ['b.ts'], sides: [sha('side')] };
  const raised = opened('S003');
  await record(
    store,
    ...worked('S001', 'a.ts', ended),
    publishedAs('S001', sha('artifact')),
    ...worked('S002', 'b.ts', live),
    ...(raised.type === 'scope.opened' ? [{ ...raised, contract: { ...raised.contract, conflict } }] : []),
  );
  now += 30 * DAY - 1;
  expect(await store.expire(KEEP)).toMatchObject({ contents: 0 });
  now += HOUR;
  expect(await store.expire(KEEP)).toMatchObject({ contents: 4 });
  expect(await kept(...ended, ...live, ...others, 'forgotten')).toEqual([
    'present version',
    ...live,
    'side',
    'artifact',
  ]);
  await record(store, released('S002'), released('S003'));
  now += HOUR;
  expect(await store.expire(KEEP)).toMatchObject({ contents: 3 });
  expect(await kept(...live, 'side')).toEqual(['live after']);
});

test('promise 6: what may have to be written again after a crash stays', async () => {
  await keep('old', 'new');
  const files = [{ path: 'a.txt', before: sha('old'), after: sha('new'), beforeMode: 0o644, afterMode: 0o644 }];
  await store.transact(ALICE, {}, (tx) => {
    tx.mark(files);
    return { answer: true, events: [opened('S001'), released('S001')] };
  });
  now += 31 * DAY;
  expect(await store.expire(KEEP)).toMatchObject({ contents: 0 });
  bench.tamper('DELETE FROM intents');
  now += HOUR;
  expect(await store.expire(KEEP)).toMatchObject({ contents: 2 });
});

test('what is used again is kept anew', async () => {
  await keep('one', 'two', 'three');
  now += 29 * DAY;
  await keep('one');
  const contents = [{ hash: sha('two'), bytes: Buffer.from('two') }];
  await store.transact(ALICE, { contents }, (tx) => {
    tx.mark([{ path: 'a.txt', before: null, after: sha('two'), beforeMode: 0o644, afterMode: 0o644 }]);
    return { answer: true, events: [opened('S001'), released('S001')] };
  });
  bench.tamper('DELETE FROM intents');
  now += 2 * DAY;
  expect(await store.expire(KEEP)).toMatchObject({ contents: 1 });
  expect(await kept('one', 'two', 'three')).toEqual(['one', 'two']);
});

test('it is done once an hour, by whichever server comes first', async () => {
  const other = await open();
  await keep('one');
  now += 31 * DAY;
  const both = await Promise.all([store.expire(KEEP), other.expire(KEEP)]);
  expect(both.map(({ contents }) => contents).sort()).toEqual([0, 1]);
  now += HOUR - 1;
  expect(await store.expire({ contents: 1 })).toMatchObject({ contents: 0 });
  // A clock that was wrong by years and is right again keeps nothing from being done.
  now -= 3_000 * DAY;
  bench.tamper('UPDATE contents SET at = 0');
  await keep('two');
  bench.tamper('UPDATE contents SET at = 0');
  expect(await store.expire({ contents: 1 })).toMatchObject({ contents: 1 });
});

/** Where the large contents are. */
function files(): string[] {
  const folder = join(bench.folder, 'blobs');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
}

test('large contents go with their files, and files whose rows went before a crash go too', async () => {
  const [one = '', two = '', three = ''] = ['1', '2', '3'].map((digit) => digit.repeat(LARGE));
  await keep(one, two, three);
  bench.tamper(`DELETE FROM contents WHERE hash = '${sha(two)}'`);
  await record(store, opened('S001'), granted('S001', ['a'], 1), publishedAs('S001', sha(three)));
  expect(files()).toHaveLength(3);
  now += 31 * DAY;
  expect(await store.expire(KEEP)).toMatchObject({ contents: 1 });
  expect(files()).toEqual([join(sha(three).slice(0, 2), sha(three).slice(2))]);
  await keep(one);
  expect(await kept(one, two, three)).toEqual([one, three]);
});

test('promise 11: a large content whose file expires while it is being kept is written again', async () => {
  const word = 'x'.repeat(LARGE);
  const path = join(bench.folder, 'blobs', sha(word).slice(0, 2), sha(word).slice(2));
  const another = openDriver(join(bench.folder, DATABASE));
  another.exec('BEGIN IMMEDIATE');
  const keeping = keep(word);
  while (!existsSync(path)) await setImmediate();
  rmSync(path);
  another.rollback();
  another.close();
  await keeping;
  expect(await kept(word)).toEqual([word]);
});

test('a store that is closed meanwhile stops', async () => {
  const words = Array.from({ length: 200 }, (_, number) => `word ${number}`);
  await keep(...words);
  now += 31 * DAY;
  const sweeping = store.expire(KEEP);
  const watching = await open();
  while ((await watching.content(sha('word 0'))) !== undefined) await setImmediate();
  await store.close();
  const { contents } = await sweeping;
  expect(contents).toBeLessThan(200);
  now += HOUR;
  expect(await watching.expire(KEEP)).toMatchObject({ contents: 200 - contents });
});
