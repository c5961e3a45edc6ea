import type { Bench } from './bench.js';
import { textOf } from './client.js';
import { percentile, timed } from './measure.js';
import { repository } from './repository.js';
import { atMost } from './table.js';

const ROUNDS = 40;
const WARM_UP = 5;
const FILES = 20;

/** A publication over stdio of a scope that changed 20 files in each round, with its commit, among 2,000 files. */
export const publish: Bench = {
  name: 'publish',
  async run(stage) {
    const client = await stage.ours(await repository(stage));
    const samples: number[] = [];
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const { scope } = await client.call('claim_scope', { title: `Round ${round}`, units: ['src/'] });
      await client.call('patch', { scope: textOf(scope), edits: edits(round) });
      const [sample = 0] = await timed(1, async () => {
        const { commit } = await client.call('publish_output', { scope: textOf(scope), summary: 'All of it' });
        textOf(commit);
      });
      if (round >= 0) samples.push(sample);
    }
    const name = `publish of ${FILES} changed files with their commit, p50`;
    return [atMost(60, { name, unit: 'ms', ours: percentile(samples, 50) })];
  },
};

/** One line in each of twenty files of four folders. */
function edits(round: number): object[] {
  return Array.from({ length: FILES }, (_, at) => ({
    path: `src/part${at % 4}/file${Math.floor(at / 4)}.txt`,
    old_string: round === -WARM_UP ? 'second' : `round ${round - 1} `,
    new_string: `round ${round} `,
  }));
}
