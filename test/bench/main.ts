import { parseArgs } from 'node:util';
import type { Bench } from './bench.js';
import { calls } from './calls.js';
import { commits } from './commits.js';
import { crew } from './crew.js';
import { grants } from './grants.js';
import { growth } from './growth.js';
import { idle } from './idle.js';
import { pickup } from './pickup.js';
import { publish } from './publish.js';
import { runBeside } from './run-beside.js';
import { runOutput } from './run-output.js';
import { runOverhead } from './run-overhead.js';
import { sse } from './sse.js';
import { Stage } from './stage.js';
import { start } from './start.js';
import { printed, type Row } from './table.js';

const BENCHES: readonly Bench[] = [
  calls,
  commits,
  growth,
  grants,
  idle,
  start,
  runOverhead,
  publish,
  runOutput,
  runBeside,
  pickup,
  sse,
  crew,
];

/** Measures everything, or one thing, and ends with 1 where a bound is missed. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean', default: false } } });
  const chosen = BENCHES.filter(({ name }) => values.only === undefined || values.only === name);
  if (chosen.length === 0) throw new Error(`--only takes one of ${BENCHES.map(({ name }) => name).join(', ')}`);
  const rows: Row[] = [];
  for (const bench of chosen) rows.push(...(await staged(bench)));
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : `${printed(rows)}\n`);
  if (rows.some(({ met }) => met === false)) process.exitCode = 1;
}

async function staged(bench: Bench): Promise<readonly Row[]> {
  const stage = new Stage();
  const kill = () => stage.kill();
  const stop = () => void stage.clear().finally(() => process.exit(130));
  process.once('exit', kill);
  for (const signal of SIGNALS) process.once(signal, stop);
  const start = performance.now();
  try {
    return await bench.run(stage);
  } finally {
    await stage.clear();
    process.off('exit', kill);
    for (const signal of SIGNALS) process.off(signal, stop);
    process.stderr.write(`${bench.name}: ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

await main();
