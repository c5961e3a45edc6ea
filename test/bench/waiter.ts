import { assemble } from '../../src/cli/assemble.js';
import { callerOf, connect, granted } from './pair.js';

/** The other process of `grants`: claims when it is told to, and says when it waits and at which moment it was granted. */
const [root = '', unit = ''] = process.argv.slice(2);
const assembled = granted(await assemble({ from: root, log: (sentence) => process.stderr.write(`${sentence}\n`) }));
const { coordinator } = assembled;
await connect(assembled, 'waiter');
let scope = '';

process.on('message', (message) => void (message === 'claim' ? claim() : release()));

async function claim(): Promise<void> {
  const caller = { ...callerOf('waiter'), progress: () => void process.send?.('waiting') };
  const answer = granted(await coordinator.claim(caller, { units: [unit] }));
  const now = process.hrtime.bigint();
  if (answer.status !== 'active') throw new Error('the grant did not come');
  scope = answer.scope;
  process.send?.(String(now));
}

async function release(): Promise<void> {
  granted(await coordinator.release(callerOf('waiter'), { scope }));
  process.send?.('released');
}
