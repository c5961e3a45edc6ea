import { draft } from '../domain/draft.js';
import type { RunRow } from '../store/store.js';
import type { Parts } from './parts.js';

/** From the event of a run's start to the mark of the server that sees to it, in milliseconds of lock time, at the most. */
const AGE = 120_000;
const SERVER = { agent: 'signalbox', connection: 'recovery' };

/**
 * Puts the end of commands on record whose server was killed: their processes died with it, and what they had not yet
 * committed is gone. What they printed stays readable.
 */
export async function settleRuns(parts: Parts): Promise<void> {
  for (const row of await parts.store.openRuns()) {
    const fate = await parts.runner.fate(row.run);
    if (fate === 'served' || (fate === 'unknown' && (await isYoung(parts, row)))) continue;
    const output = (await parts.runner.output(row.run))?.total ?? 0;
    // Another server that has just started may have been faster.
    if ((await parts.store.run(row.run))?.ending !== null) continue;
    await parts.store.transact(SERVER, {}, (tx) => {
      const decision = draft(tx);
      const scope = row.scope === null ? {} : { scope: row.scope };
      decision.emit({ type: 'run.ended', run: row.run, ...scope, ending: 'stopped', exit: null, output, rejected: 0 });
      return { events: decision.events, answer: undefined };
    });
    parts.log(`${row.run} had no end on record, because its server was killed: it counts as stopped`);
  }
}

async function isYoung(parts: Parts, { started }: RunRow): Promise<boolean> {
  const [event] = await parts.store.events({ after: started - 1, limit: 1 });
  const now = await parts.store.view({}, (view) => view.now);
  return event !== undefined && now - event.at < AGE;
}
