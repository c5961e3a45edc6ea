import {
  closeSync,
  type FSWatcher,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isErrno, onDisk } from './folder.js';

/**
 * The bells of the servers that wait for news: one small file each, in one folder. Whoever commits writes a byte
 * to each; its owner watches it. A bell is a hint and may be missed; the truth is polled.
 */
export class Bells {
  readonly #folder: string;
  readonly #own: string;
  #watcher: FSWatcher | undefined;
  #hung = false;
  #due: NodeJS.Immediate | undefined;

  /** `own` names this server's bell. */
  constructor(folder: string, own: string) {
    this.#folder = folder;
    this.#own = own;
    // Listing an empty folder is cheaper than failing to list one that is not there, and each commit lists it.
    onDisk('the bells have no folder', () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  }

  /** Hangs up this server's bell, and takes down those of servers that are dead. */
  listen(heard: () => void): void {
    if (this.#hung) return;
    this.#hung = true;
    const path = join(this.#folder, this.#own);
    try {
      for (const name of readdirSync(this.#folder)) if (isDead(name)) this.#remove(name);
      writeFileSync(path, '.', { mode: 0o600 });
      this.#watcher = watch(path, { persistent: false }, heard);
      this.#watcher.on('error', () => this.#deaf());
    } catch {
      // Too many watchers on this machine, or a full disk: polling does alone.
      this.#deaf();
    }
  }

  /** Rings all others, once for all commits of one turn of the event loop; the answers go out first. */
  ring(): void {
    this.#due ??= setImmediate(() => this.#ringOthers());
  }

  close(): void {
    if (this.#due !== undefined) this.#ringOthers();
    this.#watcher?.close();
    if (this.#hung) this.#remove(this.#own);
    this.#hung = false;
  }

  #ringOthers(): void {
    clearImmediate(this.#due);
    this.#due = undefined;
    for (const name of this.#names()) if (name !== this.#own) ringOne(join(this.#folder, name));
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder);
    } catch {
      // The folder was taken away; the poll is the truth.
      return [];
    }
  }

  #remove(name: string): void {
    rmSync(join(this.#folder, name), { force: true });
  }

  #deaf(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

function ringOne(path: string): void {
  try {
    const file = openSync(path, 'r+');
    try {
      writeSync(file, '.', 0);
    } finally {
      closeSync(file);
    }
  } catch {
    // It was taken down just now, or the disk is full. The commit stands either way, and its owner polls.
  }
}

/** A name for this process that no other, living or dead, has: pid, start time and the namespace in which the pid counts. */
export function processName(): string {
  return `${process.pid}.${startOf(process.pid) ?? 0}.${namespace()}`;
}

/** Whether a bell's server is surely dead. A name of another kind or of another namespace cannot be judged. */
export function isDead(name: string): boolean {
  const [, pid, start, space] = /^(\d+)\.(\d+)\.(\w+)(?:\.|$)/.exec(name) ?? [];
  if (pid === undefined || start === undefined || space !== namespace()) return false;
  if (process.platform === 'linux') return startOf(Number(pid)) !== start;
  return !runs(Number(pid));
}

/** When a process began, in clock ticks since boot. Undefined where there is none, or no `/proc` to ask. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name, which may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return 'host';
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}
