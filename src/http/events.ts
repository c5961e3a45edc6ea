import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import type { EventFilter, Feed } from '../coordinator/feed.js';
import { orUnavailable } from '../coordinator/unavailable.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { eventsQuery, place, publicEventOf } from '../wire/events.js';
import { fault } from '../wire/parse.js';
import type { Env } from './env.js';
import type { EventStreams } from './event-stream.js';
import { no, notAllowed, refused } from './no.js';

const PAGE = 100;

type Query = ReturnType<typeof eventsQuery.parse>;

type Call = Context<Env>;

/** `GET /control-plane/events`: a page of the ledger, or a stream of what comes. `onerror` hears why a stream broke. */
export function eventRoutes(feed: Feed, streams: EventStreams, onerror: (error: unknown) => void) {
  const routes = new Hono<Env>().get('/', async (c) => {
    const query = parsed(c);
    if (isRefusal(query)) return refused(c, query);
    const { scope, agent_id: agent, phase, type } = query;
    const filter: EventFilter = {
      ...(scope === undefined ? {} : { scope }),
      ...(agent === undefined ? {} : { agent }),
      ...(phase === undefined ? {} : { phase }),
      ...(type === undefined ? {} : { type }),
    };
    const start = startOf(c, query, await orUnavailable(feed.head()));
    if (isRefusal(start)) return refused(c, start);
    if (!wantsStream(c, query)) return paged(c, feed, filter, start, query.limit);
    const by = c.get('identity');
    const full = streams.full(by);
    if (full !== undefined) return noRoom(c, full);
    streams.open(c.env.outgoing, by, filter, start).catch(onerror);
    return RESPONSE_ALREADY_SENT;
  });
  return routes.all('/', (c) => notAllowed(c, ['GET']));
}

/** Where to begin; a ledger that is younger than what somebody has seen of it is another one. */
function startOf(c: Call, query: Query, head: number | Refusal): number | Refusal {
  if (isRefusal(head)) return head;
  const stream = wantsStream(c, query);
  const header = stream ? c.req.header('last-event-id') : undefined;
  const last = header === undefined ? undefined : place.safeParse(header);
  if (last?.success === false) return invalid('Last-Event-ID', 'the id of an event of this stream');
  const start = last?.data ?? query.after ?? (stream ? head : 0);
  if (start <= head) return start;
  return invalid(last === undefined ? 'after' : 'Last-Event-ID', `an event up to ${head}, the last one`);
}

/** What `watch` says; else what the client accepts. */
function wantsStream(c: Call, { watch }: Query): boolean {
  if (c.req.method === 'HEAD') return false;
  return watch === undefined ? /\btext\/event-stream\b/i.test(c.req.header('accept') ?? '') : watch === 'true';
}

function noRoom(c: Call, full: 'token' | 'server'): Response {
  const after = { 'Retry-After': '5' };
  if (full === 'token') return no(c, 429, 'This token has as many streams of events as it may', after);
  return no(c, 503, 'There are too many streams of events', after);
}

async function paged(c: Call, feed: Feed, filter: EventFilter, after: number, limit = PAGE): Promise<Response> {
  const page = await orUnavailable(feed.page(filter, after, limit));
  if (isRefusal(page)) return refused(c, page);
  return Response.json({ events: page.events.map(publicEventOf), next: page.cursor, more: page.more });
}

function parsed(c: Call): Query | Refusal {
  const given = c.req.queries();
  const twice = Object.keys(given).find((name) => (given[name]?.length ?? 0) > 1);
  if (twice !== undefined) return invalid(twice, 'one value');
  const query = Object.fromEntries(Object.entries(given).map(([name, [value]]) => [name, value]));
  const result = eventsQuery.safeParse(query);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys') return unknown(issue.keys[0] ?? '');
  if (issue === undefined) throw new Error('the schema refused without an issue');
  const { place: field, expected } = fault(issue, query);
  return invalid(field, expected);
}

function unknown(name: string): Refusal {
  const names = Object.keys(eventsQuery.shape).join(', ');
  return invalid(name.slice(0, 60), `one of the parameters ${names}`);
}

/** What came is not repeated: it may be a handle. */
function invalid(field: string, expected: string): Refusal {
  const sentence = `${field} does not fit: expected ${expected}.`;
  return refuse('INVALID', sentence, `Send ${field} as ${expected}.`, { argument: field, expected });
}
