import { createHmac, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mint } from '../domain/handle.js';

const BYTES = 32;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** The secret from which handles are made: it never leaves this folder, and no handle is ever stored. */
export function readKey(folder: string): Buffer {
  const path = join(folder, 'key');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) writeKey(path);
  const key = readFileSync(path);
  if (key.length < BYTES)
    throw new Error(`${path} is cut off: remove it and start again (handles given so far become void)`);
  return key;
}

/**
 * Linked into place, so that of two servers starting at once neither reads half a key nor replaces the other's; and on the
 * disk before that, so that a power cut leaves all of it or nothing.
 */
function writeKey(path: string): void {
  const temp = `${path}.${process.pid}`;
  try {
    onDisk(temp, 'w', (file) => void writeSync(file, randomBytes(BYTES)));
    linkSync(temp, path);
    onDisk(dirname(path), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temp, { force: true });
  }
}

/** A file is on the disk once it is synced, and its name once its folder is. */
function onDisk(path: string, flags: 'w' | 'r', write: (file: number) => void = () => undefined): void {
  const file = openSync(path, flags, 0o600);
  try {
    write(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The last one is kept: a call asks for the same secret several times. */
export function mintFrom(key: Buffer): Mint {
  let last = { text: '', secret: '' };
  return (id, tenure) => {
    const text = `${id}:${tenure}`;
    if (last.text !== text) last = { text, secret: secretOf(key, text) };
    return last.secret;
  };
}

function secretOf(key: Buffer, text: string): string {
  const digest = createHmac('sha256', key).update(text).digest();
  return [...digest.subarray(0, 6)].map((byte) => ALPHABET[byte % 32]).join('');
}
