import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.js';
import type { Program } from './programs.js';
import { OURS, THEIRS } from './programs.js';
import type { Stage } from './stage.js';
import { atMost, type Row, ratioAtLeast, shown } from './table.js';

const AGENTS = 8;
const TASKS = 20;
const FILES = 10;

/** Eight agents with twenty small tasks each on ten files that they share, against one agent that does all of them. */
export const crew: Bench = {
  name: 'crew',
  async run(stage) {
    const plans = Array.from({ length: AGENTS }, (_, agent) => plan(agent));
    const together = await work(stage, OURS, plans);
    const alone = await work(stage, OURS, [plans.flat()]);
    const theirs = await work(stage, THEIRS, plans);
    const tasks = AGENTS * TASKS;
    const speed = { unit: 'tasks/s', ours: tasks / together.seconds };
    return [
      ratioAtLeast(4, { name: 'eight agents, against one', ...speed, theirs: tasks / alone.seconds }),
      shown({ name: 'eight agents, against eight on the other server', ...speed, theirs: tasks / theirs.seconds }),
      lostRow(together.lost + alone.lost, theirs.lost),
    ];
  },
};

function lostRow(ours: number, theirs: number): Row {
  return { ...atMost(0, { name: `lost updates, of ${AGENTS * TASKS}`, unit: '', ours }), theirs };
}

/** Every agent visits every file equally often, each in an order of its own that is the same in every run. */
function plan(agent: number): string[] {
  const random = sequence(agent + 1);
  const tasks = Array.from({ length: TASKS }, (_, at) => ({ file: `file${at % FILES}.txt`, rank: random() }));
  return tasks.sort((a, b) => a.rank - b.rank).map(({ file }) => file);
}

/** Numbers that look random and are the same for the same seed (Park and Miller). */
function sequence(seed: number): () => number {
  let last = seed * 7919;
  return () => {
    last = (last * 48_271) % 2_147_483_647;
    return last;
  };
}

async function work(
  stage: Stage,
  program: Program,
  plans: readonly (readonly string[])[],
): Promise<{ seconds: number; lost: number }> {
  const names = Array.from({ length: FILES }, (_, at) => `file${at}.txt`);
  const files = Object.fromEntries(names.map((name) => [name, `${name}\n`]));
  // In both cases the files are all there is: nothing is committed to git.
  const root = stage.folder({ ...files, 'signalbox.yaml': 'publish:\n  commit: none\n' });
  const members = plans.map((tasks, at) =>
    stage.helper('crew-member.js', program.name, root, `agent${at}`, tasks.join(',')),
  );
  for (const member of members) await member.next();
  const start = performance.now();
  for (const member of members) member.send('go');
  await Promise.all(members.map((member) => member.next()));
  const seconds = (performance.now() - start) / 1000;
  const lines = names.flatMap((name) => readFileSync(join(root, name), 'utf8').split('\n').slice(1, -1));
  return { seconds, lost: plans.flat().length - new Set(lines).size };
}
