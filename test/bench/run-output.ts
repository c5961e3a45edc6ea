import { setTimeout } from 'node:timers/promises';
import type { Bench } from './bench.js';
import { type Client, textOf } from './client.js';
import { medians, timed } from './measure.js';
import { memoryOf } from './memory.js';
import { atMost, measured, type Row } from './table.js';

const ROUNDS = 5;
const BOUND = 100;
/** Longer than this nobody wants to wait for a command to stop. */
const STOPPED = 1_000;

/** About 25 MB in two seconds: below the limit at which a command is ended. */
const STEADY = "while :; do printf '%65536d'; sleep 0.005; done";
const FLOOD = 'yes';
const GIGABYTE = 'head -c 1000000000 /dev/zero';

/** What commands that print a lot cost their server, measured from outside. Linux only, from `/proc`. */
export const runOutput: Bench = {
  name: 'run-output',
  async run(stage) {
    if (process.platform !== 'linux') return [];
    const client = await stage.ours(stage.folder({ 'a.txt': 'one\n' }));
    const { containment } = await client.call('run', { command: 'true' });
    if (containment !== 'transactional') return [];
    const stops: number[] = [];
    const [steady = 0, flood = 0, gigabyte = 0] = [
      await memory(client, async () => stops.push(await steadily(client))),
      await memory(client, () => limited(client, FLOOD)),
      await memory(client, () => limited(client, GIGABYTE)),
    ];
    const [stop = 0, took = 0] = medians([stops, await timed(ROUNDS, () => limited(client, GIGABYTE))]);
    return [
      memoryRow('a command that prints for 2 s, memory of its server', steady),
      atMost(STOPPED, { name: 'the same, from stop to its end', unit: 'ms', ours: stop }),
      memoryRow('`yes`, until it is ended for its output', flood),
      memoryRow('a command that prints 1 GB, ended likewise', gigabyte),
      measured({ name: 'the same, until it is answered', unit: 'ms', ours: took }),
    ];
  },
};

function memoryRow(name: string, ours: number): Row {
  return atMost(BOUND, { name, unit: 'MB', ours });
}

/** → the most that one of several rounds took. */
async function memory(client: Client, work: () => Promise<unknown>): Promise<number> {
  let most = 0;
  for (let round = 0; round < ROUNDS; round++) most = Math.max(most, await memoryOf(client, work));
  return most;
}

/** → how long the end took after two seconds, in milliseconds. */
async function steadily(client: Client): Promise<number> {
  const { run } = await client.call('run', { command: STEADY, background: true });
  await setTimeout(2_000);
  const [took = 0] = await timed(1, async () => {
    const { state } = await client.call('run', { run, stop: true });
    if (state !== 'stopped') throw new Error(`the command did not stop: it is ${textOf(state)}`);
  });
  return took;
}

async function limited(client: Client, command: string): Promise<void> {
  const { state } = await client.call('run', { command });
  if (state !== 'output_limit') throw new Error(`the command was not ended for its output: it is ${textOf(state)}`);
}
