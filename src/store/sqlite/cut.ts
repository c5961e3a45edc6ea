import { setImmediate, setTimeout } from 'node:timers/promises';
import { evolve } from '../../domain/evolve.js';
import { type Access, PAUSE } from './access.js';
import { checkpointOf, setCheckpoint } from './checkpoint.js';
import type { Statement } from './driver.js';
import type { Folded } from './ledger.js';
import { eventOfRow } from './queries.js';

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
  readonly #changes: Statement;

  constructor(access: Access) {
    const { driver } = access;
    this.#access = access;
    this.#page = driver.prepare('SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?');
    this.#events = driver.prepare(
      'DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq <= (SELECT cut FROM ledger) LIMIT ?)',
    );
    this.#changes = driver.prepare(
      `DELETE FROM changes WHERE (seq, path) IN (
        SELECT seq, path FROM changes
        WHERE seq <= (SELECT cut FROM ledger) AND (scope IS NULL OR scope NOT IN (
          SELECT id FROM scopes WHERE status NOT IN ('done', 'failed', 'cancelled')))
        LIMIT ?)`,
    );
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
    await this.#all(this.#events, (rows) => {
      this.gone += rows;
    });
    await this.#all(this.#changes);
  }

  async #foldUntil(from: Folded, before: number): Promise<Folded> {
    let { state, hash } = from;
    for (;;) {
      const rows = await this.#access.read(() => this.#page.all(state.seq, PAGE));
      for (const event of rows.map(eventOfRow)) {
        if (event.wall >= before || event.seq !== state.seq + 1) return { state, hash };
        state = evolve(state, event);
        hash = event.hash;
      }
      if (rows.length < PAGE) return { state, hash };
      await setImmediate();
    }
  }

  async #all(statement: Statement, count: (rows: number) => void = () => undefined): Promise<void> {
    for (;;) {
      const rows = await this.#access.write(() => Number(statement.run(BATCH).changes));
      count(rows);
      if (rows < BATCH) return;
      await setTimeout(PAUSE, undefined, { ref: false });
    }
  }
}
