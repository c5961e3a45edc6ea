import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type Begins, exitOf, type Launched } from './sandbox.js';
import { watch } from './watchdog.js';

/** How long to look for the end of a killed group, and how often. */
const PATIENCE = 2_000;
const LOOK = 10;

/** The command begins when it is watched: a server that died before that says nothing, and the read ends. */
const GATE = 'read -r go <&3 || exit 125; exec 3<&-; exec "$@" 2>&1';

export interface GroupOptions {
  readonly cwd: string;
  readonly env: { readonly [name: string]: string };
  /** See `watch`. */
  readonly lease: number;
  readonly begins: Begins;
}

/** A program in a process group of its own, where there are no namespaces. A process that leaves the group is not found again. */
export async function startGroup(
  program: readonly string[],
  { cwd, env, lease, begins }: GroupOptions,
): Promise<Pick<Launched, 'exited' | 'output' | 'signal'>> {
  const child = spawn('sh', ['-c', GATE, 'signalbox', ...program], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    detached: true,
  });
  const exited = exitOf(child);
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const group = -(child.pid ?? 0);
  const callOff = watch(group, lease);
  begins(group);
  const gate = child.stdio[3] as Writable;
  gate.on('error', () => undefined).end('go\n');
  return {
    exited: exited.then(async (code) => {
      callOff();
      await endGroup(group);
      return code;
    }),
    output: child.stdout as Readable,
    signal: (signal) => void send(group, signal),
  };
}

/** Kills who is left of a group, and waits until nobody is. */
async function endGroup(group: number): Promise<void> {
  const until = performance.now() + PATIENCE;
  while (send(group, 'SIGKILL') && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, LOOK));
}

/** False where nobody of the group is left. */
function send(group: number, signal: NodeJS.Signals): boolean {
  try {
    return group < 0 && process.kill(group, signal);
  } catch {
    return false;
  }
}
