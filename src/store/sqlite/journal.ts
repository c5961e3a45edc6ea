import { hash as digest, randomInt } from 'node:crypto';
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { IntentFile } from '../../domain/intent.js';
import type { Hash } from '../../domain/scope.js';
import { StoreBroken } from '../store.js';
import { onDisk } from './folder.js';

/** The name of the journal in the store's folder. */
const JOURNAL = 'applying';
const OPEN = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE = OPEN | constants.O_CREAT | constants.O_EXCL;

/** The head of the file: magic, a number drawn by lot, the length of the body, the SHA-256 of all that and of the body. */
const MAGIC = Buffer.from('SBEFFECT');
const AT_LOT = 8;
const LARGEST_LOT = 2 ** 48 - 1;
const AT_LENGTH = 16;
const AT_DIGEST = 20;
const HEAD = 52;

/** One effect on files, and what it takes to undo it. */
export interface Effect {
  /** The last link of the ledger that it builds on. As long as the ledger ends there, the effect is not committed. */
  readonly onto: Hash;
  /** The boot of the machine in which it was begun. */
  readonly boot: string;
  readonly files: readonly IntentFile[];
  /** Former contents that are not in the database yet, in Base64. */
  readonly contents: { readonly [hash: Hash]: string };
}

/**
 * The plain file that says which files are being changed, and how to put them back: a rollback journal.
 *
 * It is written in place, only under the write lock, and only when the effect that it names is through. It is never
 * cleared after a COMMIT: by then the lock is gone, and what would be cleared may be somebody else's. The ledger itself
 * says whether an effect was committed, because each one adds to it. One that is torn was cut off before any rename.
 */
export class Journal {
  readonly #path: string;
  #open: { readonly fd: number; readonly ino: number; readonly dev: number } | undefined;
  /** The head of an effect that is known to be through. */
  #through: Buffer | undefined;
  #written: Buffer | undefined;

  constructor(folder: string) {
    this.#path = join(folder, JOURNAL);
  }

  /** Puts an effect on the disk, in place of the last one. */
  write(effect: Effect): void {
    const body = Buffer.from(JSON.stringify(effect));
    const head = Buffer.alloc(HEAD);
    MAGIC.copy(head);
    head.writeUIntBE(randomInt(LARGEST_LOT), AT_LOT, 6);
    head.writeUInt32BE(body.length, AT_LENGTH);
    digestOf(head, body).copy(head, AT_DIGEST);
    onDisk(`${this.#path} cannot be written`, () => this.#put(Buffer.concat([head, body])));
    this.#written = head;
  }

  /** What was last written here is committed: it need not be looked at again. */
  committed(): void {
    this.#through = this.#written;
  }

  /** Names nothing any more. Under the write lock. */
  clear(): void {
    onDisk(`${this.#path} cannot be cleared`, () => this.#put(Buffer.alloc(HEAD)));
  }

  /**
   * The effect that is under way or was cut off: the one named, if the ledger ends where it began.
   * Without the write lock, what is found may be half-written: then nothing has been renamed yet.
   *
   * @param end the last link of the ledger, read when it is called.
   */
  unfinished(end: () => Hash): Effect | undefined {
    return onDisk(`${this.#path} cannot be read`, () => {
      const fd = this.#found();
      const head = fd === undefined ? undefined : read(fd, HEAD, 0);
      if (fd === undefined || head === undefined || this.#through?.equals(head)) return undefined;
      const effect = effectOf(fd, head);
      if (effect === undefined || effect.onto === end()) return effect;
      this.#through = head;
      return undefined;
    });
  }

  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #put(bytes: Uint8Array): void {
    const fd = this.#found() ?? this.#create();
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, done);
    fdatasyncSync(fd);
  }

  /** The file as others find it now: it may have been removed or replaced since it was opened. */
  #found(): number | undefined {
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (found !== undefined && found.ino === this.#open?.ino && found.dev === this.#open.dev) return this.#open.fd;
    this.close();
    return found === undefined ? undefined : this.#adopt(openSync(this.#path, OPEN));
  }

  #create(): number {
    const fd = this.#adopt(openSync(this.#path, CREATE, 0o600));
    const folder = openSync(dirname(this.#path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
    return fd;
  }

  #adopt(fd: number): number {
    const stat = fstatSync(fd);
    this.#open = { fd, ino: stat.ino, dev: stat.dev };
    if (!stat.isFile()) throw new StoreBroken('it is not a plain file');
    return fd;
  }
}

/** A new database knows nothing of the effects of a former one, and would take the last of them for cut off. */
export function forgetEffects(folder: string): void {
  const path = join(folder, JOURNAL);
  onDisk(`${path} cannot be removed`, () => rmSync(path, { force: true }));
}

/** Undefined where the file does not hold what its head says. */
function effectOf(fd: number, head: Buffer): Effect | undefined {
  const length = head.readUInt32BE(AT_LENGTH);
  if (!head.subarray(0, AT_LOT).equals(MAGIC) || HEAD + length > fstatSync(fd).size) return undefined;
  const body = read(fd, length, HEAD);
  if (body === undefined || !digestOf(head, body).equals(head.subarray(AT_DIGEST))) return undefined;
  return JSON.parse(body.toString());
}

function digestOf(head: Buffer, body: Buffer): Buffer {
  return digest('sha256', Buffer.concat([head.subarray(0, AT_DIGEST), body]), 'buffer');
}

/** So many bytes from there on; undefined where there are fewer. */
function read(fd: number, length: number, from: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(length);
  for (let filled = 0; filled < length; ) {
    const got = readSync(fd, bytes, filled, length - filled, from + filled);
    if (got === 0) return undefined;
    filled += got;
  }
  return bytes;
}
