import { hash as digest, randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Content } from '../../domain/intent.js';
import type { Hash } from '../../domain/scope.js';
import { StoreBroken } from '../store.js';
import type { Driver, Statement } from './driver.js';
import { isErrno, onDisk, reason } from './folder.js';
import { integer, text } from './rows.js';

/** Characters of a SHA-256 in hex. */
const HASH_LENGTH = 64;
/** The folder of the large ones in the store's folder: `ab/cdef…`. */
export const BLOBS = 'blobs';
/** When a content was used last is noted this exactly, in milliseconds: to note it each time would cost each patch a write. */
const STALE = 3_600_000;
/** Up to this many bytes a content stands in its row; a larger one in a file of its own. */
const LARGEST_ROW = 256 * 1024;
/** Up to this many bytes of contents go with the commit of the effect that needs them. */
const LARGEST_COMMIT = 1024 * 1024;

/** Whether these can wait for the transaction that needs them; writing more would hold the write lock for long. */
export function areFew(contents: readonly Content[]): boolean {
  const sizes = contents.map(({ bytes }) => bytes.length);
  return sizes.every((size) => size <= LARGEST_ROW) && sizes.reduce((sum, size) => sum + size, 0) <= LARGEST_COMMIT;
}

/** Contents by their SHA-256 in hex. */
export class Contents {
  readonly #folder: string;
  readonly #wall: () => number;
  readonly #insert: Statement;
  readonly #select: Statement;
  readonly #search: Statement;

  /** `wall`: wall time in milliseconds. */
  constructor(driver: Driver, folder: string, wall: () => number) {
    this.#folder = join(folder, BLOBS);
    this.#wall = wall;
    this.#insert = driver.prepare(
      `INSERT INTO contents (hash, size, at, bytes) VALUES (?, ?, ?, ?)
        ON CONFLICT (hash) DO UPDATE SET at = excluded.at WHERE at < excluded.at - ${STALE}`,
    );
    this.#select = driver.prepare('SELECT size, bytes FROM contents WHERE hash = ?');
    this.#search = driver.prepare('SELECT hash FROM contents WHERE hash >= ? AND hash < ? LIMIT 2');
  }

  /** Writes the large ones to the disk, synced. Goes before the transaction that inserts their rows. */
  async spill(contents: readonly Content[]): Promise<void> {
    for (const content of contents) if (content.bytes.length > LARGEST_ROW) await this.#writeFile(content);
  }

  /** Under the write lock. → those that were not there yet, and those that were used now for the first time in a while. */
  insert(contents: readonly Content[]): Content[] {
    const at = this.#wall();
    return contents.filter(({ hash, bytes }) => {
      const isLarge = bytes.length > LARGEST_ROW;
      // It was spilled before the lock was taken, and may have expired in between.
      if (isLarge && !existsSync(this.#path(hash))) this.#writeNow(hash, bytes);
      const { changes } = this.#insert.run(hash, bytes.length, at, isLarge ? null : bytes);
      return Number(changes) > 0;
    });
  }

  /** The one content whose hash begins so. */
  find(prefix: Hash): Uint8Array | undefined {
    if (prefix.length === HASH_LENGTH) return this.get(prefix);
    if (!/^[0-9a-f]{10,63}$/.test(prefix)) return undefined;
    const [row, another] = this.#search.all(prefix, `${prefix}g`);
    return row === undefined || another !== undefined ? undefined : this.get(text(row, 'hash'));
  }

  get(hash: Hash): Uint8Array | undefined {
    const row = this.#select.get(hash);
    if (row === undefined) return undefined;
    if (row.bytes instanceof Uint8Array) return row.bytes;
    return this.#readFile(hash, integer(row, 'size'));
  }

  #readFile(hash: Hash, size: number): Uint8Array {
    const path = this.#path(hash);
    const bytes = onDisk(`the content ${hash} is recorded, but cannot be read`, () => readFileSync(path));
    if (bytes.length === size && digest('sha256', bytes) === hash) return bytes;
    throw new StoreBroken(`${path} does not hold the content ${hash}`);
  }

  async #writeFile({ hash, bytes }: Content): Promise<void> {
    const path = this.#path(hash);
    if (await isThere(path, bytes.length)) return;
    const folder = dirname(path);
    const temp = join(folder, `.${randomUUID()}`);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeSynced(temp, bytes);
      await rename(temp, path);
      await sync(folder);
      await sync(this.#folder);
    } catch (cause) {
      await rm(temp, { force: true });
      throw new StoreBroken(`the content ${hash} cannot be written: ${reason(cause)}`, { cause });
    }
  }

  #writeNow(hash: Hash, bytes: Uint8Array): void {
    const path = this.#path(hash);
    onDisk(`the content ${hash} cannot be written`, () => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, bytes, { mode: 0o600, flush: true });
      syncNow(dirname(path));
    });
  }

  #path(hash: Hash): string {
    return join(this.#folder, hash.slice(0, 2), hash.slice(2));
  }
}

function syncNow(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

async function isThere(path: string, size: number): Promise<boolean> {
  try {
    return (await stat(path)).size === size;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new name is durable only once its folder is. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
