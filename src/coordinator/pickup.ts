import { draft } from '../domain/draft.js';
import { hasNoNews, isWorkOpen, nextScope, type Pickup } from '../domain/pickup.js';
import type { State } from '../domain/state.js';
import type { View } from '../domain/view.js';
import type { Caller } from './contract.js';
import { TELL } from './granting.js';
import { claimant, type Parts } from './parts.js';

/**
 * Looks for open work that found none, for as long as nothing changes that could make a difference: whoever waits is woken
 * by every commit, and there may be many who wait for the same.
 */
export class VainLooks {
  #at: State | undefined;
  readonly #wishes = new Set<string>();

  /** Whether somebody who may take up the same has looked already. */
  has(state: State, who: Caller, next: Pickup): boolean {
    return this.#at !== undefined && hasNoNews(this.#at, state) && this.#wishes.has(wish(who, next));
  }

  add(state: State, who: Caller, next: Pickup): void {
    if (this.#at === undefined || !hasNoNews(this.#at, state)) this.#wishes.clear();
    this.#at = state;
    this.#wishes.add(wish(who, next));
  }
}

function wish({ limits = {} }: Caller, { phase, mode }: Pickup): string {
  return JSON.stringify([phase, mode, limits]);
}

/** Waits until open work can be taken up, or there is none left to wait for. → false where the caller's patience is over. */
export async function comes(
  parts: Parts,
  who: Caller,
  next: Pickup | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  let told = Number.NEGATIVE_INFINITY;
  while (next !== undefined && !signal.aborted) {
    const { seq, now, news } = await parts.store.view({}, (view) => ({
      seq: view.state.seq,
      now: view.now,
      news: !isInVain(parts, who, view, next),
    }));
    if (news) return true;
    if (now - told >= TELL) {
      who.progress?.('waiting for open work that can be taken up');
      told = now;
    }
    await parts.store.changed(seq, signal);
  }
  return false;
}

/** Whether nothing of the open work can be taken up now. */
function isInVain(parts: Parts, who: Caller, view: View, next: Pickup): boolean {
  const { state } = view;
  if (isKnownVain(parts, who, state, next)) return true;
  if (!isWorkOpen(state, next) || nextScope(draft(view), claimant(parts, who), next) !== undefined) return false;
  parts.vain.add(state, who, next);
  return true;
}

/** The same, without a look where there was one. */
export function isKnownVain({ vain }: Parts, who: Caller, state: State, next: Pickup): boolean {
  return vain.has(state, who, next) && isWorkOpen(state, next);
}
