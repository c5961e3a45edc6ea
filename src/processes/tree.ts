import { constants, lstatSync, type Stats } from 'node:fs';
import { chmod, open, readdir } from 'node:fs/promises';

/**
 * Paths below a folder are kept as latin1 text here, one character a byte: names need not be UTF-8, and no two may fall
 * together.
 */
export type Bytes = string;

export const asBytes = (path: string): Bytes => Buffer.from(path).toString('latin1');
export const onDisk = (path: Bytes): Buffer => Buffer.from(path, 'latin1');
export const under = (folder: Bytes, name: Bytes): Bytes => (folder === '' ? name : `${folder}/${name}`);

/** What is at a path, without following a link; undefined where nothing is, or nothing that Node can reach. Synchronous: a trip through the thread pool takes ten times as long. */
export function status(base: Bytes, path: Bytes): Stats | undefined {
  try {
    return lstatSync(onDisk(`${base}/${path}`), { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

export async function names(base: Bytes, folder: Bytes): Promise<Bytes[]> {
  try {
    return await readdir(onDisk(`${base}/${folder}`), 'latin1');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(String((error as NodeJS.ErrnoException).code))) return [];
    throw error;
  }
}

/** Rights to a file that a command cannot take from its owner: nobody could read it any more, and git keeps none of them. */
export const ownersOf = (former: Stats | undefined): number => (former?.isFile() ? former.mode : 0o600) & 0o600;

/** A command may have closed what it wrote even to its owner. */
export async function unlock(path: Bytes, mine: Stats): Promise<void> {
  const needed = mine.isDirectory() ? 0o700 : mine.isFile() ? 0o400 : 0;
  if ((mine.mode & needed) !== needed) await chmod(onDisk(path), (mine.mode & 0o777) | needed);
}

export async function contents(path: Bytes): Promise<Buffer> {
  const file = await open(onDisk(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}
