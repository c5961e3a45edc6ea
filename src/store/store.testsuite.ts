import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { foldTests } from './fold.testsuite.js';
import { effectTests, ledgerTests } from './ledger.testsuite.js';
import { lineageTests, listTests, lookTests, newsTests } from './look.testsuite.js';
import { claim, type StoreBench, type Tools } from './steps.testsuite.js';
import type { Store } from './store.js';

/** What every store must keep, whatever database is below it. */
export function storeSuite(name: string, makeBench: () => Promise<StoreBench>): void {
  describe(name, () => {
    let bench: StoreBench;
    let store: Store;
    const tools: Tools = {
      get bench() {
        return bench;
      },
      get store() {
        return store;
      },
    };

    beforeEach(async () => {
      bench = await makeBench();
      store = await bench.open();
    });

    afterEach(async () => {
      expect(await bench.verify(), 'promise 8: replaying the events gives the tables').toEqual([]);
      await bench.dispose();
    });

    describe('the ledger', () => ledgerTests(tools));
    describe('what a step may look at', () => lookTests(tools));
    describe('lists', () => listTests(tools));
    describe('lineage', () => lineageTests(tools));
    describe('news', () => newsTests(tools));
    describe('effects', () => effectTests(tools));
    describe('fold', () => foldTests(makeBench));

    test('a closed store refuses every verb', async () => {
      await store.close();
      await store.close();
      await expect(claim(store, 'a.ts')).rejects.toThrow('closed');
      await expect(store.view({}, () => true)).rejects.toThrow('closed');
      await expect(store.changed(0, new AbortController().signal)).rejects.toThrow('closed');
    });
  });
}
