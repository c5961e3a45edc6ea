import { type Refusal, refuse } from '../domain/refusal.js';
import { StoreBroken, StoreBusy } from '../store/store.js';
import { ContentExpired } from './expired.js';

/** What a store, a disk or a fault of our own throws, as the refusal that is given for it. */
export function unavailable(error: unknown): Refusal {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof StoreBusy)
    return refuse('BUSY', 'The database is locked by another process.', 'Call again in a few seconds.', { reason });
  const next =
    error instanceof StoreBroken
      ? 'Ask the operator to put this right; nothing was granted or written.'
      : 'Call again; if it stays so, ask the operator to run `signalbox doctor`.';
  return refuse('UNAVAILABLE', `Signalbox cannot work here: ${reason.replace(/\.?$/, '.')}`, next, { reason });
}

/** Answers with that refusal where the store cannot work, or has not kept what is needed. What is no failure of the store is thrown on. */
export async function orUnavailable<T>(answer: Promise<T | Refusal>): Promise<T | Refusal> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ContentExpired) return error.refusal;
    if (error instanceof StoreBusy || error instanceof StoreBroken) return unavailable(error);
    throw error;
  }
}
