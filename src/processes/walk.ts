import type { Dirent, Stats } from 'node:fs';
import { chmod, lstat, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { RunSpec, ScratchRules } from './runner.js';

/** With one more than that, a walk has found enough to be refused. */
export const MOST_FILES = 20_000;

/** What folders of the tree hold, without scratch. */
export interface Walked {
  /** What has a protected name, absolute, also in scratch. */
  readonly sealed: string[];
  readonly files: Map<string, Stats>;
  /** Folders that may not be read, absolute. */
  readonly closed: string[];
  /** Folders in which their owner may not do everything, absolute. */
  readonly narrow: string[];
}

interface Opening {
  /** Gives folders back to their owner, but for these: a command may have closed what it wrote. */
  readonly opens?: { readonly except: readonly string[] };
}

/** Looks through folders, a level at a time: git is asked once for each. */
export async function walk(
  root: string,
  folders: readonly string[],
  { scratch, sealed, opens }: Pick<RunSpec, 'scratch' | 'sealed'> & Opening,
  rules: ScratchRules,
): Promise<Walked> {
  const found: Walked = { sealed: [], files: new Map(), closed: [], narrow: [] };
  const apart = new Set([...scratch.map((path) => join(root, path)), join(root, '.signalbox')]);
  for (let level = folders.filter((folder) => !apart.has(folder)); level.length > 0; ) {
    const below: string[] = [];
    const files: string[] = [];
    for (const folder of level) {
      for (const entry of await entries(folder, found, opens)) {
        const path = join(folder, entry.name);
        if (apart.has(path)) continue;
        if (isSealed(entry.name, sealed)) found.sealed.push(path);
        else (entry.isDirectory() ? below : files).push(path);
      }
    }
    const ignored = await scratchOf(root, rules, below, files);
    for (const path of below) if (ignored.has(path)) found.sealed.push(...(await sealedBelow(path, sealed)));
    for (const path of files) {
      if (ignored.has(path) || found.files.size > MOST_FILES) continue;
      const info = await lstat(path).catch(() => undefined);
      if (info !== undefined) found.files.set(relative(root, path), info);
    }
    level = below.filter((path) => !ignored.has(path));
  }
  return found;
}

/** Which of these are scratch: it lies where it belongs, without a version. */
async function scratchOf(
  root: string,
  rules: ScratchRules,
  folders: readonly string[],
  files: readonly string[],
): Promise<ReadonlySet<string>> {
  const asked = new Map([
    ...folders.map((path) => [`${relative(root, path)}/`, path] as const),
    ...files.map((path) => [relative(root, path), path] as const),
  ]);
  const scratch = asked.size === 0 ? new Set<string>() : await rules.among([...asked.keys()], []);
  return new Set([...asked].flatMap(([name, path]) => (scratch.has(name) ? [path] : [])));
}

/** Protected names stand in scratch too. */
async function sealedBelow(folder: string, sealed: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (isSealed(entry.name, sealed)) found.push(path);
    else if (entry.isDirectory()) found.push(...(await sealedBelow(path, sealed)));
  }
  return found;
}

async function entries(
  folder: string,
  { closed, narrow }: Pick<Walked, 'closed' | 'narrow'>,
  opens: Opening['opens'],
): Promise<Dirent[]> {
  const mode = (await lstat(folder).catch(() => undefined))?.mode;
  if (mode !== undefined && (mode & 0o700) !== 0o700) {
    const isOpen =
      opens?.except.includes(folder) === false && (await chmod(folder, (mode & 0o7777) | 0o700).then(...YES_OR_NO));
    if (!isOpen) narrow.push(folder);
  }
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') closed.push(folder);
    return [];
  }
}

const YES_OR_NO = [() => true, () => false] as const;

export const isSealed = (name: string, sealed: readonly string[]): boolean => sealed.includes(name.toLowerCase());

/** Reads a file that may be closed even to its owner, and leaves it as it was; undefined where it is not ours. */
export async function readClosed(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  }
  const mode = (await lstat(path)).mode & 0o7777;
  if (!(await chmod(path, mode | 0o400).then(...YES_OR_NO))) return undefined;
  try {
    return await readFile(path);
  } finally {
    await chmod(path, mode);
  }
}
