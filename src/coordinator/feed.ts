import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { type Event, scopeOf } from '../domain/event.js';
import type { Phase, ScopeId } from '../domain/scope.js';
import { type EventQuery, type Store, StoreBusy } from '../store/store.js';

/** Which events somebody wants; all where nothing is named. */
export type EventFilter = Pick<EventQuery, 'scope' | 'agent' | 'type' | 'phase'>;

export interface EventPage {
  readonly events: readonly Event[];
  /** The page speaks of all events up to this one: the next begins after it. */
  readonly cursor: number;
  readonly more: boolean;
}

/** Who is told of new events. The methods are called in order, and must not block. */
export interface Follower {
  /** All new events, whether wanted or not. */
  tell(events: readonly Event[], phaseOf: PhaseOf): void;
  /** The ledger can no longer be read: nothing more comes. */
  fail(error: unknown): void;
}

export type PhaseOf = (scope: ScopeId) => Phase | undefined;

/** Events that one look goes through without an index: some milliseconds. */
const WINDOW = 20_000;
/** Windows of one page; then its reader gets what there is, and goes on from the cursor. */
const WINDOWS = 50;
const PAGE = 500;
/**
 * Milliseconds between two looks at the ledger while somebody follows. New events wait so long at the most, also where
 * another process wrote them and rang no bell, and are told together, which costs far less than one by one.
 */
const PACE = 50;

/** Reads the ledger for all who follow it in this process: one reader, short pages, and none while nobody follows. */
export class Feed {
  readonly #store: Store;
  readonly #followers = new Set<Follower>();
  #seq = 0;
  #reading: AbortController | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The last event of the ledger. */
  head(): Promise<number> {
    return this.#store.view({}, ({ state }) => state.seq);
  }

  /** A page of wanted events after a place in the ledger. */
  async page(filter: EventFilter, after: number, limit: number): Promise<EventPage> {
    const head = await this.head();
    // Where an index leads to the events, or all are wanted, nothing has to be looked through.
    const straight = filter.scope !== undefined || Object.keys(filter).length === 0;
    const events: Event[] = [];
    let cursor = after;
    for (let window = 0; cursor < head && window < WINDOWS; window++) {
      if (window > 0) await setImmediate();
      const until = straight ? head : Math.min(head, cursor + WINDOW);
      events.push(...(await this.#store.events({ ...filter, after: cursor, until, limit: limit - events.length })));
      cursor = events.length < limit ? until : (events.at(-1)?.seq ?? until);
      if (events.length === limit) break;
    }
    return { events, cursor, more: cursor < head };
  }

  /** Tells of all events after `seq` from now on; false where the reader is past it, so that pages have to be read first. */
  follow(follower: Follower, seq: number): boolean {
    if (this.#reading === undefined) this.#seq = seq;
    if (this.#seq > seq) return false;
    this.#followers.add(follower);
    if (this.#reading === undefined) void this.#read();
    return true;
  }

  unfollow(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size === 0) this.#reading?.abort();
  }

  async #read(): Promise<void> {
    const reading = new AbortController();
    this.#reading = reading;
    try {
      while (!reading.signal.aborted) await this.#turn(reading.signal);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#reading = undefined;
      // Somebody may have come while the last look was under way.
      if (this.#followers.size > 0) void this.#read();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const page = await this.#page();
    if (signal.aborted) return;
    const last = page.at(-1);
    if (last === undefined) return this.#news(signal);
    const phaseOf = await this.#phases(page);
    this.#seq = last.seq;
    for (const follower of [...this.#followers]) follower.tell(page, phaseOf);
    // A full page has another behind it, for which the connections get a turn first.
    if (page.length === PAGE) await setImmediate();
    else await sleep(PACE, undefined, { signal, ref: false }).catch(() => undefined);
  }

  async #page(): Promise<readonly Event[]> {
    try {
      return await this.#store.events({ after: this.#seq, limit: PAGE });
    } catch (error) {
      if (error instanceof StoreBusy) return [];
      throw error;
    }
  }

  async #phases(page: readonly Event[]): Promise<PhaseOf> {
    const scopes = [...new Set(page.flatMap(({ body }) => scopeOf(body) ?? []))];
    const phases = await this.#store.view(
      { scopes },
      ({ scope }) => new Map(scopes.map((id) => [id, scope(id)?.contract.phase])),
    );
    return (id) => phases.get(id);
  }

  /** Until this process has committed, or a while has passed. */
  async #news(signal: AbortSignal): Promise<void> {
    const wait = new AbortController();
    const wake = (): void => wait.abort();
    const timer = setTimeout(wake, PACE).unref();
    signal.addEventListener('abort', wake);
    try {
      await this.#store.changed(this.#seq, wait.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
    }
  }

  #fail(error: unknown): void {
    for (const follower of [...this.#followers]) {
      this.#followers.delete(follower);
      follower.fail(error);
    }
  }
}
