import { assemble } from '../../src/cli/assemble.js';
import { isRefusal } from '../../src/domain/refusal.js';
import { callerOf, connect, granted } from './pair.js';

/** One process of `pickup`: takes up open work and publishes it until nothing is open, and says what it did. */
const [root = '', name = ''] = process.argv.slice(2);
const assembled = granted(await assemble({ from: root, log: (sentence) => process.stderr.write(`${sentence}\n`) }));
const { coordinator } = assembled;
await connect(assembled, name);
process.once('message', () => void drain());
process.send?.('ready');

async function drain(): Promise<void> {
  const done: string[] = [];
  for (;;) {
    const taken = await coordinator.claim(callerOf(name), {});
    if (isRefusal(taken) && taken.code === 'NOT_FOUND') break;
    const { scope, id } = granted(taken);
    granted(await coordinator.publish(callerOf(name), { scope, summary: 'done' }));
    done.push(id);
  }
  process.send?.(done.join(' '));
}
