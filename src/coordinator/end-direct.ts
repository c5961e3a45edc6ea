import { draft } from '../domain/draft.js';
import { requireOwn } from '../domain/end.js';
import { isRefusal } from '../domain/refusal.js';
import type { Caller } from './contract.js';
import { claimant, type Parts, scopeNeeds } from './parts.js';

/** A command that writes directly must be dead before others get what it writes to. */
export async function endDirect(parts: Parts, caller: Caller, given: string | undefined): Promise<void> {
  const needs = { scopes: scopeNeeds(given) };
  const own = await parts.store.view(needs, (view) => requireOwn(draft(view), claimant(parts, caller), given));
  if (!isRefusal(own)) await parts.runs.endDirect(own.id);
}
