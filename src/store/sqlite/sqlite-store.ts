import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Event, EventBody } from '../../domain/event.js';
import type { ChangeRow, Content, IntentFile, IntentId, Publication, StoredPublication } from '../../domain/intent.js';
import { isRefusal } from '../../domain/refusal.js';
import type { Hash, Scope } from '../../domain/scope.js';
import type { View } from '../../domain/view.js';
import type {
  ArtifactQuery,
  ArtifactRow,
  Author,
  ChangeQuery,
  Decision,
  EventQuery,
  Expired,
  Keep,
  LifeChange,
  Needs,
  Outcome,
  RunQuery,
  RunRow,
  ScopeQuery,
  Store,
  Transaction,
} from '../store.js';
import { StoreBroken } from '../store.js';
import { Bells, processName } from './bell.js';
import { type Clock, machineClock } from './clock.js';
import { areFew } from './contents.js';
import type { Driver, Statement } from './driver.js';
import type { Appended, Moment } from './ledger.js';
import { News } from './news.js';
import { PATIENCE, type SqliteOptions } from './options.js';
import { RECOVERY } from './recovery.js';
import { Retention } from './retention.js';
import { openRooms, type Rooms } from './rooms.js';
import { rollBack } from './schema.js';
import { Settled } from './settled.js';
import { verify } from './verify.js';
import { WriteLock, whenFree } from './write-lock.js';

/** The ledger of one workspace in SQLite, shared with other processes through the file. */
export class SqliteStore implements Store {
  readonly #driver: Driver;
  readonly #folder: string;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #clock: Clock;
  readonly #wall: () => number;
  readonly #rooms: Rooms;
  readonly #lock: WriteLock;
  readonly #bells: Bells;
  readonly #news: News;
  readonly #patience: number;
  readonly #refresh: () => Promise<void> | undefined;
  readonly #settled: Settled;
  #closed = false;

  /** `openSqliteStore` makes it, with a driver whose tables are up to date. */
  constructor(driver: Driver, options: SqliteOptions) {
    const { folder } = options;
    this.#driver = driver;
    this.#folder = folder;
    this.#begin = driver.prepare('BEGIN IMMEDIATE');
    this.#commit = driver.prepare('COMMIT');
    this.#clock = options.clock ?? machineClock();
    this.#wall = options.wall ?? Date.now;
    this.#rooms = openRooms(driver, this.#clock, this.#wall, options);
    this.#settled = new Settled(this.#rooms.intents, () => this.#write(() => undefined));
    this.#patience = options.patience ?? PATIENCE;
    this.#refresh = options.refresh ?? (() => undefined);
    this.#lock = new WriteLock(driver, this.#patience, () => this.#enter());
    this.#bells = new Bells(join(folder, 'bells'), options.serverId ?? `${processName()}.${randomUUID().slice(0, 8)}`);
    this.#news = new News(driver, this.#bells, () => this.#rooms.guard.check());
  }

  async transact<T>(author: Author, needs: Needs, step: (tx: Transaction) => Decision<T>): Promise<Outcome<T>> {
    const news = this.#refresh();
    if (news !== undefined) await news;
    if (!areFew(needs.contents ?? [])) await this.keep(needs.contents ?? []);
    return this.#lock.hold(() => this.#decide(author, needs, step));
  }

  async view<T>(needs: Needs, look: (view: View) => T): Promise<T> {
    return this.#read(() => look(this.#rooms.looks.at(this.#rooms.ledger.moment(), needs)));
  }

  async prepare(publication: Publication): Promise<IntentId> {
    return this.#write(() => this.#rooms.intents.publication(publication, this.#clock.boot, this.#rooms.ledger.now()));
  }

  async settle(id: IntentId): Promise<void> {
    this.#assertOpen();
    this.#settled.add(id);
  }

  async keep(contents: readonly Content[]): Promise<void> {
    this.#rooms.guard.check();
    await this.#rooms.contents.spill(contents);
    await this.#write(() => this.#rooms.contents.insert(contents));
  }

  async content(hash: Hash): Promise<Uint8Array | undefined> {
    return this.#read(() => this.#rooms.contents.find(hash));
  }

  async expire(keep: Keep): Promise<Expired> {
    const retention = new Retention({
      driver: this.#driver,
      folder: this.#folder,
      wall: this.#wall,
      read: (work) => this.#read(work),
      write: (work) => this.#write(work),
      isOpen: () => !this.#closed,
    });
    return retention.expire(keep);
  }

  async events(query: EventQuery): Promise<Event[]> {
    return this.#read(() => this.#rooms.queries.events(query));
  }

  async changes(query: ChangeQuery): Promise<ChangeRow[]> {
    return this.#read(() => this.#rooms.queries.changes(query));
  }

  async scopes(query: ScopeQuery): Promise<Scope[]> {
    return this.#read(() => this.#rooms.queries.scopes(query, this.#rooms.ledger.moment().state));
  }

  async artifacts(query: ArtifactQuery): Promise<ArtifactRow[]> {
    return this.#read(() => this.#rooms.queries.artifacts(query));
  }

  async run(id: string): Promise<RunRow | undefined> {
    return this.#read(() => this.#rooms.queries.run(id));
  }

  async runs(query: RunQuery): Promise<RunRow[]> {
    return this.#read(() => this.#rooms.queries.runs(query));
  }

  async unfinished(age: number): Promise<StoredPublication[]> {
    return this.#read(() => this.#rooms.settling.unfinished(this.#rooms.ledger.now() - age));
  }

  async changed(seq: number, signal: AbortSignal): Promise<void> {
    this.#assertOpen();
    return this.#news.after(seq, signal);
  }

  applying(): readonly string[] {
    this.#assertOpen();
    return this.#rooms.settling.underWay();
  }

  /** Folds all events anew and compares tables, state and chain: one line for each difference. Blocks while it runs. */
  async verify(): Promise<string[]> {
    return this.#read(() => verify(this.#driver));
  }

  /** Settles what earlier boots and dead servers have left behind. `openSqliteStore` does it. */
  async recover(): Promise<void> {
    if (!(await this.#read(() => this.#rooms.settling.hasLeft(this.#rooms.ledger.now())))) return;
    await this.#lock.hold(() => {
      const moment = this.#rooms.ledger.moment();
      const bodies = this.#rooms.settling.left(moment.time.lock, (path) => this.#rooms.looks.file(path)?.hash);
      this.#record(moment, bodies, RECOVERY);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#settled.flush();
    this.#closed = true;
    this.#news.close();
    await this.#lock.idle();
    this.#rooms.settling.close();
    this.#driver.close();
  }

  #decide<T>(author: Author, needs: Needs, step: (tx: Transaction) => Decision<T>): Outcome<T> {
    let marked = false;
    try {
      const moment = this.#rooms.ledger.moment();
      const mark = (files: readonly IntentFile[]): IntentId => {
        if (marked) throw new Error('a step changes files once');
        marked = true;
        return this.#rooms.settling.begin(moment, files, needs.contents ?? []);
      };
      const { answer, events, life = [] } = step({ ...this.#rooms.looks.at(moment, needs), mark });
      if (marked && (events.length === 0 || isRefusal(answer))) {
        throw new Error('a step marked files, but records no change');
      }
      if (events.length === 0 && life.length === 0) {
        rollBack(this.#driver);
        return { answer, events: [] };
      }
      const recorded = this.#record(moment, events, author, life);
      if (marked) this.#rooms.settling.committed();
      return { answer, events: recorded };
    } catch (error) {
      rollBack(this.#driver);
      if (marked) this.#undoNow();
      throw error;
    }
  }

  /** Writes events and what goes with them, and commits. The state goes on only after the COMMIT. */
  #record(
    moment: Moment,
    bodies: readonly EventBody[],
    author: Author,
    life: readonly LifeChange[] = [],
  ): readonly Event[] {
    const appended = this.#rooms.ledger.append(moment, bodies, author, this.#wall());
    this.#rooms.life.write(life, moment.time.lock);
    this.#commitEvents(appended);
    this.#rooms.ledger.adopt(appended);
    const { events, state } = appended;
    if (events.length > 0) this.#news.committed(state.seq);
    if (events.some(({ body }) => body.type.startsWith('scope.'))) this.#bells.ring();
    return events;
  }

  /** A COMMIT that failed may have come about all the same: the ledger itself says so. */
  #commitEvents({ events, state, hash }: Appended): void {
    try {
      this.#commitNow();
    } catch (error) {
      rollBack(this.#driver);
      if (events.length === 0 || this.#rooms.ledger.linkAt(state.seq) !== hash) throw error;
    }
  }

  /** Begins a write transaction on a database that is still ours and has no effect cut off half-way. */
  #enter(): void {
    this.#assertOpen();
    this.#begin.run();
    try {
      this.#rooms.guard.check();
      const found = this.#rooms.settling.interrupted();
      this.#settled.drop();
      if (found === undefined) return;
      if (found.length > 0) this.#record(this.#rooms.ledger.moment(), found, RECOVERY);
      else rollBack(this.#driver);
    } catch (error) {
      rollBack(this.#driver);
      throw error;
    }
    this.#enter();
  }

  /** The files go back at once. Where that fails, whoever gets the lock next does it before anything else. */
  #undoNow(): void {
    try {
      this.#enter();
      rollBack(this.#driver);
    } catch {
      // The journal still names it, and what is thrown is why the transaction failed.
    }
  }

  #commitNow(): void {
    this.#commit.run();
    this.#settled.committed();
  }

  #write<T>(work: () => T): Promise<T> {
    return this.#lock.hold(() => {
      const value = work();
      this.#commitNow();
      return value;
    });
  }

  #read<T>(work: () => T): Promise<T> {
    return whenFree(() => {
      this.#assertOpen();
      this.#rooms.guard.check();
      this.#driver.begin();
      try {
        return work();
      } finally {
        rollBack(this.#driver);
      }
    }, performance.now() + this.#patience);
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreBroken('the store is closed');
  }
}
