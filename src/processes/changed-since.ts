import { hash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { LARGEST_FILE } from '../domain/file-limits.js';
import type { Hash } from '../domain/scope.js';
import type { RunSpec, ScratchRules, Written } from './runner.js';
import { ownersOf } from './tree.js';
import { readClosed, walk } from './walk.js';

/** A claimed folder is copied before a command may write there: more than this, and than so many files, is refused. */
export const MOST_BYTES = 256 * 1024 * 1024;

/** What lies below the claimed folders of a run, without scratch: read before the command writes there, and compared after. */
export interface Claimed {
  /** Absolute, without those inside another one. */
  readonly folders: readonly string[];
  /** Existing paths with a protected name, absolute. */
  readonly sealed: readonly string[];
  /** Folders in which their owner may not do everything, absolute. */
  readonly narrow: readonly string[];
  readonly files: ReadonlyMap<string, Stats>;
  /** Paths that are no files, of which there are no copies. */
  readonly others: readonly string[];
  /** Where the copies of the files lie, by their paths from the root. */
  readonly copies: string;
}

export type Names = Pick<RunSpec, 'writable' | 'scratch' | 'sealed'>;

/**
 * What a command changed below its claimed folders. It is on disk; but what came with a protected name, and what is no
 * file, folder or link, is removed again: a device 0:0 is what an overlay takes for a file that was deleted. What had been
 * moved to a protected name goes back to its place, and what was closed to its owner is open again.
 */
export async function changedSince(
  root: string,
  before: Claimed,
  spec: Names,
  rules: ScratchRules,
): Promise<readonly Written[]> {
  const after = await walk(root, before.folders, { ...spec, opens: { except: before.narrow } }, rules);
  const written: Written[] = [];
  const taken = new Set<Hash>();
  for (const path of after.sealed.filter((candidate) => !before.sealed.includes(candidate))) {
    for (const content of await contentsBelow(path)) taken.add(content);
    await rm(path, { recursive: true, force: true });
    written.push({ kind: 'protected', path: relative(root, path) });
  }
  for (const [path, info] of after.files) {
    if (!isSpecial(info) || before.others.includes(path)) continue;
    await rm(join(root, path), { force: true });
    after.files.delete(path);
    written.push({ kind: 'special', path });
  }
  let budget = MOST_BYTES;
  for (const [path, info] of after.files) {
    const former = before.files.get(path);
    if (former !== undefined && isSame(former, info)) continue;
    const found = await changed(root, before, path, info, budget);
    if (found?.kind === 'file') budget -= info.size;
    if (found !== undefined) written.push(found);
  }
  for (const [path, former] of before.files) {
    if (!former.isFile() || after.files.has(path) || (await exists(join(root, path)))) continue;
    const bytes = await contentsBefore(before, path);
    if (bytes !== null && taken.has(hash('sha256', bytes)) && (await putBack(root, before, path))) continue;
    written.push({ kind: 'deleted', path, before: bytes, was: former.mode & 0o777 });
  }
  return written;
}

/** The files at or below a path, by their contents. */
async function contentsBelow(path: string): Promise<Hash[]> {
  const info = await lstat(path);
  if (info.isFile()) {
    if ((info.mode & 0o400) === 0) await chmod(path, 0o600);
    return info.size > LARGEST_FILE ? [] : [hash('sha256', await readFile(path))];
  }
  if (!info.isDirectory()) return [];
  if ((info.mode & 0o700) !== 0o700) await chmod(path, 0o700);
  const found: Hash[] = [];
  for (const name of await readdir(path)) found.push(...(await contentsBelow(join(path, name))));
  return found;
}

/** False where something else has taken the place. */
async function putBack(root: string, { copies }: Claimed, path: string): Promise<boolean> {
  const to = join(root, path);
  try {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(join(copies, path), to, constants.COPYFILE_EXCL);
    return true;
  } catch {
    return false;
  }
}

const isSpecial = (info: Stats): boolean => !info.isFile() && !info.isSymbolicLink() && !info.isDirectory();

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    (info) => !info.isDirectory(),
    () => false,
  );

function isSame(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.size === b.size && a.mode === b.mode && a.ctimeMs === b.ctimeMs;
}

async function changed(
  root: string,
  claimed: Claimed,
  path: string,
  info: Stats,
  budget: number,
): Promise<Written | undefined> {
  const full = join(root, path);
  if (info.isSymbolicLink()) return { kind: 'link', path, target: await readlink(full) };
  if (!info.isFile()) return undefined;
  const former = claimed.files.get(path);
  const mode = (info.mode & 0o777) | ownersOf(former);
  if (mode !== (info.mode & 0o777)) await chmod(full, mode).catch(() => undefined);
  if (info.size > LARGEST_FILE || info.size > budget) return { kind: 'large', path, size: info.size };
  const bytes = await readClosed(full);
  // No command of ours made what we can't open.
  if (bytes === undefined) return undefined;
  const before = await contentsBefore(claimed, path);
  if (former !== undefined && (former.mode & 0o777) === mode && before?.equals(bytes) === true) return undefined;
  return { kind: 'file', path, bytes, mode, before, ...(former?.isFile() && { was: former.mode & 0o777 }) };
}

async function contentsBefore({ files, copies }: Claimed, path: string): Promise<Buffer | null> {
  return files.get(path)?.isFile() === true ? readFile(join(copies, path)) : null;
}
