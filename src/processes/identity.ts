import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** A mark of another PID namespace, which can't be looked into, is believed for this long: no run lasts longer. */
const BELIEVED = 24 * 3_600_000;

/**
 * Names a process beyond its number, which is used again: number, start time in clock ticks, PID namespace.
 * Undefined where it is gone. Without /proc the number has to do: a process that took it over is believed to be the same.
 */
export function processMark(pid: number): string | undefined {
  if (process.platform !== 'linux') return isAlive(pid) ? `${pid} - ${space()}` : undefined;
  const line = statOf(pid);
  if (line === undefined) return undefined;
  // The name may hold blanks and parentheses: count fields from its end.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  // Dead, but its parent has not asked for its end yet.
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
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

/** Where numbers of processes mean the same. */
const space = (): string => (process.platform === 'linux' ? readlinkSync('/proc/self/ns/pid') : process.platform);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function statOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
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
