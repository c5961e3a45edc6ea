import { scopeKey, ticketKey } from '../../domain/leases.js';
import type { Life } from '../../domain/view.js';
import type { LifeChange } from '../store.js';
import type { Driver, Statement } from './driver.js';
import { integer, integerOrNull, optional } from './rows.js';

/** Lock time in milliseconds. No lease is longer: an older sign of life and none at all say the same. */
const HOUR = 3_600_000;

/** A call so shortly after the last sign of life says nothing new, and is not worth a page of the log: lock time. */
const FRESH = 1_000;

const LIVE = "status NOT IN ('done', 'failed', 'cancelled')";

/** The table of liveness. It is read anew each time it is asked, and never kept. */
export class LifeTable {
  readonly #select: Statement;
  readonly #tidy: Statement;
  #tidied = Number.NEGATIVE_INFINITY;
  readonly #changes: { readonly [touch in LifeChange['touch']]: (key: string, now: number) => void };

  constructor(driver: Driver) {
    this.#select = driver.prepare('SELECT seen, called, ended FROM life WHERE key = ?');
    // Whoever shows a sign of life has come back, whatever was said before.
    const seen = driver.prepare(
      'INSERT INTO life (key, seen, called) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET seen = excluded.seen, ended = NULL',
    );
    const called = driver.prepare(
      `INSERT INTO life (key, seen, called) VALUES (?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET seen = excluded.seen, called = excluded.called, ended = NULL
      WHERE excluded.seen - seen >= ${FRESH} OR excluded.called - called >= ${FRESH} OR ended IS NOT NULL`,
    );
    const ended = driver.prepare('UPDATE life SET ended = ? WHERE key = ?');
    const gone = driver.prepare('DELETE FROM life WHERE key = ?');
    this.#tidy = driver.prepare(`DELETE FROM life WHERE seen < ? AND key NOT IN (
      SELECT connection FROM scopes WHERE ${LIVE} AND connection IS NOT NULL
      UNION ALL SELECT ? || id FROM scopes WHERE ${LIVE}
      UNION ALL SELECT ? || id FROM scopes WHERE ${LIVE})`);
    this.#changes = {
      seen: (key, now) => seen.run(key, now, now),
      called: (key, now) => called.run(key, now, now),
      ended: (key, now) => ended.run(now, key),
      gone: (key) => gone.run(key),
    };
  }

  get(key: string): Life | undefined {
    const row = this.#select.get(key);
    if (row === undefined) return undefined;
    const ended = integerOrNull(row, 'ended');
    return { seen: integer(row, 'seen'), called: integer(row, 'called'), ...optional('ended', ended) };
  }

  /** Along with a commit, after the rows of its scopes. Once an hour the rows of the long dead go too. */
  write(changes: readonly LifeChange[], now: number): void {
    for (const { key, touch } of changes) this.#changes[touch](key, now);
    if (now - this.#tidied < HOUR) return;
    this.#tidy.run(now - HOUR, scopeKey(''), ticketKey(''));
    this.#tidied = now;
  }
}
