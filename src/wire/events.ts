import { z } from 'zod';
import { type Event, type EventBody, scopeOf } from '../domain/event.js';
import { PHASES } from '../domain/scope.js';

type EventType = EventBody['type'];

/** Every type of event, so that a filter by a type that there is not is refused and not waited for. */
const TYPES = Object.keys({
  'scope.opened': true,
  'scope.queued': true,
  'scope.granted': true,
  'scope.lapsed': true,
  'scope.expired': true,
  'scope.released': true,
  'scope.paused': true,
  'scope.resumed': true,
  'scope.stopping': true,
  'scope.cancelled': true,
  'scope.reopened': true,
  'scope.amended': true,
  'scope.noted': true,
  'scope.told': true,
  'scope.progressed': true,
  'scope.done': true,
  'scope.failed': true,
  'files.changed': true,
  'files.outside': true,
  'run.started': true,
  'run.ended': true,
  refused: true,
} satisfies { [type in EventType]: true });

const whole = (max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, { error: 'a whole number' })
    .transform(Number)
    .refine((number) => number <= max, { error: `a number of at most ${max}` });

/** A place in the ledger: the sequence number of an event, or 0 for its beginning. */
export const place = whole(Number.MAX_SAFE_INTEGER);

/** What may stand after the `?` of `/control-plane/events`. */
export const eventsQuery = z.strictObject({
  after: place
    .exactOptional()
    .describe('Only events after this one; a stream that does not say begins with what comes'),
  limit: whole(1_000)
    .refine((number) => number > 0, { error: 'a number of at least 1' })
    .exactOptional()
    .describe('The longest page; 100 where left out'),
  scope: z
    .string()
    .regex(/^S\d{3,15}$/, { error: 'the id of a scope, such as S012, without its secret' })
    .exactOptional()
    .describe('Only events about this scope'),
  agent_id: z.string().min(1).max(300).exactOptional().describe('Only events of this agent'),
  phase: z.enum(PHASES).exactOptional().describe('Only events about scopes that are in this phase'),
  type: z.enum(TYPES).exactOptional().describe('Only events of this type'),
  watch: z.enum(['true', 'false']).exactOptional().describe('true: a stream of server-sent events, not a page'),
});

/** An event as programs see it. What identifies a connection stays inside. */
export const publicEvent = z.object({
  seq: z.int().describe('Its place in the ledger: from 1, without gaps'),
  type: z.string(),
  time: z.string().describe('ISO 8601, by the clock of whoever recorded it'),
  agent: z.string().describe('Who caused it'),
  scope: z.string().exactOptional().describe('The scope that it is about'),
  trace: z.string().exactOptional().describe('W3C trace id of the call that caused it'),
  hash: z.string().describe('SHA-256 over the former hash and this event'),
  data: z.record(z.string(), z.unknown()).describe('What happened, by the type of the event'),
});
export type PublicEvent = z.infer<typeof publicEvent>;

export const eventPage = z.object({
  events: z.array(publicEvent),
  next: z.int().describe('Pass it as `after` to go on'),
  more: z.boolean().describe('Whether there is more by now'),
});

export function publicEventOf({ seq, wall, agent, trace, hash, body }: Event): PublicEvent {
  const { type, ...facts } = body;
  const scope = scopeOf(body);
  const data = 'owner' in facts ? { ...facts, owner: facts.owner.agent } : { ...facts };
  return {
    seq,
    type,
    time: new Date(wall).toISOString(),
    agent,
    ...(scope === undefined ? {} : { scope }),
    ...(trace === undefined ? {} : { trace }),
    hash,
    data,
  };
}
