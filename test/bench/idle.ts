import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Bench } from './bench.js';
import type { Client } from './client.js';
import { medians } from './measure.js';
import { atMost } from './table.js';

/** Node collects its garbage once more when nothing has happened for a while after the start: 50 ms, in one of the spans. */
const SPANS = 3;
const SPAN = 10_000;
/** A thousandth of one processor, the least that the system's own accounting tells from nothing. */
const BOUND = 10;

/** Processor time of servers that nobody calls. Linux only, from `/proc`. */
export const idle: Bench = {
  name: 'idle',
  async run(stage) {
    if (process.platform !== 'linux') return [];
    const root = stage.folder();
    const servers = [await stage.ours(root), await stage.ours(root), await stage.ours(root)] as const;
    const [looking, holding, waiting] = servers;
    await looking.call('list_scopes', {});
    await holding.call('claim_scope', { title: 'Hold', units: ['src/'] });
    const claimed = waiting.call('claim_scope', {
      title: 'Wait',
      units: ['src/a.ts'],
      wait_s: SPANS * (SPAN / 1000) + 10,
    });
    // When the measurement is broken off, nobody comes to hear how this call ended.
    claimed.catch(() => undefined);
    const spent = servers.map((): number[] => []);
    for (let span = 0; span < SPANS; span++) {
      const before = servers.map(processorTime);
      await setTimeout(SPAN);
      for (const [at, server] of servers.entries()) spent[at]?.push(processorTime(server) - (before[at] ?? 0));
    }
    const [look = 0, hold = 0, wait = 0] = medians(spent);
    await holding.close();
    await claimed;
    return [
      atMost(BOUND, { name: 'idle server, CPU in 10 s', unit: 'ms', ours: look }),
      atMost(BOUND, { name: 'idle server that holds a scope, CPU in 10 s', unit: 'ms', ours: hold }),
      atMost(BOUND, { name: 'idle server with a waiting claim, CPU in 10 s', unit: 'ms', ours: wait }),
    ];
  },
};

/** Milliseconds on a processor, in user and system mode, of all threads: the scheduler's own count, in nanoseconds. */
function processorTime({ pid }: Client): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const spent = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return spent.reduce((sum, each) => sum + each, 0) / 1e6;
}
