import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';

/** A mark of another PID namespace, which can't be looked into, is believed for this long: no run lasts longer. */
const BELIEVED = 24 * 3_600_000;

/**
 * Names a process beyond its number, which is used again: number, start time in clock ticks, PID namespace.
 * Undefined where it is gone. Without /proc the number has to do: a process that took it over is believed to be the same.
 */
export function processMark(pid: number): string | undefined {
  if (process.platform !== 'linux') return isAlive(pid) ? `${pid} - ${space()}` : undefined;
  const fields = fieldsOf(pid);
  // Dead, but its parent has not asked for its end yet.
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${pid} ${fields[19] ?? ''} ${space()}`;
}

/** What became of the process with this mark. `unknown`: it is of another PID namespace, which can't be looked into. */
export function fateOf(mark: string): 'alive' | 'gone' | 'unknown' {
  if (!mark.endsWith(` ${space()}`)) return 'unknown';
  return processMark(Number.parseInt(mark, 10)) === mark ? 'alive' : 'gone';
}

/** Whether the process whose mark a file holds lives. */
export async function isServed(path: string): Promise<boolean> {
  try {
    const mark = await readFile(path, 'utf8');
    const fate = fateOf(mark);
    return fate === 'unknown' ? Date.now() - (await stat(path)).mtimeMs < BELIEVED : fate === 'alive';
  } catch {
    return false;
  }
}

/** Makes the mark in a file that of this process. */
export async function adopt(path: string): Promise<void> {
  const temp = `${path}.${randomUUID()}`;
  await writeFile(temp, processMark(process.pid) ?? '', { mode: 0o600 });
  await rename(temp, path);
}

/**
 * Whether what was started as `target` (a process or, negative, a group) with this mark is known to be gone. A zombie is:
 * its parent may be stopped. What runs in another PID namespace can't be known.
 */
export function isGone(target: number, mark: string): boolean {
  if (!mark.endsWith(` ${space()}`)) return false;
  if (target > 0) return processMark(target) !== mark || isZombie(target);
  if (process.platform !== 'linux') return !isAlive(target);
  return readdirSync('/proc').every((name) => !/^\d+$/.test(name) || !isOfGroup(Number(name), -target));
}

/** Whether the number still belongs to what had the mark, so that a signal meets nobody else. */
export function isStill(target: number, mark: string): boolean {
  return processMark(Math.abs(target)) === mark;
}

const isZombie = (pid: number): boolean => fieldsOf(pid)?.[0] === 'Z';

function isOfGroup(pid: number, group: number): boolean {
  const fields = fieldsOf(pid);
  return fields !== undefined && fields[2] === String(group) && fields[0] !== 'Z';
}

/** Where numbers of processes mean the same. */
const space = (): string => (process.platform === 'linux' ? readlinkSync('/proc/self/ns/pid') : process.platform);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What `/proc/…/stat` says after the name: state, parent, group, … */
function fieldsOf(pid: number): readonly string[] | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold blanks and parentheses: count fields from its end.
    return line.slice(line.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** All processes below one, parents first. */
export function descendants(pid: number): readonly number[] {
  const found: number[] = [];
  for (let i = -1; i < found.length; i++) found.push(...childrenOf(i < 0 ? pid : (found[i] ?? 0)));
  return found;
}

/** The processes that the threads of one started or inherited. */
function childrenOf(pid: number): readonly number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const lists = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim());
    return lists.filter((list) => list !== '').flatMap((list) => list.split(' ').map(Number));
  } catch {
    return [];
  }
}
