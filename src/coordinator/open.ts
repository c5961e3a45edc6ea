import { openScope } from '../domain/open.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Caller, OpenInput, OpenOutput } from './contract.js';
import { act, type Parts, scopeNeeds } from './parts.js';
import { parseProduces, parseUnits } from './units.js';

/** open_scope: declares work for anybody to pick up. */
export async function open(parts: Parts, caller: Caller, input: OpenInput): Promise<OpenOutput | Refusal> {
  const units = await parseUnits(parts.workspace, input.units ?? []);
  const produces = await parseProduces(parts.workspace, input.produces ?? []);
  return act<OpenOutput>(parts, caller, 'open_scope', { scopes: scopeNeeds(...(input.consumes ?? [])) }, (draft) => {
    if (isRefusal(units)) return { answer: units };
    if (isRefusal(produces)) return { answer: produces };
    const id = openScope(draft, caller.agent, {
      title: input.title.trim(),
      ...(input.note === undefined ? {} : { note: input.note }),
      phase: input.phase ?? 'build',
      units,
      consumes: input.consumes ?? [],
      produces,
      priority: 0,
      standing: true,
    });
    return { answer: isRefusal(id) ? id : { id } };
  });
}
