import { existsSync, writeSync } from 'node:fs';
import { refuse } from '../domain/refusal.js';
import { startStdio } from './stdio.js';
import { ToyWorkspace } from './toy-workspace.testsuite.js';

/** A server process for tests. It tells all on stderr; as long as the file of the first argument exists, it is broken. */
const broken = process.argv[2] ?? '';
const toy = new ToyWorkspace((line) => writeSync(2, `${line}\n`));

startStdio({
  provider: async () => (existsSync(broken) ? refuse('UNAVAILABLE', 'The toy is broken.', 'Mend it.') : toy),
  version: '1.2.3',
  onerror: (error) => writeSync(2, `error: ${error instanceof Error ? error.message : String(error)}\n`),
});
