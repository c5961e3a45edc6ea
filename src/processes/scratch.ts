import { randomUUID } from 'node:crypto';
import { chmodSync, type Dirent, lstatSync, mkdirSync, readdirSync, renameSync, type Stats, unlinkSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { type Bytes, contents, onDisk, status } from './tree.js';

/** So many entries are looked at before others get their turn: a few milliseconds. */
const STRETCH = 500;
const LONGEST_IGNORE_FILE = 4_096;

/** What may not go over with a folder. The path is from that folder; empty for the folder itself. */
export interface Taken {
  readonly kind: 'special' | 'protected';
  readonly path: Bytes;
}

/** Whether a folder has a `.gitignore` that leaves out all that is in it, itself too. */
export async function ignoresItself(folder: Bytes): Promise<boolean> {
  const info = status(folder, '.gitignore');
  if (!info?.isFile() || info.size > LONGEST_IGNORE_FILE) return false;
  const text = (await contents(`${folder}/.gitignore`).catch(() => Buffer.alloc(0))).toString('latin1');
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  return lines.includes('*') && !lines.some((line) => line.startsWith('!'));
}

/** Nobody gets a program from a command that runs as its owner. */
export async function clearFile(path: Bytes, info: Stats): Promise<void> {
  if ((info.mode & 0o6000) !== 0) await chmod(onDisk(path), info.mode & 0o777);
}

/**
 * Makes a folder of a layer fit to become part of the live tree, whole: what may not be there is put aside, what is closed
 * to its owner is opened, and no file runs as its owner. A repository inside goes with its folder: without its `.git`, git
 * would take it for a part of the one around it. Where the folder itself can't go, `Taken` says so.
 */
export async function clearFolder(top: Bytes, sealed: readonly string[], aside: Bytes): Promise<readonly Taken[]> {
  const work: Work = { top, sealed, aside, taken: [], open: [''], left: STRETCH };
  chmodSync(onDisk(top), (lstatSync(onDisk(top)).mode & 0o7777) | 0o700);
  try {
    for (let folder = work.open.pop(); folder !== undefined; folder = work.open.pop()) {
      if (!clearOne(work, folder)) return [{ kind: 'protected', path: '' }];
      if (work.left > 0) continue;
      await setImmediate();
      work.left = STRETCH;
    }
  } catch (error) {
    // Deeper than a path can say.
    if ((error as NodeJS.ErrnoException).code !== 'ENAMETOOLONG') throw error;
    return [...work.taken, { kind: 'special', path: '' }];
  }
  return work.taken;
}

interface Work {
  readonly top: Bytes;
  readonly sealed: readonly string[];
  readonly aside: Bytes;
  readonly taken: Taken[];
  readonly open: Bytes[];
  left: number;
}

/** → false where the folder that shall go over is a repository itself. */
function clearOne(work: Work, folder: Bytes): boolean {
  const entries = read(`${work.top}${folder}`);
  work.left -= entries.length;
  if (entries.some((entry) => nameOf(entry).toLowerCase() === '.git')) {
    if (folder === '') return false;
    putAside(work, folder);
    return true;
  }
  for (const entry of entries) {
    const path = `${folder}/${nameOf(entry)}`;
    if (work.sealed.includes(nameOf(entry).toLowerCase())) putAside(work, path);
    else if (entry.isDirectory()) work.open.push(path);
    else if (!entry.isSymbolicLink()) clearEntry(work, path);
  }
  return true;
}

const nameOf = (entry: Dirent<Buffer>): Bytes => entry.name.toString('latin1');

function clearEntry(work: Work, path: Bytes): void {
  const full = onDisk(`${work.top}${path}`);
  const info = lstatSync(full);
  if (info.isFile()) {
    if ((info.mode & 0o6000) !== 0) chmodSync(full, info.mode & 0o777);
    return;
  }
  unlinkSync(full);
  // The overlay's own sign that something was deleted.
  if (!info.isCharacterDevice() || info.rdev !== 0) work.taken.push({ kind: 'special', path: path.slice(1) });
}

function putAside(work: Work, path: Bytes): void {
  const full = onDisk(`${work.top}${path}`);
  const info = lstatSync(full);
  // A folder can be moved by whoever may write in it.
  if (info.isDirectory()) chmodSync(full, (info.mode & 0o777) | 0o700);
  mkdirSync(onDisk(work.aside), { recursive: true });
  renameSync(full, onDisk(`${work.aside}/${randomUUID()}`));
  work.taken.push({ kind: 'protected', path: path.slice(1) });
}

function read(folder: Bytes): Dirent<Buffer>[] {
  try {
    return readdirSync(onDisk(folder), { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    chmodSync(onDisk(folder), 0o700);
    return readdirSync(onDisk(folder), { withFileTypes: true, encoding: 'buffer' });
  }
}
