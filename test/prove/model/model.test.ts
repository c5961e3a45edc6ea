import fc from 'fast-check';
import { expect, test } from 'vitest';
import { report, rounds, seedOf, Tally } from '../budget.js';
import { histories, Match } from './histories.js';

const HISTORIES = 500;
/** What has to have happened, or the histories prove nothing. */
const SOMETIMES = [
  'claim active',
  'claim waiting',
  'more active',
  'more waiting',
  'take active',
  'write done',
  'queued',
];
const CODES = ['HELD', 'WAITING', 'DEADLOCK', 'LEASE_LOST', 'UNKNOWN_SCOPE'].map((code) => `refused ${code}`);

test('promises 1 to 4 and 7: the rules answer as a lock table without indices, events or laziness does', () => {
  const tally = new Tally();
  for (const round of rounds(0.2)) {
    fc.assert(
      fc.property(histories, (steps) => new Match(tally).play(steps)),
      { numRuns: HISTORIES, seed: seedOf(round) },
    );
  }
  expect(tally.missing([...SOMETIMES, ...CODES])).toEqual([]);
  report('model of the lock table', tally);
}, 3_600_000);
