import { readFileSync, writeFileSync } from 'node:fs';
import type { Client } from './client.js';

const MEGABYTE = 1e6;

/** How much resident memory a server took at most while something was done, above what it had before: MB, from `/proc`. */
export async function memoryOf({ pid }: Client, work: () => Promise<unknown>): Promise<number> {
  // Forgets the peak so far.
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const before = status(pid, 'VmRSS');
  await work();
  return (status(pid, 'VmHWM') - before) / MEGABYTE;
}

function status(pid: number, name: string): number {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`the system does not tell the ${name} of process ${pid}`);
  return Number(kibibytes) * 1024;
}
