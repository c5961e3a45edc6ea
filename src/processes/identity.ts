import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Names a process beyond its number, which is used again: number, start time in clock ticks, PID namespace.
 * Undefined where it is gone or the system has no /proc.
 */
export function processMark(pid: number): string | undefined {
  const stat = statOf(pid);
  if (stat === undefined) return undefined;
  // The name may hold blanks and parentheses: count fields from its end.
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return `${pid} ${started} ${readlinkSync('/proc/self/ns/pid')}`;
}

export function isAlive(mark: string): boolean {
  const pid = Number.parseInt(mark, 10);
  return Number.isInteger(pid) && processMark(pid) === mark;
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
