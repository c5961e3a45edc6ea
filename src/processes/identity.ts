import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** A mark of another PID namespace, which can't be looked into, is believed for this long: no run lasts longer. */
const BELIEVED = 24 * 3_600_000;

/**
 * Names a process beyond its number, which is used again: number, start time in clock ticks, PID namespace.
 * Undefined where it is gone or the system has no /proc.
 */
export function processMark(pid: number): string | undefined {
  const line = statOf(pid);
  if (line === undefined) return undefined;
  // The name may hold blanks and parentheses: count fields from its end.
  const started = line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return `${pid} ${started} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** Whether the process whose mark a file holds lives. */
export async function isServed(path: string): Promise<boolean> {
  try {
    const mark = await readFile(path, 'utf8');
    const own = readlinkSync('/proc/self/ns/pid');
    if (mark.endsWith(own)) return processMark(Number.parseInt(mark, 10)) === mark;
    return Date.now() - (await stat(path)).mtimeMs < BELIEVED;
  } catch {
    return false;
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
