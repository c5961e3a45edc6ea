import { createHash, hash } from 'node:crypto';
import { type BigIntStats, closeSync, constants, fstatSync, openSync, read as readCallback, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Hash } from '../../domain/scope.js';
import { errno } from './errno.js';
import { NOFOLLOW } from './walk.js';

const FILE = constants.O_RDONLY | NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const CHUNK = 1 << 20;
/** Below it, a file is read at once: the thread pool would take longer than the disk. */
export const LARGE = 256 * 1024;
/** Timestamps of the coarsest disks in use: within it, two different contents can bear the same time. */
const RACY = 2_000_000_000n;

const readAsync = promisify(readCallback);

type Told = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/** What the disk says of a file: as long as it says the same, the file is the same, unless it was `young`. */
export interface Mark extends Readonly<Told> {
  /** Changed so shortly before it was looked at that a further change may not show. */
  readonly young: boolean;
}

/** An open file, or why it is none. `special`: FIFO, device or socket. */
export type Opened =
  | { readonly kind: 'file' | 'folder'; readonly fd: number; readonly stat: BigIntStats }
  | { readonly kind: 'missing' }
  | { readonly kind: 'link' }
  | { readonly kind: 'special' };

/** Opens without following a link and without waiting for a writer, and looks at what it is before anything is read. */
export function openFile(path: string): Opened {
  let fd: number;
  try {
    fd = openSync(path, FILE);
  } catch (error) {
    const code = errno(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    if (code === 'ELOOP' || code === 'EMLINK') return { kind: 'link' };
    if (code === 'ENXIO' || code === 'EOPNOTSUPP' || code === 'ENODEV') return { kind: 'special' };
    throw error;
  }
  const stat = fstatSync(fd, { bigint: true });
  if (stat.isFile()) return { kind: 'file', fd, stat };
  if (stat.isDirectory()) return { kind: 'folder', fd, stat };
  closeSync(fd);
  return { kind: 'special' };
}

/** `now`: wall time in milliseconds. */
export function markOf(stat: Told, now = Date.now()): Mark {
  const { dev, ino, size, mtimeNs, ctimeNs } = stat;
  const since = BigInt(now) * 1_000_000n - RACY;
  return { dev, ino, size, mtimeNs, ctimeNs, young: mtimeNs > since || ctimeNs > since };
}

export function isSame(mark: Mark, stat: Told): boolean {
  return isUnwritten(mark, stat) && mark.ctimeNs === stat.ctimeNs;
}

/** The same, but for the change time, which a new link to the file moves too. */
export function isUnwritten(mark: Mark, stat: Told): boolean {
  return mark.ino === stat.ino && mark.dev === stat.dev && mark.size === stat.size && mark.mtimeNs === stat.mtimeNs;
}

export function hashOf(bytes: Uint8Array): Hash {
  return hash('sha256', bytes);
}

/** All bytes of an open file, or nothing where they are more than `limit`. A file that grows meanwhile is read to its end. */
export function readWhole(fd: number, size: number, limit: number): Uint8Array | undefined {
  if (size > limit) return undefined;
  let bytes = Buffer.allocUnsafe(size + 1);
  let filled = 0;
  for (;;) {
    const got = readSync(fd, bytes, filled, bytes.length - filled, filled);
    if (got === 0) return bytes.subarray(0, filled);
    filled += got;
    if (filled > limit) return undefined;
    if (filled === bytes.length) bytes = Buffer.concat([bytes], Math.min(bytes.length * 2, limit + 1));
  }
}

/** Where files are read into whose bytes nobody wants: a buffer for each would keep the garbage collector busy. */
let scratch: Buffer | undefined;

/** The hash of an open file, or nothing where it is more than `limit`. */
export function hashWhole(fd: number, size: number, limit: number): Hash | undefined {
  if (size > limit) return undefined;
  scratch ??= Buffer.allocUnsafeSlow(LARGE);
  for (let filled = 0; size < LARGE && filled < LARGE; ) {
    const got = readSync(fd, scratch, filled, LARGE - filled, filled);
    if (got === 0) return filled > limit ? undefined : hashOf(scratch.subarray(0, filled));
    filled += got;
  }
  const bytes = readWhole(fd, size, limit);
  return bytes && hashOf(bytes);
}

/** What a file holds, and the hash of it. */
export interface Hashed {
  readonly bytes: Uint8Array;
  readonly hash: Hash;
}

/** The same with its hash; a large file is read without holding up everyone else. */
export async function readHashed(fd: number, size: number, limit: number): Promise<Hashed | undefined> {
  if (size >= LARGE) return readLarge(fd, size, limit);
  const bytes = readWhole(fd, size, limit);
  return bytes && { bytes, hash: hashOf(bytes) };
}

/** Hashed on the way. */
export async function readLarge(fd: number, size: number, limit: number): Promise<Hashed | undefined> {
  if (size > limit) return undefined;
  const digest = createHash('sha256');
  let bytes = Buffer.allocUnsafe(size + 1);
  let filled = 0;
  for (;;) {
    const { bytesRead } = await readAsync(fd, bytes, filled, Math.min(CHUNK, bytes.length - filled), filled);
    if (bytesRead === 0) return { bytes: bytes.subarray(0, filled), hash: digest.digest('hex') };
    digest.update(bytes.subarray(filled, filled + bytesRead));
    filled += bytesRead;
    if (filled > limit) return undefined;
    if (filled === bytes.length) bytes = Buffer.concat([bytes], Math.min(bytes.length * 2, limit + 1));
  }
}
