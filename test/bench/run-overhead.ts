import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Bench } from './bench.js';
import { type Client, textOf } from './client.js';
import { inTurns, medians, timed } from './measure.js';
import { repository } from './repository.js';
import { aboveAtMost, type Row } from './table.js';

const ROUNDS = 12;
const CALLS = 5;
const WARM_UP = 20;
/** What a run changed is synced half a second behind its answer: that must not fall on the other one's turn. */
const REST = 800;

interface Case {
  readonly name: string;
  /** The command of a call, by its number in a turn. */
  command(at: number): string;
  /** Milliseconds above the bare command. */
  readonly bound: number;
}

const CASES: readonly Case[] = [
  { name: 'run of `true`, against a bare spawn', command: () => 'true', bound: 25 },
  { name: 'run of `git status` on 2,000 files, against a bare spawn', command: () => 'git status', bound: 50 },
  {
    name: 'run that edits 10 files, against a bare spawn',
    // The number differs from one call to the next, so that each changes every file.
    command: (at) => `sed -i 's/^second.*/second ${at}/' src/part0/*`,
    bound: 50,
  },
];

/** What a command takes longer through `run`, over stdio and at level transactional, than started by itself. */
export const runOverhead: Bench = {
  name: 'run-overhead',
  async run(stage) {
    // A repository of its own for the bare command, or each edit of it would be one made around ours.
    const [root, other] = [await repository(stage), await repository(stage)];
    const client = await stage.ours(root);
    const { containment } = await client.call('run', { command: 'true' });
    if (containment !== 'transactional') return [];
    const { scope } = await client.call('claim_scope', { title: 'Edit', units: ['src/'] });
    const rows: Row[] = [];
    for (const each of CASES) rows.push(await measured(client, textOf(scope), other, each));
    return rows;
  },
};

async function measured(client: Client, scope: string, other: string, { name, command, bound }: Case): Promise<Row> {
  const ours = (at: number) => contained(client, command(at), scope);
  const bare = (at: number) => alone(command(at), other);
  for (const call of [ours, bare]) await timed(WARM_UP, call);
  const turns = [ours, bare].map((call) => async () => {
    await setTimeout(REST);
    return timed(CALLS, call);
  });
  const [contain = 0, without = 0] = medians(await inTurns(ROUNDS, turns));
  return aboveAtMost(bound, { name, unit: 'ms', ours: contain, theirs: without });
}

async function contained(client: Client, command: string, scope: string): Promise<void> {
  const { exit_code, rejected, containment } = await client.call('run', { command, scope });
  const kept = containment === 'transactional' && JSON.stringify(rejected) === '[]';
  if (exit_code !== 0 || !kept) throw new Error(`${command} failed`);
}

/** The same shell without anything around it. */
async function alone(command: string, cwd: string): Promise<void> {
  const child = spawn('bash', ['-c', command], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.resume();
  child.stderr.resume();
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} failed with ${code}`);
}
