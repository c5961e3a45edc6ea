import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { scopeKey, statelessConnection, ticketKey } from '../domain/leases.js';
import { DEFAULTS } from '../domain/settings.js';
import { TestClock } from '../store/sqlite/bench.testsuite.js';
import { openSqliteStore } from '../store/sqlite/open.js';
import { ALICE, claim, opened, record } from '../store/steps.testsuite.js';
import type { LifeChange, Store } from '../store/store.js';
import { Presence } from './presence.js';

/** Presence on a real store, and the signs of life that its beats commit. */
async function beating() {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-presence-'));
  const recovery = { undo: () => [], redo: () => [] };
  const clock = new TestClock();
  const store = await openSqliteStore({ folder, settings: DEFAULTS, recovery, clock });
  const signs: LifeChange[] = [];
  const watched: Pick<Store, 'view' | 'transact'> = {
    view: (needs, look) => store.view(needs, look),
    transact: (author, needs, step) =>
      store.transact(author, needs, (tx) => {
        const decision = step(tx);
        signs.push(...(decision.life ?? []));
        return decision;
      }),
  };
  const failed: string[] = [];
  const presence = new Presence(
    watched as Store,
    () => true,
    (sentence) => failed.push(sentence),
  );
  onTestFinished(async () => {
    presence.stop();
    await store.close();
    rmSync(folder, { recursive: true });
    expect(failed).toEqual([]);
  });
  return { presence, signs, store, clock, folder };
}

test('promise 7: an open claim call is a call, however long it waits', async () => {
  const { presence, signs } = await beating();
  presence.connected('one');
  presence.waits('one', 'S001');
  await presence.beat();
  expect(signs).toContainEqual({ key: 'one', touch: 'called' });
  expect(signs).toContainEqual({ key: ticketKey('S001'), touch: 'seen' });
  signs.length = 0;
  presence.waits('one', 'S002');
  presence.stopsWaiting('one', 'S001', true);
  await presence.beat();
  expect(signs).toContainEqual({ key: 'one', touch: 'called' });
  expect(signs).toContainEqual({ key: ticketKey('S001'), touch: 'gone' });
});

test('promise 7: a server beats for the lease that is in force, whatever its own would be', async () => {
  const { presence, folder, clock } = await beating();
  const every = vi.spyOn(globalThis, 'setInterval');
  onTestFinished(() => every.mockRestore());
  const recovery = { undo: () => [], redo: () => [] };
  const short = await openSqliteStore({ folder, settings: { ...DEFAULTS, lease: 6_000 }, recovery, clock });
  onTestFinished(() => short.close());
  presence.keep();
  await claim(short, 'a.ts');
  await presence.beat();
  presence.connected('one');
  await presence.noticed('one', 60_000);
  expect(every.mock.calls.map(([, ms]) => ms)).toEqual([10_000, 1_000, 10_000]);
});

test('promise 7: without a connection the scope itself is what lives', async () => {
  const { presence, signs } = await beating();
  const connection = statelessConnection('ann:opencode');
  presence.waits(connection, 'S001');
  await presence.beat();
  expect(signs).toEqual([
    { key: scopeKey('S001'), touch: 'called' },
    { key: ticketKey('S001'), touch: 'seen' },
  ]);
  presence.stopsWaiting(connection, 'S001', false);
  signs.length = 0;
  await presence.beat();
  expect(signs).toEqual([]);
});

test.each([
  [4, 'active'],
  [5, 'open'],
])(
  'promise 7: after %i quarters of a minute without a beat, a goodbye leaves the scope %s',
  async (quarters, status) => {
    const { presence, store, clock } = await beating();
    presence.connected(ALICE.connection);
    const life = [{ key: ALICE.connection, touch: 'called' as const }];
    await store.transact(ALICE, {}, () => ({ events: [], answer: true, life }));
    const scope = await claim(store, 'a.ts');
    for (let quarter = 0; quarter < quarters; quarter++) {
      clock.ms += 15_000;
      await record(store, opened(`S00${quarter + 2}`));
    }
    await presence.disconnected(ALICE.connection);
    expect(await store.view({}, ({ state }) => state.scopes.get(scope)?.status)).toBe(status);
  },
);
