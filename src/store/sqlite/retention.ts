import { rmSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Hash } from '../../domain/scope.js';
import type { Expired, Keep } from '../store.js';
import { type Access, PAUSE } from './access.js';
import { BLOBS } from './contents.js';
import { Cutting } from './cut.js';
import type { Statement } from './driver.js';
import { isErrno } from './folder.js';
import { integer, text } from './rows.js';

const HOUR = 3_600_000;
/** How many contents or files go in one transaction: nobody is to notice that the write lock was held. */
const BATCH = 25;
/** What is looked for at once. */
const PAGE = 1_000;

/**
 * Drops what need not be kept any longer. What is used again is dated anew with the transaction that uses it, under the
 * write lock: so each deletion looks at the date, and needs to know of no other process.
 */
export class Retention {
  readonly #access: Access;
  readonly #swept: Statement;
  readonly #sweeping: Statement;
  readonly #old: Statement;
  readonly #forget: Statement;
  readonly #known: Statement;
  readonly #cutting: Cutting;
  #contents = 0;

  constructor(access: Access) {
    const { driver } = access;
    this.#access = access;
    this.#cutting = new Cutting(access);
    this.#swept = driver.prepare('SELECT swept FROM ledger');
    this.#sweeping = driver.prepare('UPDATE ledger SET swept = ?');
    this.#old = driver.prepare(OLD);
    this.#forget = driver.prepare('DELETE FROM contents WHERE hash = ? AND at < ?');
    this.#known = driver.prepare('SELECT 1 FROM contents WHERE hash = ?');
  }

  /** One process does it, once an hour. Ends early where the store is closed: whoever comes next goes on. */
  async expire(keep: Keep): Promise<Expired> {
    try {
      if (await this.#begins()) await this.#drop(keep);
    } catch (error) {
      if (this.#access.isOpen()) throw error;
    }
    return { contents: this.#contents, events: this.#cutting.gone };
  }

  async #begins(): Promise<boolean> {
    const { read, write, wall } = this.#access;
    if (!(await read(() => this.#isDue()))) return false;
    return write(() => this.#isDue() && Number(this.#sweeping.run(wall()).changes) > 0);
  }

  async #drop({ contents, events }: Keep): Promise<void> {
    const now = this.#access.wall();
    if (events !== undefined) await this.#cutting.cut(now - events);
    if (contents === undefined) return;
    await this.#dropContents(now - contents);
    await this.#dropFiles();
  }

  #isDue(): boolean {
    const swept = integer(this.#swept.get(), 'swept');
    const now = this.#access.wall();
    // A clock that was put back must not keep anything for years.
    return now - swept >= HOUR || swept > now + HOUR;
  }

  async #dropContents(before: number): Promise<void> {
    for (let gone = -1; gone !== this.#contents; ) {
      gone = this.#contents;
      const old = await this.#access.read(() => this.#old.all(before, PAGE).map((row) => text(row, 'hash')));
      await this.#inBatches(old, (hash) => {
        this.#contents += Number(this.#forget.run(hash, before).changes);
      });
    }
  }

  /** Files of contents that have no row: of those that expired, also where a process was killed in between. */
  async #dropFiles(): Promise<void> {
    for await (const hashes of this.#fileless()) {
      // A file goes under the lock, where nobody can be putting its row in.
      await this.#inBatches(hashes, (hash) => {
        if (this.#known.get(hash) === undefined) this.#unlink(hash);
      });
    }
  }

  async *#fileless(): AsyncGenerator<Hash[]> {
    const { folder, read } = this.#access;
    for (const first of await namesIn(join(folder, BLOBS))) {
      const hashes = await this.#settled(join(folder, BLOBS, first), first);
      yield await read(() => hashes.filter((hash) => this.#known.get(hash) === undefined));
    }
  }

  /** Hashes of the files in one folder that nobody can be about to put in; what was being written when its process died goes. */
  async #settled(folder: string, first: string): Promise<Hash[]> {
    const hashes: Hash[] = [];
    for (const name of await namesIn(folder)) {
      const path = join(folder, name);
      const written = await stat(path).catch(() => undefined);
      if (written === undefined || this.#access.wall() - written.mtimeMs < HOUR) continue;
      if (name.startsWith('.')) await rm(path, { force: true });
      else hashes.push(first + name);
    }
    return hashes;
  }

  #unlink(hash: Hash): void {
    rmSync(join(this.#access.folder, BLOBS, hash.slice(0, 2), hash.slice(2)), { force: true });
  }

  async #inBatches(items: readonly Hash[], work: (item: Hash) => void): Promise<void> {
    for (let from = 0; from < items.length; from += BATCH) {
      if (from > 0) await setTimeout(PAUSE, undefined, { ref: false });
      await this.#access.write(() => items.slice(from, from + BATCH).forEach(work));
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return [];
    throw error;
  }
}

/**
 * Contents that were not used since, and that nothing needs: not the present versions of files, not the changes and
 * collisions of live scopes, not effects that may have to be done again, no published artifact.
 */
const OLD = `
WITH live (id, terms) AS (SELECT id, terms FROM scopes WHERE status NOT IN ('done', 'failed', 'cancelled')),
needed (hash) AS (
  SELECT hash FROM files WHERE hash IS NOT NULL
  UNION SELECT before FROM changes JOIN live ON scope = id WHERE before IS NOT NULL
  UNION SELECT after FROM changes JOIN live ON scope = id WHERE after IS NOT NULL
  UNION SELECT sides.value FROM live, json_each(terms, '$.conflict.sides') sides WHERE terms IS NOT NULL
  UNION SELECT file.value ->> 'before' FROM intents, json_each(files) file WHERE file.value ->> 'before' IS NOT NULL
  UNION SELECT file.value ->> 'after' FROM intents, json_each(files) file WHERE file.value ->> 'after' IS NOT NULL
)
SELECT hash FROM contents
WHERE at < ? AND hash NOT IN (SELECT hash FROM needed)
  AND NOT EXISTS (SELECT 1 FROM artifacts WHERE artifacts.hash = contents.hash)
LIMIT ?`;
