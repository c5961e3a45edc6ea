import type { ClaimOutput } from '../../coordinator/contract.js';
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import type { Assembled } from '../assemble.js';
import { untilInterrupted } from '../interrupt.js';
import { fail, print, printJson, safe } from '../output.js';
import { person } from '../person.js';

/** `hold`: a person takes units for themselves, so that no agent writes there, until Ctrl-C. */
export async function hold(assembled: Assembled, units: readonly string[], json: boolean): Promise<void> {
  const { coordinator } = assembled;
  await untilInterrupted(async (signal) => {
    const progress = (sentence: string): void => void process.stderr.write(`signalbox: ${safe(sentence)}\n`);
    const caller = { ...person(signal), progress };
    await coordinator.connected(caller.connection);
    const claimed = await coordinator.claim(caller, { units, title: 'Held by a person' });
    if (isRefusal(claimed)) return fail(claimed);
    if (claimed.status === 'active') {
      json ? printJson(claimed) : print(`${claimed.id} holds ${claimed.units.join(' ')}. Press Ctrl-C to release.`);
      const lost = await kept(assembled, caller.connection, claimed, signal);
      if (lost !== undefined) return fail(lost);
    }
    const released = await coordinator.release(
      { ...person(), connection: caller.connection },
      { scope: claimed.scope, reason: 'released by the person' },
    );
    if (isRefusal(released)) return fail(released);
    json ? printJson(released) : print(`${released.id} is released.`);
  });
}

/** Until the person ends it, or somebody takes the scope away. Whoever sits there makes no calls, and is there. */
async function kept(
  { parts: { presence, store } }: Assembled,
  connection: string,
  { id }: ClaimOutput,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  presence.works(connection, id);
  try {
    while (!signal.aborted) {
      const { seq, held } = await store.view({}, ({ state }) => ({
        seq: state.seq,
        held: state.scopes.get(id)?.owner?.connection === connection,
      }));
      if (!held) return takenAway(id);
      await store.changed(seq, signal);
    }
    return undefined;
  } finally {
    presence.stopsWorking(connection, id);
  }
}

function takenAway(id: string): Refusal {
  const next = `\`signalbox events --scope ${id}\` says by whom; hold the units again if you still need them.`;
  return refuse('LEASE_LOST', `${id} was taken away: nothing is held any more.`, next, { scope: id });
}
