import type { Event, EventBody } from '../../domain/event.js';
import type { ChangeRow } from '../../domain/intent.js';
import type { Store } from '../../store/store.js';

const PAGE = 500;

/** One recorded change of one file, with the agent that made it and the contents on both sides. */
export interface Change {
  readonly seq: number;
  readonly path: string;
  readonly agent: string;
  /** Null for an edit from outside. */
  readonly scope: string | null;
  readonly before: Side;
  readonly after: Side;
}

/** Null: no file. */
export type Side = { readonly hash: string; readonly bytes: Uint8Array } | null;

/** All that the ledger knows. */
export interface History {
  readonly events: readonly Event[];
  readonly changes: readonly Change[];
}

/** An event of one type. */
export type EventOf<T extends EventBody['type']> = Event & { readonly body: Extract<EventBody, { type: T }> };

export async function readHistory(store: Store): Promise<History> {
  const events = await all((after) => store.events({ after, limit: PAGE }));
  const agents = new Map(events.map((event) => [event.seq, event.agent]));
  const changes: Change[] = [];
  // A page may end within the rows of one event: the demo has fewer than fit into one.
  for (const row of await store.changes({ after: 0, limit: 10_000 })) {
    changes.push({ ...(await withContents(store, row)), agent: agents.get(row.seq) ?? 'nobody' });
  }
  return { events, changes };
}

export async function all(page: (after: number) => Promise<Event[]>): Promise<Event[]> {
  const events: Event[] = [];
  for (;;) {
    const next = await page(events.at(-1)?.seq ?? 0);
    if (next.length === 0) return events;
    events.push(...next);
  }
}

async function withContents(
  store: Store,
  { seq, path, scope, before, after }: ChangeRow,
): Promise<Omit<Change, 'agent'>> {
  return { seq, path, scope, before: await side(store, before), after: await side(store, after) };
}

async function side(store: Store, hash: string | null): Promise<Side> {
  if (hash === null) return null;
  const bytes = await store.content(hash);
  if (bytes === undefined) throw new Error(`the content ${hash} is not kept`);
  return { hash, bytes };
}

/** Units that a write claimed in its own step: granted, and then changed, in one transaction, which has one time. */
export function claimedByWriting(event: Event, next: Event | undefined): readonly string[] {
  if (!isOf(event, 'scope.granted') || next === undefined || !isOf(next, 'files.changed')) return [];
  const oneStep = next.wall === event.wall && next.at === event.at && next.body.scope === event.body.scope;
  return oneStep ? event.body.units : [];
}

export function isOf<T extends EventBody['type']>(event: Event, type: T): event is EventOf<T> {
  return event.body.type === type;
}

export function ofType<T extends EventBody['type']>({ events }: Pick<History, 'events'>, type: T): EventOf<T>[] {
  return events.filter((event) => isOf(event, type));
}
