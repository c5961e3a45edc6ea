import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventBody } from '../domain/event.js';
import { HISTORIES, TYPES } from './histories.testsuite.js';
import { ALICE, type StoreBench } from './steps.testsuite.js';

/** Whoever starts later reads from the tables what the others have folded. */
export function foldTests(makeBench: () => Promise<StoreBench>): void {
  test('promise 8: whatever has happened, the tables are read back as the state that the events fold to', async () => {
    const kinds = new Set<EventBody['type']>();
    const property = fc.asyncProperty(HISTORIES, async (events) => {
      for (const { type } of events) kinds.add(type);
      const bench = await makeBench();
      try {
        const store = await bench.open();
        await store.transact(ALICE, {}, () => ({ answer: true, events }));
        expect(await bench.verify()).toEqual([]);
      } finally {
        await bench.dispose();
      }
    });
    await fc.assert(property, { numRuns: 40, seed: 8 });
    expect([...kinds].sort()).toEqual([...TYPES].sort());
  });
}
