import { draft } from '../domain/draft.js';
import { nextScope, nothingToDo, type Pickup } from '../domain/pickup.js';
import type { Caller } from './contract.js';
import { claimant, type Parts } from './parts.js';

/** Waits until open work can be taken up, or there is none left to wait for. → false where the caller's patience is over. */
export async function comes(
  parts: Parts,
  who: Caller,
  next: Pickup | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  while (next !== undefined && !signal.aborted) {
    const { seq, news } = await parts.store.view({}, (view) => ({
      seq: view.state.seq,
      news:
        nextScope(draft(view), claimant(parts, who), next) !== undefined || nothingToDo(view, next).code !== 'WAITING',
    }));
    if (news) return true;
    who.progress?.('waiting for open work that can be taken up');
    await parts.store.changed(seq, signal);
  }
  return false;
}
