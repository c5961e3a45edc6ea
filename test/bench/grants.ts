import { setTimeout } from 'node:timers/promises';
import { createCoordinator } from '../../src/coordinator/coordinator.js';
import type { Parts } from '../../src/coordinator/parts.js';
import type { Store } from '../../src/store/store.js';
import type { Bench } from './bench.js';
import { percentile } from './measure.js';
import { callerOf, connect, granted } from './pair.js';
import { atMost } from './table.js';

const ROUNDS = 300;
const WARM_UP = 10;
const UNIT = 'src/a.ts';

/** A release is committed here; how long until the call that waits in another process is answered? */
export const grants: Bench = {
  name: 'grants',
  async run(stage) {
    const assembled = await stage.inProcess(stage.folder());
    await connect(assembled, 'holder');
    const { store, committed } = stamped(assembled.parts.store);
    const coordinator = createCoordinator({ ...assembled.parts, store } satisfies Parts);
    const waiter = stage.helper('waiter.js', assembled.parts.workspace.root, UNIT);
    const samples: number[] = [];
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const { scope } = granted(await coordinator.claim(callerOf('holder'), { units: [UNIT] }));
      waiter.send('claim');
      await waiter.next();
      // Until it sleeps; not always as long, so that no beat of ours falls in step with a poll of its own.
      await setTimeout(5 + Math.random() * 20);
      granted(await coordinator.release(callerOf('holder'), { scope }));
      const answered = BigInt(String(await waiter.next()));
      if (round >= 0) samples.push(Number(answered - committed()) / 1e6);
      waiter.send('release');
      await waiter.next();
    }
    return [
      atMost(10, {
        name: 'a waiter in another process hears of its grant, p50',
        unit: 'ms',
        ours: percentile(samples, 50),
      }),
      atMost(50, {
        name: 'a waiter in another process hears of its grant, p99',
        unit: 'ms',
        ours: percentile(samples, 99),
      }),
    ];
  },
};

/** The same store, which remembers when the last commit was through, by the clock that all processes share. */
function stamped(store: Store): { store: Store; committed(): bigint } {
  let last = 0n;
  const watched = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'transact') return value.bind(target);
      return async (...given: unknown[]) => {
        const outcome: unknown = await Reflect.apply(value, target, given);
        last = process.hrtime.bigint();
        return outcome;
      };
    },
  });
  return { store: watched, committed: () => last };
}
