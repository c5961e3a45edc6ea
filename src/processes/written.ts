import { isUtf8 } from 'node:buffer';
import { spawn } from 'node:child_process';
import { constants, type Stats } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import type { Layer } from './layer.js';
import type { Written } from './runner.js';
import { LIST, TRUSTED_PATH } from './script.js';

/** A file above this is `large`; so is whatever would make one run's files larger than `MOST` together. */
const LARGE = 50 * 1024 * 1024;
const MOST = 256 * 1024 * 1024;

/**
 * Paths are kept as latin1 text here, one character a byte: names need not be UTF-8, and no two may fall together.
 * What can't be named in UTF-8 is reported as `special`.
 */
type Bytes = string;
const onDisk = (path: Bytes): Buffer => Buffer.from(path, 'latin1');
const under = (folder: Bytes, name: Bytes): Bytes => (folder === '' ? name : `${folder}/${name}`);

/**
 * What the layer of a run changes in the live tree, with no links followed. Only differences count: a file that was
 * opened for writing but has the bytes and mode of the live one is none. Nobody writes to the layer any more.
 */
export async function scanLayer(root: string, layer: Layer): Promise<readonly Written[]> {
  const scan: Scan = {
    root: Buffer.from(root).toString('latin1'),
    upper: Buffer.from(join(layer.path, 'upper')).toString('latin1'),
    shared: [],
    found: [],
    budget: MOST,
  };
  await scanFolder(scan, '', true);
  if (scan.shared.length === 1 && scan.found.length === 0 && !scan.whiteout) return [];
  // The live names first: a file that appears in between is then in the merged view only, and not taken for deleted.
  const live = await Promise.all(
    scan.shared.map(async (folder) => (await names(scan.root, folder)).map((name) => under(folder, name))),
  );
  const merged = await mergedNames(root, layer, scan.shared);
  for (const path of live.flat().filter((candidate) => !merged.has(candidate))) await deleted(scan, path);
  return scan.found;
}

interface Scan {
  readonly root: Bytes;
  readonly upper: Bytes;
  /** Folders that are in the layer and, as folders, in the live tree. */
  readonly shared: Bytes[];
  readonly found: Written[];
  budget: number;
  whiteout?: true;
}

async function scanFolder(scan: Scan, folder: Bytes, live: boolean): Promise<void> {
  if (live) scan.shared.push(folder);
  for (const name of await names(scan.upper, folder)) {
    const path = under(folder, name);
    const mine = await status(scan.upper, path);
    if (mine === undefined) report(scan, path, (shown) => ({ kind: 'special', path: shown }));
    else if (mine.isCharacterDevice() && mine.rdev === 0) scan.whiteout = true;
    else await scanEntry(scan, path, mine, live ? await status(scan.root, path) : undefined);
  }
}

async function scanEntry(scan: Scan, path: Bytes, mine: Stats, theirs: Stats | undefined): Promise<void> {
  await unlock(scan, path, mine);
  if (mine.isDirectory()) {
    if (theirs !== undefined && !theirs.isDirectory()) await deleted(scan, path);
    return scanFolder(scan, path, theirs?.isDirectory() === true);
  }
  if (theirs?.isDirectory()) await deleted(scan, path);
  if (mine.isFile()) return scanFile(scan, path, mine, theirs);
  if (!mine.isSymbolicLink()) return report(scan, path, (shown) => ({ kind: 'special', path: shown }));
  const target = await readlink(onDisk(`${scan.upper}/${path}`));
  if (theirs?.isSymbolicLink() && (await readlink(onDisk(`${scan.root}/${path}`))) === target) return;
  report(scan, path, (shown) => ({ kind: 'link', path: shown, target }));
}

async function scanFile(scan: Scan, path: Bytes, mine: Stats, theirs: Stats | undefined): Promise<void> {
  const { size } = mine;
  if (size > LARGE || size > scan.budget) return report(scan, path, (shown) => ({ kind: 'large', path: shown, size }));
  const bytes = await contents(`${scan.upper}/${path}`);
  const mode = mine.mode & 0o777;
  if (theirs?.isFile() && theirs.size === size && (theirs.mode & 0o777) === mode) {
    const present = await contents(`${scan.root}/${path}`).catch(() => undefined);
    if (present?.equals(bytes)) return;
  }
  scan.budget -= size;
  report(scan, path, (shown) => ({ kind: 'file', path: shown, bytes, mode }));
}

/** A path of the live tree that is gone in the layer; for a folder, all files below it. */
async function deleted(scan: Scan, path: Bytes): Promise<void> {
  const theirs = await status(scan.root, path);
  if (theirs === undefined) return;
  if (!theirs.isDirectory()) return report(scan, path, (shown) => ({ kind: 'deleted', path: shown }));
  for (const name of await names(scan.root, path)) await deleted(scan, under(path, name));
}

function report(scan: Scan, path: Bytes, what: (shown: string) => Written): void {
  const raw = onDisk(path);
  const shown = raw.toString('utf8');
  scan.found.push(isUtf8(raw) ? what(shown) : { kind: 'special', path: shown });
}

async function status(base: Bytes, path: Bytes): Promise<Stats | undefined> {
  try {
    return await lstat(onDisk(`${base}/${path}`));
  } catch {
    return undefined;
  }
}

async function names(base: Bytes, folder: Bytes): Promise<Bytes[]> {
  try {
    return await readdir(onDisk(`${base}/${folder}`), 'latin1');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(String((error as NodeJS.ErrnoException).code))) return [];
    throw error;
  }
}

/** The command may have closed what it wrote even to its owner. */
async function unlock(scan: Scan, path: Bytes, mine: Stats): Promise<void> {
  const needed = mine.isDirectory() ? 0o700 : mine.isFile() ? 0o400 : 0;
  if ((mine.mode & needed) !== needed) await chmod(onDisk(`${scan.upper}/${path}`), (mine.mode & 0o777) | needed);
}

async function contents(path: Bytes): Promise<Buffer> {
  const file = await open(onDisk(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** What folders hold in the merged view of layer and live tree; throws where it cannot be made, so that nothing is guessed. */
async function mergedNames(root: string, layer: Layer, folders: readonly Bytes[]): Promise<ReadonlySet<Bytes>> {
  const namespaces = ['--user', '--map-current-user', '--keep-caps', '--mount'];
  await mkdir(join(layer.path, 'again'), { recursive: true });
  const child = spawn('unshare', [...namespaces, '--', 'sh', '-c', LIST, 'signalbox', root, layer.relative], {
    env: { PATH: TRUSTED_PATH },
  });
  const code = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  child.stdin.on('error', () => undefined).end(onDisk(folders.map((folder) => `./${folder}\0`).join('')));
  const [listed, complaint, status] = await Promise.all([buffer(child.stdout), text(child.stderr), code]);
  if (status !== 0) throw new Error(`the layer of a run could not be listed: ${complaint.trim()}`);
  return new Set(
    listed
      .toString('latin1')
      .split('\0')
      .map((path) => path.replace(/^\.\/+/, '')),
  );
}
