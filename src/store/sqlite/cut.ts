import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Event } from '../../domain/event.js';
import { evolve } from '../../domain/evolve.js';
import { type Access, PAUSE } from './access.js';
import { checkpointOf, setCheckpoint } from './checkpoint.js';
import type { Statement } from './driver.js';
import type { Folded } from './ledger.js';
import { eventOfRow } from './queries.js';
import { integer, text } from './rows.js';

/** Events that are folded in one look. */
const PAGE = 500;
/** Rows that go in one transaction. */
const BATCH = 200;

/**
 * Cuts the beginning of the ledger off. The state after the last event that goes is written down first, in one transaction:
 * from then on the ledger begins there, and what is still to be deleted is looked at by nobody.
 */
export class Cutting {
  readonly #access: Access;
  readonly #page: Statement;
  readonly #events: Statement;
  readonly #tenures: Statement;
  readonly #runs: Statement;

  constructor(access: Access) {
    const { driver } = access;
    this.#access = access;
    this.#page = driver.prepare('SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?');
    this.#events = driver.prepare(
      'DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq <= (SELECT cut FROM ledger) LIMIT ?)',
    );
    this.#tenures = driver.prepare(
      "SELECT id, tenure FROM scopes WHERE status NOT IN ('done', 'failed', 'cancelled') AND connection IS NOT NULL",
    );
    this.#runs = driver.prepare('SELECT run FROM runs WHERE ended IS NULL');
  }

  /** Events that have gone. */
  gone = 0;

  /** @param before wall time in milliseconds. */
  async cut(before: number): Promise<void> {
    const { driver, read, write } = this.#access;
    const former = await read(() => checkpointOf(driver));
    const next = await this.#foldUntil(former, before);
    // Another server that cuts as well may have been quicker: then this one only helps to delete.
    if (next.state.seq > former.state.seq)
      await write(() => {
        if (checkpointOf(driver).state.seq === former.state.seq) setCheckpoint(driver, next);
      });
    await this.#deleteCut();
  }

  /** Folds events up to the first that stays. What is being worked on keeps its events from its beginning on. */
  async #foldUntil(from: Folded, before: number): Promise<Folded> {
    let { state, hash } = from;
    const begins = await this.#access.read(() => this.#beginnings());
    for (;;) {
      const rows = await this.#access.read(() => this.#page.all(state.seq, PAGE));
      for (const event of rows.map(eventOfRow)) {
        if (event.wall >= before || event.seq !== state.seq + 1 || begins(event)) return { state, hash };
        state = evolve(state, event);
        hash = event.hash;
      }
      if (rows.length < PAGE) return { state, hash };
      await setImmediate();
    }
  }

  /** Tells the events with which a tenure or a command began that has not ended. */
  #beginnings(): (event: Event) => boolean {
    const tenures = new Map(this.#tenures.all().map((row) => [text(row, 'id'), integer(row, 'tenure')]));
    const runs = new Set(this.#runs.all().map((row) => text(row, 'run')));
    return ({ body }) => {
      if (body.type === 'run.started') return runs.has(body.run);
      if (body.type !== 'scope.granted' && body.type !== 'scope.queued') return false;
      return tenures.get(body.scope) === body.generation;
    };
  }

  async #deleteCut(): Promise<void> {
    for (;;) {
      const rows = await this.#access.write(() => Number(this.#events.run(BATCH).changes));
      this.gone += rows;
      if (rows < BATCH) return;
      await setTimeout(PAUSE, undefined, { ref: false });
    }
  }
}
