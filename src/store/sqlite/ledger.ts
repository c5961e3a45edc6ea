import type { Event, EventBody } from '../../domain/event.js';
import { evolve } from '../../domain/evolve.js';
import type { Hash } from '../../domain/scope.js';
import type { Settings } from '../../domain/settings.js';
import type { State } from '../../domain/state.js';
import { type Author, StoreBroken } from '../store.js';
import { canonical, link, wellFormed } from './chain.js';
import { advance, type Clock, type LockTime, longestStep } from './clock.js';
import type { Driver, Statement } from './driver.js';
import type { Head, Loader } from './load.js';
import { Projector } from './project.js';
import { eventOfRow } from './queries.js';
import { text } from './rows.js';

/** Further behind than this, the tables are read anew instead of the events. */
const LONG_BEHIND = 2_000;

/** The state, and the link of the last event that is folded into it. */
export interface Folded {
  readonly state: State;
  readonly hash: string;
}

/** What a transaction starts from. */
export interface Moment extends Folded {
  readonly time: LockTime;
  /** The lease that all servers go by, in milliseconds. */
  readonly lease: number;
}

export interface Appended extends Folded {
  readonly events: readonly Event[];
}

/**
 * The events and the state folded from them. Everything here runs inside a transaction that the caller began;
 * what `append` returns becomes the state with `adopt`, after COMMIT and not before.
 */
export class Ledger {
  readonly #loader: Loader;
  readonly #projector: Projector;
  readonly #clock: Clock;
  readonly #settings: Pick<Settings, 'lease'>;
  readonly #since: Statement;
  readonly #insert: Statement;
  readonly #head: Statement;
  readonly #linkAt: Statement;
  #folded: Folded | undefined;

  constructor(driver: Driver, loader: Loader, clock: Clock, settings: Pick<Settings, 'lease'>) {
    this.#loader = loader;
    this.#projector = new Projector(driver);
    this.#clock = clock;
    this.#settings = settings;
    this.#linkAt = driver.prepare('SELECT hash FROM events WHERE seq = ?');
    this.#since = driver.prepare('SELECT * FROM events WHERE seq > ? ORDER BY seq');
    this.#insert = driver.prepare(
      'INSERT INTO events (seq, at, wall, type, scope, agent, connection, trace, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#head = driver.prepare(
      'UPDATE ledger SET seq = ?, hash = ?, generation = ?, scopes = ?, runs = ?, artifacts = ?, lock_ms = ?, mono_ms = ?, boot = ?, lease = ?',
    );
  }

  /** The state at this transaction's sight of the ledger, and lock time now. Nothing is written. */
  moment(): Moment {
    const head = this.#loader.head();
    const known = this.#folded;
    this.#folded =
      known === undefined || head.seq - known.state.seq > LONG_BEHIND || known.state.seq < head.cut
        ? { state: this.#loader.state(), hash: head.hash }
        : this.#foldSince(known, head);
    const lease = this.#leaseIn(this.#folded.state, head);
    return { ...this.#folded, lease, time: advance(head.time, this.#clock, longestStep(lease)) };
  }

  /** Lock time now. */
  now(): number {
    const { time, lease } = this.#loader.head();
    return advance(time, this.#clock, longestStep(lease || this.#settings.lease)).lock;
  }

  /**
   * Servers that were started with different leases would judge differently who is gone, and beat too seldom for each other.
   * So the one on record stays in force as long as anybody owns anything.
   */
  #leaseIn({ owned }: State, { lease }: Head): number {
    return owned.isEmpty() ? this.#settings.lease : lease || this.#settings.lease;
  }

  /** The last link of the chain now, in a transaction or without. */
  end(): Hash {
    return this.#loader.head().hash;
  }

  /** The link of an event, if there is one of that number. */
  linkAt(seq: number): Hash | undefined {
    const row = this.#linkAt.get(seq);
    return row && text(row, 'hash');
  }

  #foldSince(known: Folded, head: Head): Folded {
    if (head.seq === known.state.seq && head.hash === known.hash) return known;
    const events = this.#since.all(known.state.seq).map(eventOfRow);
    const folded = { state: events.reduce(evolve, known.state), hash: events.at(-1)?.hash ?? known.hash };
    if (folded.state.seq !== head.seq || folded.hash !== head.hash) {
      throw new StoreBroken(
        `the ledger ends at ${head.seq}, but this server had seen it differ at ${known.state.seq}: was it restored? Restart`,
      );
    }
    return folded;
  }

  /** Writes the events, the tables that follow from them, and lock time. */
  append(onto: Moment, bodies: readonly EventBody[], author: Author, wall: number): Appended {
    const agent = wellFormed(author.agent);
    const connection = wellFormed(author.connection);
    const traced = author.trace === undefined ? {} : { trace: wellFormed(author.trace) };
    let { state, hash } = onto;
    const events: Event[] = [];
    this.#projector.begin();
    for (const given of bodies) {
      const source = canonical(given);
      const maker = { seq: state.seq + 1, at: onto.time.lock, wall, agent, connection };
      // What is folded now is exactly what a replay will read.
      const event: Event = { ...maker, ...traced, body: JSON.parse(source), hash: link(hash, maker, source) };
      const next = evolve(state, event);
      this.#write(event, source);
      this.#projector.write(event, state, next);
      ({ state, hash } = { state: next, hash: event.hash });
      events.push(event);
    }
    this.#projector.flush();
    this.#writeHead({ state, hash, time: onto.time, lease: onto.lease });
    return { state, hash, events };
  }

  adopt({ state, hash }: Folded): void {
    this.#folded = { state, hash };
  }

  #write({ seq, at, wall, agent, connection, body, trace, hash }: Event, source: string): void {
    const scope = 'scope' in body ? (body.scope ?? null) : null;
    this.#insert.run(seq, at, wall, body.type, scope, agent, connection, trace ?? null, source, hash);
  }

  #writeHead({ state, hash, time, lease }: Moment): void {
    const { seq, generation, scopeCount, runCount, artifactCount } = state;
    this.#head.run(seq, hash, generation, scopeCount, runCount, artifactCount, time.lock, time.mono, time.boot, lease);
  }
}
