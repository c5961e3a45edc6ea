import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Named pipes in an ignored folder that commands work in directly: signals between a test and a command, without sleeping. */
const FOLDER = 'node_modules';

export const GATES_IGNORED = `${FOLDER}/\n`;

/** A place where a command waits for the test: `wait` is for its shell, `open` lets it go on. */
export interface Gate {
  readonly wait: string;
  open(): void;
}

export function gate(root: string, name: string): Gate {
  const path = pipe(root, name);
  // Open for both ways, a pipe never makes its opener wait: not for a command that has not come yet, nor for one that is dead.
  const pipeEnd = openSync(join(root, path), 'r+');
  onTestFinished(() => closeSync(pipeEnd));
  return { wait: `read -r _ < ${path}`, open: () => void writeSync(pipeEnd, 'go\n') };
}

/** Tells when a command runs, and when the last of its processes is dead: they hold a pipe open. */
export interface Pulse {
  /** For the shell, before anything else is started. */
  readonly hold: string;
  readonly begun: Promise<unknown>;
  readonly dead: Promise<unknown>;
}

export function pulse(root: string, name = 'pulse'): Pulse {
  const path = pipe(root, name);
  const stream = createReadStream(join(root, path));
  const dead = once(stream, 'end');
  return { hold: `exec 7>${path}; echo up >&7`, begun: once(stream, 'data'), dead };
}

function pipe(root: string, name: string): string {
  mkdirSync(join(root, FOLDER), { recursive: true });
  execFileSync('mkfifo', [join(root, FOLDER, name)]);
  return join(FOLDER, name);
}
