import { randomInt } from 'node:crypto';
import type { IntentFile, IntentId, Publication, StoredPublication } from '../../domain/intent.js';
import type { Driver, Statement } from './driver.js';
import { integer, json, text } from './rows.js';

const LARGEST_ID = 2 ** 48 - 1;

/** A committed effect whose files may not be on the disk yet. */
export interface Unsynced {
  readonly id: IntentId;
  /** The boot of the machine in which it was committed. */
  readonly boot: string;
  /** Lock time of that moment. */
  readonly at: number;
  readonly files: readonly IntentFile[];
}

/** The rows of what is not through yet. */
export class Intents {
  readonly #insert: Statement;
  readonly #unsynced: Statement;
  readonly #publications: Statement;
  readonly #drop: Statement;

  constructor(driver: Driver) {
    this.#insert = driver.prepare('INSERT INTO intents (id, boot, at, files, publication) VALUES (?, ?, ?, ?, ?)');
    this.#unsynced = driver.prepare('SELECT * FROM intents WHERE publication IS NULL ORDER BY at');
    this.#publications = driver.prepare('SELECT * FROM intents WHERE publication IS NOT NULL AND at <= ? ORDER BY at');
    this.#drop = driver.prepare('DELETE FROM intents WHERE id = ?');
  }

  /** Drawn by lot, so that an id that was dropped never names the intent of somebody else. */
  effect(files: readonly IntentFile[], boot: string, at: number): IntentId {
    const id = randomInt(LARGEST_ID);
    this.#insert.run(id, boot, at, JSON.stringify(files), null);
    return id;
  }

  publication(publication: Publication, boot: string, at: number): IntentId {
    const id = randomInt(LARGEST_ID);
    this.#insert.run(id, boot, at, null, JSON.stringify(publication));
    return id;
  }

  /** Oldest first. */
  unsynced(): Unsynced[] {
    return this.#unsynced.all().map((row) => ({
      id: integer(row, 'id'),
      boot: text(row, 'boot'),
      at: integer(row, 'at'),
      files: json(row, 'files'),
    }));
  }

  /** Those recorded by then, oldest first. */
  publications(until: number): StoredPublication[] {
    return this.#publications
      .all(until)
      .map((row) => ({ id: integer(row, 'id'), ...json<Publication>(row, 'publication') }));
  }

  drop(id: IntentId): void {
    this.#drop.run(id);
  }
}
