import { join } from 'node:path';
import { draft } from '../../src/domain/draft.js';
import { DEFAULTS } from '../../src/domain/settings.js';
import { sweep } from '../../src/domain/sweep.js';
import { openSqliteStore } from '../../src/store/sqlite/open.js';

/** A server finds that nobody has asked after any ticket for too long, as it does when their time is over. */
export async function lapseTickets(root: string): Promise<void> {
  const recovery = { undo: () => [], redo: () => [] };
  const settings = { ...DEFAULTS, ticket: -1 };
  const store = await openSqliteStore({ folder: join(root, '.signalbox'), settings, recovery });
  await store.transact({ agent: 'signalbox', connection: 'server' }, {}, (tx) => {
    const decision = draft(tx);
    sweep(decision);
    return { answer: true, events: decision.events };
  });
  await store.close();
}
