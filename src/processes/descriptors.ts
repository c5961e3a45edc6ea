import { readdirSync, readFileSync } from 'node:fs';

const CLOSE_ON_EXEC = 0o2000000;

/**
 * The highest descriptor that a child process would inherit, or -1. Node opens all of its own so that they close, but not
 * what it was started with; an open folder of the host among that would be a way out of any root.
 */
export function highestInherited(): number {
  const inherited = readdirSync('/proc/self/fd').map(Number).filter(isInherited);
  return Math.max(-1, ...inherited);
}

function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // The listing itself held it open.
    return false;
  }
}
