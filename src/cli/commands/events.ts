import type { Parts } from '../../coordinator/parts.js';
import { unknownScope } from '../../domain/authority.js';
import { type Event, scopeOf } from '../../domain/event.js';
import { type Refusal, refuse } from '../../domain/refusal.js';
import type { Phase } from '../../domain/scope.js';
import { eventsQuery } from '../../wire/events.js';
import { untilInterrupted } from '../interrupt.js';
import { knownScope } from '../known-scope.js';
import { fail, paint, print, printJson, safe } from '../output.js';

const PAGE = 500;

export interface EventFilter {
  readonly scope?: string;
  readonly agent?: string;
  readonly type?: string;
  /** The phase in which the scope is now that an event is about. */
  readonly phase?: Phase;
}

/** `events`: the ledger, from an event on, and then what comes. */
export async function events(
  parts: Parts,
  filter: EventFilter,
  options: { readonly json: boolean; readonly follow: boolean; readonly after: number },
): Promise<void> {
  const { type } = filter;
  if (type !== undefined && !eventsQuery.shape.type.safeParse(type).success) return fail(noType(type));
  const id = filter.scope === undefined ? undefined : await knownScope(parts, filter.scope);
  if (filter.scope !== undefined && id === undefined) return fail(unknownScope(filter.scope));
  const wanted = { ...filter, ...(id === undefined ? {} : { scope: id }) };
  let after = await showFrom(parts, wanted, options, options.after);
  if (!options.follow) return;
  await untilInterrupted(async (signal) => {
    while (!signal.aborted) {
      const seq = await parts.store.view({}, ({ state }) => state.seq);
      after = Math.max(await showFrom(parts, wanted, options, after), seq);
      await parts.store.changed(after, signal);
    }
  });
}

/** Nobody should wait for what never comes. */
function noType(given: string): Refusal {
  const sentence = `There is no type of event ${JSON.stringify(given.slice(0, 40))}.`;
  return refuse('INVALID', sentence, '`signalbox events` shows the types in its third column.', { argument: 'type' });
}

async function showFrom(
  parts: Parts,
  filter: EventFilter,
  { json }: { readonly json: boolean },
  from: number,
): Promise<number> {
  for (let after = from; ; ) {
    const page = await parts.store.events({ after, limit: PAGE, ...filter });
    for (const event of page) json ? printJson(event) : print(line(event));
    const last = page.at(-1);
    if (last === undefined) return after;
    after = last.seq;
    if (page.length < PAGE) return after;
  }
}

function line(event: Event): string {
  const { type, ...facts } = event.body;
  const scope = scopeOf(event.body) ?? '';
  const time = new Date(event.wall).toISOString().slice(11, 19);
  const detail = safe(JSON.stringify({ ...facts, scope: undefined })).slice(0, 160);
  return `${String(event.seq).padStart(6)} ${paint('dim', time)} ${paint('cyan', type.padEnd(16))} ${scope.padEnd(5)} ${safe(event.agent).padEnd(12)} ${paint('dim', detail)}`;
}
