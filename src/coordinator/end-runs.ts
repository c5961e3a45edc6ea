import { draft } from '../domain/draft.js';
import { requireOwn } from '../domain/end.js';
import { isRefusal } from '../domain/refusal.js';
import type { Caller } from './contract.js';
import { claimant, type Parts, scopeNeeds } from './parts.js';

/** Before a scope is given up, the commands that this server runs for it are dead. */
export async function endRuns(parts: Parts, caller: Caller, given: string | undefined): Promise<void> {
  const needs = { scopes: scopeNeeds(given) };
  const own = await parts.store.view(needs, (view) => requireOwn(draft(view), claimant(parts, caller), given));
  if (!isRefusal(own)) await parts.runs.endOf(own.id);
}
