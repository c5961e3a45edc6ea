import type { Coordinator } from '../../coordinator/contract.js';
import { isRefusal } from '../../domain/refusal.js';
import { interrupted, untilInterrupted } from '../interrupt.js';
import { fail, print, printJson, safe } from '../output.js';
import { person } from '../person.js';

/** `hold`: a person takes units for themselves, so that no agent writes there, until Ctrl-C. */
export async function hold(coordinator: Coordinator, units: readonly string[], json: boolean): Promise<void> {
  await untilInterrupted(async (signal) => {
    const progress = (sentence: string): void => void process.stderr.write(`signalbox: ${safe(sentence)}\n`);
    const caller = { ...person(signal), progress };
    await coordinator.connected(caller.connection);
    const claimed = await coordinator.claim(caller, { units, title: 'Held by a person' });
    if (isRefusal(claimed)) return fail(claimed);
    if (claimed.status === 'active') {
      json ? printJson(claimed) : print(`${claimed.id} holds ${claimed.units.join(' ')}. Press Ctrl-C to release.`);
      await interrupted(signal);
    }
    const released = await coordinator.release(
      { ...person(), connection: caller.connection },
      { scope: claimed.scope, reason: 'released by the person' },
    );
    if (isRefusal(released)) return fail(released);
    json ? printJson(released) : print(`${released.id} is released.`);
  });
}
