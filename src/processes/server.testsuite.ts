import { join } from 'node:path';
import { openRunner } from './open.js';

/** A server process for tests: runs the command of its second argument in the root of its first. */
const [root = '', command = ''] = process.argv.slice(2);
const runner = await openRunner({ root, folder: join(root, '.signalbox') });
const run = await runner.start({
  id: 'R1',
  command,
  cwd: '.',
  env: {},
  timeout: 60_000,
  writable: [],
  scratch: ['cache'],
  network: true,
});
if ('refused' in run) throw new Error(run.sentence);
await run.ended;
