import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { MAIN } from '../own-command.js';
import { withoutGit } from './shop.js';

const AGENT = fileURLToPath(new URL('./agent.js', import.meta.url));
const WITH_PARENT = new URL('./with-parent.js', import.meta.url).href;

/** How long a process has for its farewell, in milliseconds. */
const FAREWELL = 4_000;
const KEPT = 4_000;

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when it has ended and, with it, whoever inherited its stderr: the server that an agent's client started. */
  readonly gone: Promise<void>;
  /** The last of what it said on stderr. */
  said(): string;
}

export interface Served {
  readonly child: Child;
  readonly url: string;
  readonly tokenFile: string;
}

const announced = z.object({ url: z.string(), token_file: z.string() });

/** Starts `signalbox serve` on a free port and waits until it listens. */
export async function serve(root: string, signal: AbortSignal): Promise<Served> {
  const args = ['serve', '--port', '0', '--json', '--root', root];
  const env = withoutGit(process.env);
  const child = listening(fork(MAIN, args, { cwd: root, env, execArgv: ['--import', WITH_PARENT], silent: true }));
  try {
    const { url, token_file } = announced.parse(JSON.parse(await firstLine(child, signal)));
    return { child, url, tokenFile: token_file };
  } catch (error) {
    await endChild(child);
    throw error;
  }
}

async function firstLine({ process, said }: Child, signal: AbortSignal): Promise<string> {
  const { stdout } = process;
  if (stdout === null) throw new Error('signalbox serve has no stdout');
  const ended = new AbortController();
  process.once('exit', () => ended.abort());
  try {
    const either = AbortSignal.any([signal, ended.signal]);
    const [line] = await once(createInterface({ input: stdout }), 'line', { signal: either });
    return String(line);
  } catch (error) {
    throw ended.signal.aborted ? new Error(`signalbox serve ended at once: ${said()}`) : error;
  }
}

/** Starts the process of an agent; it plays when it is told its part. */
export function startAgent(root: string): Child {
  const env = withoutGit(process.env);
  return listening(fork(AGENT, [], { cwd: root, env, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }));
}

function listening(process: ChildProcess): Child {
  let said = '';
  process.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT);
  });
  return { process, gone: new Promise((resolve) => process.once('close', () => resolve())), said: () => said.trim() };
}

/** Ends a child, kindly first. `server` is the process that it started for itself. */
export async function endChild({ process, gone }: Child, server?: number): Promise<void> {
  if (process.pid === undefined) return;
  process.kill('SIGTERM');
  const late = setTimeout(() => {
    process.kill('SIGKILL');
    if (server !== undefined) killByPid(server);
  }, FAREWELL);
  await gone;
  clearTimeout(late);
}

function killByPid(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
