import { join } from 'node:path';
import { openRunner } from './open.js';
import type { Containment } from './runner.js';

/** A server process for tests: the root, a command, and the level to run it at; its leases are short. */
const [root = '', command = '', level = 'transactional'] = process.argv.slice(2);
const runner = await openRunner({
  root,
  folder: join(root, '.signalbox'),
  containment: 'none',
  levels: [levelOf(level)],
  lease: 2_000,
});
const run = await runner.start({
  id: 'R1',
  command,
  cwd: '.',
  env: {},
  timeout: 60_000,
  writable: [],
  scratch: ['cache'],
  sealed: [],
  network: true,
  live: false,
});
if ('refused' in run) throw new Error(run.sentence);
await run.ended;

function levelOf(name: string): Containment {
  const known = (['transactional', 'confined', 'none'] as const).find((level) => level === name);
  if (known === undefined) throw new Error(`${name} is no level`);
  return known;
}
