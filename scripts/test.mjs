// `npm test`: installs and builds what is missing, then runs every test. Arguments go to the test runner.
import { makeReady, run } from './ready.mjs';

makeReady();
run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)]);
