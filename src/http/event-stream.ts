import type { ServerResponse } from 'node:http';
import type { EventFilter, Feed, Follower, PhaseOf } from '../coordinator/feed.js';
import { type Event, scopeOf } from '../domain/event.js';
import { publicEventOf } from '../wire/events.js';
import type { Identity } from './identity.js';

/** Bounds of all streams of a server. Times are milliseconds. */
export interface StreamBounds {
  readonly clients: number;
  /** So many of them are for operators alone: whoever has to see what goes wrong finds room. */
  readonly operators: number;
  /** Streams of one token. */
  readonly each: number;
  /** Bytes that may wait for one client to read them. Streams with one filter wait for the same bytes, kept once. */
  readonly behind: number;
  /** How long a client may read nothing while something waits for it. */
  readonly stalled: number;
  readonly heartbeat: number;
}

export const BOUNDS: StreamBounds = {
  clients: 256,
  operators: 32,
  each: 32,
  behind: 1024 * 1024,
  stalled: 30_000,
  heartbeat: 15_000,
};

const PAGE = 200;
/** Bytes that are written to a client at once while it catches up. */
const PIECE = 64 * 1024;

interface Client {
  readonly by: Identity;
  readonly filter: EventFilter;
  /** The same for all clients with the same filter. */
  readonly key: string;
  readonly outgoing: ServerResponse;
  /** All events up to this one have been sent, or are not wanted. */
  seq: number;
  /** It reads what went before, and is not told of what comes yet. */
  catching: boolean;
  /** Since when it has not taken what waits for it. */
  stalledSince?: number;
}

/**
 * Server-sent events, written straight to the response: that shows how many bytes a client has left unread, and lets
 * all clients with one filter share the bytes of a turn. Whoever is dropped comes again with the id of its last event.
 */
export class EventStreams implements Follower {
  readonly #feed: Feed;
  readonly #bounds: StreamBounds;
  readonly #clients = new Set<Client>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(feed: Feed, bounds: StreamBounds = BOUNDS) {
    this.#feed = feed;
    this.#bounds = bounds;
  }

  /** Who has no room for another stream of this token: the token itself, or the server. */
  full({ name, role }: Identity): 'token' | 'server' | undefined {
    const { clients, operators, each } = this.#bounds;
    const open = [...this.#clients].map(({ by }) => by);
    if (open.filter((by) => by.name === name).length >= each) return 'token';
    const others = open.filter((by) => by.role !== 'operator').length;
    const taken = role === 'operator' ? open.length : Math.max(open.length, others + operators);
    return this.#closed || taken >= clients ? 'server' : undefined;
  }

  /** Sends all wanted events after `seq`, until the client hangs up or is dropped. */
  async open(outgoing: ServerResponse, by: Identity, filter: EventFilter, seq: number): Promise<void> {
    const client: Client = { by, outgoing, filter, key: JSON.stringify(filter), seq, catching: true };
    this.#clients.add(client);
    outgoing.once('close', () => this.#gone(client));
    // The client has hung up while something was on its way to it: `close` follows.
    outgoing.on('error', () => undefined);
    this.#timer ??= setInterval(() => this.#beat(), this.#bounds.heartbeat).unref();
    outgoing.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    outgoing.write(`retry: 1000\n${mark(seq)}`);
    try {
      await this.#catchUp(client);
    } catch (error) {
      outgoing.destroy();
      throw error;
    }
  }

  tell(events: readonly Event[], phaseOf: PhaseOf): void {
    const last = events.at(-1)?.seq ?? 0;
    const first = events[0]?.seq ?? 0;
    const made = new Map<string, Buffer>();
    for (const client of this.#clients) {
      if (client.catching || client.seq >= last) continue;
      const wanted = (event: Event): boolean => event.seq > client.seq && matches(client.filter, event, phaseOf);
      if (client.seq >= first) this.#send(client, encoded(events.filter(wanted)));
      else {
        const bytes = made.get(client.key) ?? encoded(events.filter(wanted));
        made.set(client.key, bytes);
        this.#send(client, bytes);
      }
      client.seq = last;
    }
  }

  fail(): void {
    this.#end();
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }

  /** Reads the pages before what comes, at the speed of the client. */
  async #catchUp(client: Client): Promise<void> {
    const { outgoing, filter } = client;
    while (!outgoing.destroyed) {
      const { events, cursor, more } = await this.#feed.page(filter, client.seq, PAGE);
      for (const { text, last } of pieces(events)) {
        if (outgoing.destroyed) return;
        const took = outgoing.write(text);
        // At once: the next mark, and so the id that it comes again with, is never before what it was sent.
        client.seq = last;
        if (!took) await drained(outgoing);
      }
      client.seq = Math.max(cursor, client.seq);
      if (more || outgoing.destroyed || !this.#feed.follow(this, client.seq)) continue;
      client.catching = false;
      return;
    }
  }

  #send(client: Client, bytes: Buffer | string): void {
    const { outgoing } = client;
    if (bytes.length === 0 || outgoing.destroyed) return;
    outgoing.write(bytes);
    if (outgoing.writableLength > this.#bounds.behind) outgoing.destroy();
  }

  /** Shows each client that the stream lives, and where it is; drops those that do not read. */
  #beat(): void {
    const now = performance.now();
    for (const client of this.#clients) {
      if (!client.outgoing.writableNeedDrain) delete client.stalledSince;
      else client.stalledSince ??= now;
      if (now - (client.stalledSince ?? now) >= this.#bounds.stalled) client.outgoing.destroy();
      else this.#send(client, `: still here\n${mark(client.seq)}`);
    }
  }

  #gone(client: Client): void {
    this.#clients.delete(client);
    if (![...this.#clients].some(({ catching }) => !catching)) this.#feed.unfollow(this);
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #end(): void {
    for (const { outgoing } of [...this.#clients]) outgoing.destroy();
  }
}

function matches({ scope, agent, type, phase }: EventFilter, event: Event, phaseOf: PhaseOf): boolean {
  const about = scopeOf(event.body);
  return (
    (scope === undefined || scope === about) &&
    (agent === undefined || agent === event.agent) &&
    (type === undefined || type === event.body.type) &&
    (phase === undefined || (about !== undefined && phaseOf(about) === phase))
  );
}

function encoded(events: readonly Event[]): Buffer {
  return Buffer.from(events.map(textOf).join(''));
}

/** What is written at once, and the last event in it. */
function* pieces(events: readonly Event[]): Generator<{ readonly text: string; readonly last: number }> {
  let text = '';
  let last = 0;
  for (const event of events) {
    text += textOf(event);
    last = event.seq;
    if (text.length < PIECE) continue;
    yield { text, last };
    text = '';
  }
  if (text !== '') yield { text, last };
}

/** Resolves when the client has read what waited for it, or has gone. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      outgoing.off('drain', end).off('close', end);
      resolve();
    };
    if (outgoing.destroyed) resolve();
    else outgoing.on('drain', end).on('close', end);
  });
}

/** JSON escapes line breaks, so the data is one line. */
function textOf(event: Event): string {
  const { type } = event.body;
  return `id: ${event.seq}\nevent: ${type}\ndata: ${JSON.stringify(publicEventOf(event))}\n\n`;
}

/** Tells a client with which id to come again, without an event: what it does not want need not be gone through twice. */
function mark(seq: number): string {
  return `id: ${seq}\n\n`;
}
