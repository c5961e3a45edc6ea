import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { MAIN } from './agents.js';

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of `signalbox` to its end. */
export async function runCli(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const child = start(args, options);
  const [out, err] = [read(child.stdout), read(child.stderr)];
  const [code] = await once(child, 'close');
  return { code, out: out.text, err: err.text };
}

/** A command that goes on until it is stopped. */
export interface Running {
  readonly pid: number;
  /** Resolves with the output as soon as it matches. Fails when the command ends first. */
  shows(pattern: RegExp): Promise<string>;
  /** The same for what it says on stderr. */
  complains(pattern: RegExp): Promise<string>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** The exit code, when it ends by itself. */
  readonly ended: Promise<number | null>;
}

export function startCli(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Running {
  const child = start(args, options);
  const ended = once(child, 'close');
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    pid: child.pid ?? 0,
    shows: matching(read(child.stdout), ended),
    complains: matching(read(child.stderr), ended),
    async stop(signal = 'SIGINT') {
      child.kill(signal);
      const [code] = await ended;
      return code;
    },
    ended: ended.then(([code]) => code),
  };
}

function matching(said: Said, ended: Promise<unknown>): (pattern: RegExp) => Promise<string> {
  return async (pattern) => {
    while (!pattern.test(said.text)) {
      const more = await Promise.race([said.more(), ended.then(() => 'ended')]);
      if (more === 'ended' && !pattern.test(said.text)) throw new Error(`ended without ${pattern}: ${said.text}`);
    }
    return said.text;
  };
}

function start(
  args: readonly string[],
  { cwd, env }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

interface Said {
  readonly text: string;
  more(): Promise<void>;
}

function read(stream: NodeJS.ReadableStream): Said {
  let text = '';
  stream.on('data', (chunk) => {
    text += String(chunk);
  });
  return {
    get text() {
      return text;
    },
    more: async () => void (await once(stream, 'data')),
  };
}
