// `npm start`: installs and builds what is missing, then shows the demo; `npm start -- /path/to/repo` serves that repository.
// Further arguments are passed on: `npm start -- --keep`, `npm start -- /path/to/repo --port 8080`.
import { resolve } from 'node:path';
import { makeReady } from './ready.mjs';

makeReady();
const [first, ...rest] = process.argv.slice(2);
const path = first === undefined || first.startsWith('-') ? undefined : resolve(process.env.INIT_CWD ?? '.', first);
const given = path === undefined ? ['demo', ...process.argv.slice(2)] : ['serve', '--root', path, ...rest];
// In this very process, so that Ctrl-C reaches it once and its exit code is ours.
process.argv = [process.argv[0], 'signalbox', ...given];
await import('../dist/cli/main.js');
