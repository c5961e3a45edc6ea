import { isUtf8 } from 'node:buffer';
import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { mkdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { LARGEST_FILE } from '../domain/file-limits.js';
import type { Layer } from './layer.js';
import type { ScratchRules, Written } from './runner.js';
import { clearFile, clearFolder, ignoresItself } from './scratch.js';
import { LIST, TRUSTED_PATH } from './script.js';
import { asBytes, type Bytes, contents, names, onDisk, ownersOf, status, under, unlock } from './tree.js';

/** What would make one run's files larger than this together is `large` too. */
const MOST = 256 * 1024 * 1024;

/** A path that the layer has and the live tree has not, or as something else. */
interface Entry {
  readonly path: Bytes;
  readonly mine: Stats;
  readonly theirs: Stats | undefined;
}

/**
 * What the layer of a run changes in the live tree, with no links followed. Only differences count: a file that was
 * opened for writing but has the bytes and mode of the live one is none. Of scratch nothing is read: it comes in as few
 * pieces as can be moved. Nobody writes to the layer any more. What can't be named in UTF-8 is reported as `special`.
 */
export async function scanLayer(root: string, layer: Layer, rules: ScratchRules): Promise<readonly Written[]> {
  const scan = new Scan(asBytes(root), asBytes(join(layer.path, 'upper')), layer, rules);
  await scan.gather('');
  if (scan.isUnchanged) return scan.found;
  await scan.sort();
  // The live names first: a file that appears in between is then in the merged view only, and not taken for deleted.
  const live = await Promise.all(scan.shared.map((folder) => scan.liveNames(folder)));
  const merged = await mergedNames(root, layer, scan.shared);
  await scan.removed(live.flat().filter((candidate) => !merged.has(candidate)));
  return scan.found;
}

class Scan {
  /** Folders that are in the layer and, as folders, in the live tree. */
  readonly #shared = new Set<Bytes>();
  readonly found: Written[] = [];
  #entries: Entry[] = [];
  /** New folders that leave themselves out. */
  readonly #alone = new Set<Bytes>();
  /** Paths known to be scratch, folders with a slash at their end. */
  readonly #scratch = new Set<Bytes>();
  #budget = MOST;
  #whiteout = false;

  constructor(
    readonly root: Bytes,
    readonly upper: Bytes,
    readonly layer: Layer,
    readonly rules: ScratchRules,
  ) {}

  get shared(): readonly Bytes[] {
    return [...this.#shared];
  }

  get isUnchanged(): boolean {
    return this.#shared.size === 1 && this.#entries.length === 0 && !this.#whiteout;
  }

  /** Walks the folders that the layer shares with the live tree. New ones wait: most often all of one is scratch. */
  async gather(folder: Bytes): Promise<void> {
    this.#shared.add(folder);
    for (const name of await names(this.upper, folder)) {
      const path = under(folder, name);
      const mine = status(this.upper, path);
      if (mine === undefined) this.#report(path, (shown) => ({ kind: 'special', path: shown }));
      else if (isWhiteout(mine)) this.#whiteout = true;
      else await this.#enter({ path, mine, theirs: status(this.root, path) });
    }
  }

  async #enter(entry: Entry): Promise<void> {
    const { path, mine, theirs } = entry;
    await unlock(`${this.upper}/${path}`, mine);
    if (mine.isDirectory() && theirs?.isDirectory()) return this.gather(path);
    this.#entries.push(entry);
    if (mine.isDirectory() && theirs === undefined && (await ignoresItself(`${this.upper}/${path}`)))
      this.#alone.add(`${path}/`);
  }

  /** Tells scratch from the rest, and what the rest is. */
  async sort(): Promise<void> {
    await this.#ask([...this.shared.slice(1).map((path) => `${path}/`), ...this.#entries.flatMap(namesOf)]);
    const fresh = await this.#settle();
    if (fresh.length === 0) return;
    // What lies below new folders that are not scratch themselves.
    this.#entries = [];
    for (const { path } of fresh) await this.#below(path);
    await this.#ask(this.#entries.flatMap(namesOf));
    await this.#settle();
  }

  /** → the new folders that are not scratch. */
  async #settle(): Promise<Entry[]> {
    const fresh: Entry[] = [];
    for (const entry of this.#entries) {
      const { path, mine, theirs } = entry;
      const top = this.#topOf(path, mine.isDirectory());
      const isSame = theirs === undefined || theirs.isDirectory() === mine.isDirectory();
      // A piece of scratch never takes the place of something else that is versioned.
      if (top !== undefined && (isSame || this.#topOf(path, !mine.isDirectory()) !== undefined)) {
        if (!isSame) this.#piece(path, top, null, !mine.isDirectory());
        await this.#scratchEntry(entry, top);
      } else {
        this.#scratch.delete(mine.isDirectory() ? `${path}/` : path);
        if (!isSame) await this.removed([path]);
        if (mine.isDirectory()) fresh.push(entry);
        else await this.#versioned(entry);
      }
    }
    return fresh;
  }

  async #below(folder: Bytes): Promise<void> {
    for (const name of await names(this.upper, folder)) {
      const path = under(folder, name);
      const mine = status(this.upper, path);
      if (mine === undefined) this.#report(path, (shown) => ({ kind: 'special', path: shown }));
      else if (!isWhiteout(mine)) {
        await this.#enter({ path, mine, theirs: undefined });
        if (mine.isDirectory() && !this.#alone.has(`${path}/`)) await this.#below(path);
      }
    }
  }

  async #ask(paths: readonly Bytes[]): Promise<void> {
    const nameable = paths.filter((path) => isUtf8(onDisk(path)));
    if (nameable.length === 0) return;
    const alone = nameable.filter((path) => this.#alone.has(path));
    const scratch = await this.rules.among(nameable.map(shownOf), alone.map(shownOf));
    for (const path of nameable) if (scratch.has(shownOf(path))) this.#scratch.add(path);
  }

  /** The topmost scratch folder around a path, or the path itself; undefined: it is not scratch. */
  #topOf(path: Bytes, folder: boolean): Bytes | undefined {
    for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1))
      if (this.#scratch.has(path.slice(0, end + 1))) return path.slice(0, end);
    return this.#scratch.has(folder ? `${path}/` : path) ? path : undefined;
  }

  async #scratchEntry({ path, mine, theirs }: Entry, top: Bytes): Promise<void> {
    // It goes with the new folder around it.
    if (theirs === undefined && top !== path && !this.#shared.has(parentOf(path))) return;
    const full = `${this.upper}/${path}`;
    if (mine.isDirectory()) {
      const taken = await clearFolder(full, this.rules.sealed, asBytes(join(this.layer.path, 'aside')));
      for (const { kind, path: inside } of taken)
        this.#report(inside === '' ? path : `${path}/${inside}`, (shown) => ({ kind, path: shown }));
      if (taken.some(({ path: inside }) => inside === '')) return;
    } else if (mine.isFile()) await clearFile(full, mine);
    else if (!mine.isSymbolicLink()) return this.#report(path, (shown) => ({ kind: 'special', path: shown }));
    this.#piece(path, this.#alone.has(`${path}/`) ? '' : top, path, mine.isDirectory());
  }

  #piece(path: Bytes, top: Bytes, from: Bytes | null, folder: boolean): void {
    const { relative } = this.layer;
    this.#report(path, (shown) => ({
      kind: 'scratch',
      path: shown,
      folder,
      top: shownOf(top),
      from: from === null ? null : `${relative}/upper/${shownOf(from)}`,
      aside: `${relative}/aside`,
    }));
  }

  async #versioned({ path, mine, theirs }: Entry): Promise<void> {
    if (mine.isFile()) return this.#file(path, mine, theirs);
    if (!mine.isSymbolicLink()) return this.#report(path, (shown) => ({ kind: 'special', path: shown }));
    const target = await readlink(onDisk(`${this.upper}/${path}`));
    if (theirs?.isSymbolicLink() && (await readlink(onDisk(`${this.root}/${path}`))) === target) return;
    this.#report(path, (shown) => ({ kind: 'link', path: shown, target }));
  }

  async #file(path: Bytes, mine: Stats, theirs: Stats | undefined): Promise<void> {
    const { size } = mine;
    if (size > LARGEST_FILE) return this.#report(path, (shown) => ({ kind: 'large', path: shown, size }));
    const bytes = await contents(`${this.upper}/${path}`);
    const mode = (mine.mode & 0o777) | ownersOf(theirs);
    if (theirs?.isFile() && theirs.size === size && (theirs.mode & 0o777) === mode) {
      const present = await contents(`${this.root}/${path}`).catch(() => undefined);
      if (present?.equals(bytes)) return;
    }
    if (size > this.#budget)
      return this.#report(path, (shown) => ({ kind: 'large', path: shown, size, hash: hash('sha256', bytes) }));
    this.#budget -= size;
    this.#report(path, (shown) => ({ kind: 'file', path: shown, bytes, mode }));
  }

  /** Paths of the live tree that are gone in the layer; for a folder that is not scratch, what lies below it. */
  async removed(paths: readonly Bytes[]): Promise<void> {
    const present: { path: Bytes; folder: boolean }[] = [];
    for (const path of paths) {
      const theirs = status(this.root, path);
      if (theirs !== undefined) present.push({ path, folder: theirs.isDirectory() });
    }
    const unknown = present.filter(({ path, folder }) => this.#topOf(path, folder) === undefined);
    await this.#ask(unknown.map(({ path, folder }) => (folder ? `${path}/` : path)));
    const below: Bytes[] = [];
    for (const { path, folder } of present) {
      const top = this.#topOf(path, folder);
      if (top !== undefined) this.#piece(path, top, null, folder);
      else if (folder) below.push(...(await this.liveNames(path)));
      else this.#report(path, (shown) => ({ kind: 'deleted', path: shown }));
    }
    if (below.length > 0) await this.removed(below);
  }

  async liveNames(folder: Bytes): Promise<Bytes[]> {
    return (await names(this.root, folder)).map((name) => under(folder, name));
  }

  #report(path: Bytes, what: (shown: string) => Written): void {
    const told = what(shownOf(path));
    this.found.push(isUtf8(onDisk(path)) ? told : unnameable(told));
  }
}

function unnameable(told: Written): Written {
  return { kind: 'special', path: told.path, ...(told.kind === 'file' && { hash: hash('sha256', told.bytes) }) };
}

const shownOf = (path: Bytes): string => onDisk(path).toString('utf8');
const parentOf = (path: Bytes): Bytes => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const isWhiteout = (info: Stats): boolean => info.isCharacterDevice() && info.rdev === 0;

/** As what a path may be scratch: what the layer has there, and what the live tree has. */
function namesOf({ path, mine, theirs }: Entry): Bytes[] {
  const kinds = new Set([mine.isDirectory(), theirs?.isDirectory() ?? mine.isDirectory()]);
  return [...kinds].map((folder) => (folder ? `${path}/` : path));
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
