import { draft } from '../domain/draft.js';
import { nextScope, nothingToDo, type Pickup } from '../domain/pickup.js';
import type { Caller } from './contract.js';
import { claimant, type Parts } from './parts.js';

/** Waits for open work that the caller can take up. → false where none will come soon, or its patience is over. */
export async function comes(parts: Parts, who: Caller, next: Pickup, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const { seq, found, waits } = await parts.store.view({}, (view) => ({
      seq: view.state.seq,
      found: nextScope(draft(view), claimant(parts, who), next) !== undefined,
      waits: nothingToDo(view, next).code === 'WAITING',
    }));
    if (found) return true;
    if (!waits || signal.aborted) return false;
    who.progress?.('waiting for open work that can be taken up');
    await parts.store.changed(seq, signal);
  }
}
