import { setTimeout } from 'node:timers/promises';
import type { Bench } from './bench.js';
import { type Client, textOf } from './client.js';
import { inTurns, percentile, timed } from './measure.js';
import { type Row, ratioAtMost } from './table.js';

const ROUNDS = 8;
/** What the calls of a turn leave to be synced must not fall on the next turn. */
const REST = 800;

/** Commands that go on until they are stopped. Each says first that it is under way. */
const LONG = {
  sleeps: 'echo up; while :; do sleep 0.1; done',
  writes: "echo up; n=0; while :; do n=$((n + 1)); printf '%65536d' $n > work/file$((n % 20)).txt; sleep 0.05; done",
} as const;

interface Call {
  readonly name: string;
  readonly times: number;
  work(at: number): Promise<unknown>;
}

/** Whether the calls of one agent take longer while the command of another one is under way, each with a server of its own. */
export const runBeside: Bench = {
  name: 'run-beside',
  async run(stage) {
    const root = stage.folder({ 'page.txt': 'one\n0\nthree\n', 'work/file0.txt': '0\n' });
    const [busy, other] = [await stage.ours(root), await stage.ours(root)];
    const { containment } = await busy.call('run', { command: 'true' });
    if (containment !== 'transactional') return [];
    const { scope } = await busy.call('claim_scope', { title: 'Work', units: ['work/'] });
    const calls = await callsOf(other);
    const rows: Row[] = [];
    for (const [what, command] of Object.entries(LONG)) {
      for (const call of calls) rows.push(await compared(call, what, () => begun(busy, textOf(scope), command)));
    }
    return rows;
  },
};

async function callsOf(client: Client): Promise<readonly Call[]> {
  const { scope } = await client.call('claim_scope', { title: 'Edit', units: ['page.txt'] });
  const edit = (at: number) => ({ path: 'page.txt', old_string: `\n${at}\n`, new_string: `\n${at + 1}\n` });
  let number = 0;
  return [
    { name: 'patch', times: 100, work: () => client.call('patch', { scope, edits: [edit(number++)] }) },
    {
      name: 'claim + release',
      times: 50,
      async work() {
        const claimed = await client.call('claim_scope', { title: 'Another', units: ['other.txt'] });
        await client.call('release_scope', { scope: claimed.scope });
      },
    },
    { name: 'run of `true`', times: 20, work: () => client.call('run', { command: 'true', scope }) },
  ];
}

async function compared({ name, times, work }: Call, what: string, begin: () => Promise<Stop>): Promise<Row> {
  const alone = async () => {
    await setTimeout(REST);
    return timed(times, work);
  };
  const beside = async () => {
    const stop = await begin();
    try {
      return await alone();
    } finally {
      await stop();
    }
  };
  const [ours = [], theirs = []] = await inTurns(ROUNDS, [beside, alone]);
  const figures = { ours: percentile(ours, 99), theirs: percentile(theirs, 99) };
  return ratioAtMost(2, { name: `${name}, p99 while another's command ${what}, against none`, unit: 'ms', ...figures });
}

type Stop = () => Promise<void>;

/** Starts a long command, and waits until it is under way. */
async function begun(client: Client, scope: string, command: string): Promise<Stop> {
  const { run } = await client.call('run', { command, scope, background: true });
  for (let output = ''; !output.includes('up'); )
    output = textOf((await client.call('run', { run, wait_s: 0 })).output);
  return async () => {
    const { state } = await client.call('run', { run, stop: true });
    if (state !== 'stopped') throw new Error(`the command did not last: it is ${textOf(state)}`);
  };
}
