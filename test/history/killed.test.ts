import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Event } from '../../src/domain/event.js';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';
import { judge } from './checker.js';
import { nextApplying, until } from './moments.js';
import { Player, pairOf } from './player.js';
import { random } from './random.js';

const SEED = 20_261_121;
const SHORT_LEASE = 'lease_seconds: 6\npublish:\n  commit: none\n';
const NAMES = ['ada', 'ben', 'cleo', 'dan', 'eve'];
const KILLS = 20;
/** Rounds in which all servers die at once, so that what they leave can be looked at before anybody puts it right. */
const MASSACRES = { atLeast: 4, atMost: 15 };

test('promises 6, 8 and 11: servers are killed at random under load; no acknowledged change is lost and none is done by halves', async () => {
  const paths = NAMES.flatMap(pairOf);
  const workspace = newWorkspace({
    ...Object.fromEntries(paths.map((path) => [path, '0\n'])),
    'signalbox.yaml': SHORT_LEASE,
  });
  const players = NAMES.map((name, at) => new Player(workspace.root, name, at === 0 ? 'http' : 'stdio'));
  const games = Promise.all(players.map((player) => player.play()));
  const ledger = await workspace.store();
  const kills = killAtRandom(workspace, players).then(() => killAllAtOnce(workspace, players, ledger));
  const cutOff = await Promise.race([kills, games.then(() => 0)]);
  for (const player of players) player.stop();
  await games;

  expect(cutOff, `patches were cut off half-way (seed ${SEED})`).toBeGreaterThan(0);
  const events = await workspace.events();
  expect(judge(events).faults).toEqual([]);
  expect(events.filter(({ body }) => body.type === 'files.outside')).toEqual([]);
  for (const player of players) expectNothingLost(workspace, player, events);
  for (const path of paths) await expectReplayed(workspace, ledger, path);
}, 120_000);

async function killAtRandom({ root }: TestWorkspace, players: readonly Player[]): Promise<void> {
  const { next, pick, chance } = random(SEED);
  for (let kills = 0; kills < KILLS; ) {
    const work = acknowledged(players) + 1 + Math.floor(next() * 6);
    await until(() => acknowledged(players) >= work);
    if (chance(0.5)) await nextApplying(root);
    if (await pick(players).kill()) kills += 1;
  }
}

/** Returns how many of these ends came while a patch was being applied. */
async function killAllAtOnce(
  { root }: TestWorkspace,
  players: readonly Player[],
  ledger: SqliteStore,
): Promise<number> {
  let cutOff = 0;
  for (let round = 0; round < MASSACRES.atLeast || (cutOff === 0 && round < MASSACRES.atMost); round++) {
    const work = acknowledged(players) + players.length;
    await until(() => acknowledged(players) >= work);
    await nextApplying(root);
    let goOn: () => void = () => undefined;
    const pause = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await Promise.all(players.map((player) => player.kill(pause)));
    if (ledger.applying().length > 0) cutOff += 1;
    goOn();
  }
  return cutOff;
}

function acknowledged(players: readonly Player[]): number {
  return players.reduce((sum, player) => sum + player.acknowledged.length, 0);
}

/** Both files carry the number of the changes on record, and every change that was acknowledged is among these. */
function expectNothingLost({ text }: TestWorkspace, { pair, acknowledged }: Player, events: readonly Event[]): void {
  const changes = events.flatMap(({ seq, body }) => {
    const isOurs = body.type === 'files.changed' && body.files.some(({ path }) => path === pair[0]);
    return isOurs ? [{ seq, files: body.files.map(({ path, after }) => ({ path, version: after })) }] : [];
  });
  expect(changes).toEqual(expect.arrayContaining(acknowledged));
  expect(pair.map(text)).toEqual(pair.map(() => `${changes.length}\n`));
}

/** Each change of the file was made from the one before it, and the last one gives what the file holds. */
async function expectReplayed({ text }: TestWorkspace, ledger: SqliteStore, path: string): Promise<void> {
  const changes = await ledger.changes({ path, limit: 100_000 });
  const [first, ...later] = changes;
  expect(first?.before).toBe(hashOf('0\n'));
  expect(later.map(({ before }) => before)).toEqual(changes.slice(0, -1).map(({ after }) => after));
  const content = await ledger.content(changes.at(-1)?.after ?? '');
  expect(Buffer.from(content ?? []).toString()).toBe(text(path));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
