import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Bench } from './bench.js';
import { inTurns, medians } from './measure.js';
import { OURS, type Program, THEIRS } from './programs.js';
import { ended, type Stage } from './stage.js';
import { ratioAtMost } from './table.js';

const ROUNDS = 15;

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } },
};

/** From the start of the process to its answer to `initialize`. */
export const start: Bench = {
  name: 'start',
  async run(stage) {
    const root = stage.folder({ 'a.txt': 'one\n' });
    const of = (program: Program) => async () => [await answered(stage, program, root)];
    const [ours = 0, theirs = 0] = medians(await inTurns(ROUNDS, [of(OURS), of(THEIRS)]));
    return [ratioAtMost(1, { name: 'start to initialize answered', unit: 'ms', ours, theirs })];
  },
};

async function answered(stage: Stage, program: Program, root: string): Promise<number> {
  const begin = performance.now();
  const child = stage.start(program, root);
  const line = once(createInterface({ input: child.stdout }), 'line');
  child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
  const [answer] = await line;
  const took = performance.now() - begin;
  await ended(child);
  if (!String(answer).includes('serverInfo')) throw new Error(`${program.name} answered ${String(answer)}`);
  return took;
}
