import type { Parts } from './parts.js';

const SERVER = { agent: 'signalbox', connection: 'server' };

/**
 * Waits until no patch is being applied. Where the process that applied it was killed, it is undone here: whoever gets
 * the write lock does that first. Throws `StoreBusy` where the process lives and does not come to an end.
 */
export async function settled(parts: Pick<Parts, 'store'>): Promise<void> {
  if (parts.store.applying().length === 0) return;
  await parts.store.transact(SERVER, {}, () => ({ events: [], answer: undefined }));
}
