import { openScope } from '../domain/open.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Caller, OpenInput, OpenOutput } from './contract.js';
import { openingOf } from './declare.js';
import { act, type Parts, scopeNeeds } from './parts.js';

/** open_scope: declares work for anybody to pick up. */
export async function open(parts: Parts, caller: Caller, input: OpenInput): Promise<OpenOutput | Refusal> {
  const opening = await openingOf(parts.workspace, input);
  return act<OpenOutput>(parts, caller, 'open_scope', { scopes: scopeNeeds(...(input.consumes ?? [])) }, (draft) => {
    if (isRefusal(opening)) return { answer: opening };
    const id = openScope(draft, caller.agent, opening);
    return { answer: isRefusal(id) ? id : { id } };
  });
}
