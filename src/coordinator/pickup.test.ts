import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { LockIndex } from '../domain/lock-index.js';
import { DEFAULTS } from '../domain/settings.js';
import { openSqliteStore } from '../store/sqlite/open.js';
import { ALICE, changed, granted, opened, record, released } from '../store/steps.testsuite.js';
import type { Store } from '../store/store.js';
import type { Caller } from './contract.js';
import type { Parts } from './parts.js';
import { comes, VainLooks } from './pickup.js';

const BUILD = { mode: 'write', phase: 'build' } as const;

/** A real store, in which alice holds `src/` and there is open work beneath it; and what those who wait do. */
async function waiting() {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-pickup-'));
  const recovery = { undo: () => [], redo: () => [] };
  const store = await openSqliteStore({ folder, settings: DEFAULTS, recovery });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  await store.transact(ALICE, {}, () => ({
    answer: true,
    events: [opened('S001', ['src/']), granted('S001', ['src/'], 1), opened('S002', ['src/a.ts'])],
    life: [{ key: ALICE.connection, touch: 'called' as const }],
  }));
  const looks: string[] = [];
  const asleep: number[] = [];
  let fellAsleep = () => {};
  const watched: Pick<Store, 'view' | 'changed'> = {
    view: (needs, look) =>
      store.view(needs, (view) => look({ ...view, state: { ...view.state, locks: noting(view.state.locks, looks) } })),
    changed(seq, signal) {
      asleep.push(seq);
      fellAsleep();
      return store.changed(seq, signal);
    },
  };
  const parts = { store: watched, mint: () => '', vain: new VainLooks() } as unknown as Parts;
  return {
    store,
    looks,
    waits: (name: string, limits: Caller['limits'] = {}) => {
      const { signal } = new AbortController();
      return comes(parts, { connection: name, agent: name, patience: 0, signal, limits }, BUILD, signal);
    },
    /** Resolves when so many have seen all that there is and wait for more. */
    async asleep(count: number) {
      const seq = await store.view({}, ({ state }) => state.seq);
      while (asleep.filter((each) => each === seq).length < count) {
        await new Promise<void>((resolve) => {
          fellAsleep = resolve;
        });
      }
    },
  };
}

/** The same index, which notes what it is asked for. */
function noting(index: LockIndex, looks: string[]): LockIndex {
  const overlapping: LockIndex['overlapping'] = (unit) => {
    looks.push(unit.text);
    return index.overlapping(unit);
  };
  return Object.create(index, { overlapping: { value: overlapping } });
}

test('many who wait for the same look once for all, and not again until something was freed', async () => {
  const { store, looks, waits, asleep } = await waiting();
  const all = ['u', 'v', 'w'].map((name) => waits(name));
  await asleep(3);
  for (let at = 0; at < 5; at++) {
    await record(store, changed('S001', `src/${at}.ts`, null, 'hash'));
    await asleep(3);
  }
  await record(store, granted('S001', ['lib/'], 2));
  await asleep(3);
  expect(looks).toEqual(['src/a.ts']);
  await record(store, released('S001'));
  expect(await Promise.all(all)).toEqual([true, true, true]);
});

test('who may take up something else looks for itself', async () => {
  const { store, looks, waits, asleep } = await waiting();
  const all = [waits('u'), waits('v', { units: ['src/'] }), waits('w', { units: ['src/'] })];
  await asleep(3);
  expect(looks).toEqual(['src/a.ts', 'src/a.ts']);
  await record(store, released('S001'));
  expect(await Promise.all(all)).toEqual([true, true, true]);
});

test('that no open work is left is news, though nothing was freed', async () => {
  const { store, waits, asleep } = await waiting();
  const one = waits('u');
  await asleep(1);
  await record(store, { type: 'scope.paused', scope: 'S002', reason: 'later', by: 'ops' });
  expect(await one).toBe(true);
});
