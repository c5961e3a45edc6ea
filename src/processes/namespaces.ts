import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { type Refusal, refuse } from '../domain/refusal.js';
import type { Cuts } from './cuts.js';
import { highestInherited } from './descriptors.js';
import { inherited, searchPath } from './environment.js';
import { isReachable } from './host.js';
import { descendants } from './identity.js';
import { type Layer, removeLayer } from './layer.js';
import { baseTable, discrepancies, fstab, isCut, type Mount, mountTable, type View } from './mounts.js';
import { takePipe } from './pipe.js';
import type { RunSpec } from './runner.js';
import { type Begins, exitOf, type Launched, shell } from './sandbox.js';
import { BUILD, INIT, TRUSTED_PATH } from './script.js';

const NAMESPACES = [
  '--user',
  '--map-current-user',
  '--keep-caps',
  '--mount',
  '--ipc',
  '--pid',
  '--fork',
  '--kill-child',
];

/** A mount of the host that answers no more must not hold a caller for ever. */
const PATIENCE = 20_000;

/** A command of which only its level knows what it wrote. `pid` is the process whose end takes all others with it. */
export type InsideLaunched = Omit<Launched, 'written'> & { readonly pid: number };

/** What a level decides about a run; everything else is the same for all that are made with namespaces. */
export interface Inside {
  /** What the mounts are made from: gathered while the namespaces are being built. */
  view(): Promise<View>;
  /** Variables that replace those of the server, `HOME` among them. */
  readonly env: { readonly [name: string]: string };
  /** Told which folders could not be cut off. */
  readonly cuts: Pick<Cuts, 'giveUp'>;
}

/**
 * Starts a command in namespaces of its own, made with util-linux alone, on the mounts of a view. Must be used on the main
 * thread: the kernel's parent-death signal follows the thread that started a process.
 */
export async function startInside(
  root: string,
  layer: Layer,
  spec: RunSpec,
  { view, env, cuts }: Inside,
  begins: Begins,
): Promise<InsideLaunched | Refusal> {
  const base = writeFile(join(layer.path, 'base'), fstab(baseTable(root, layer.path), ''), { mode: 0o600 });
  const [pipe] = await Promise.all([takePipe(layer.path), base]);
  const child = startBuilder(pipe.writer, commandLine(root, layer, spec), env);
  const exited = exitOf(child);
  try {
    const reason = await ready(child, () => plan(layer, view), cuts, begins);
    if (reason !== undefined) {
      pipe.readable.destroy();
      return unavailable(reason);
    }
  } finally {
    pipe.release();
  }
  return {
    pid: child.pid ?? 0,
    exited,
    output: pipe.readable,
    signal: (signal) => signalTree(child, signal),
    dispose: () => removeLayer(layer.path),
  };
}

/** Lays down what is to be mounted. */
async function plan(layer: Layer, view: Inside['view']): Promise<readonly Mount[]> {
  const table = mountTable(await view());
  await writeFile(join(layer.path, 'plan'), fstab(table, `${join(layer.path, 'root')}/.`), { mode: 0o600 });
  return table;
}

/** Starts the sandbox's first program with three descriptors and a channel for control, and none besides. */
function startBuilder(output: number, args: readonly string[], env: Inside['env']): ChildProcess {
  const nothing = openSync('/dev/null', 'r');
  try {
    const covers = Array<number>(Math.max(0, highestInherited() - 3)).fill(nothing);
    return spawn('setpriv', args, {
      // The command's own variables come last, as arguments: they must not reach the programs that build its walls.
      env: { ...inherited(process.env), ...env, PATH: TRUSTED_PATH },
      stdio: ['ignore', output, 'pipe', 'pipe', ...covers],
      detached: true,
    });
  } finally {
    closeSync(nothing);
  }
}

function commandLine(root: string, layer: Layer, spec: RunSpec): readonly string[] {
  const variables = Object.entries(spec.env).map(([name, value]) => `${name}=${value}`);
  return [
    '--pdeathsig',
    'KILL',
    '--',
    'unshare',
    ...NAMESPACES,
    ...(spec.network ? [] : ['--net']),
    '--',
    'sh',
    '-c',
    BUILD,
    'signalbox',
    root,
    layer.relative,
    layer.homes.join(' '),
    spec.network ? 'on' : 'off',
    INIT,
    join(root, spec.cwd),
    searchPath(process.env),
    ...(variables.length === 0 ? [] : ['env', ...variables]),
    ...shell(spec.command, existsSync('/bin/bash')),
  ];
}

/**
 * Gives the builder its plan, waits until everything is mounted and given up, looks at the result, and lets the command
 * begin. Returns what is wrong, if something is; then, and where this throws, no process of the run is left.
 */
async function ready(
  child: ChildProcess,
  plan: () => Promise<readonly Mount[]>,
  cuts: Inside['cuts'],
  begins: Begins,
): Promise<string | undefined> {
  let said = '';
  const [complaints, control] = [child.stdio[2] as Readable, child.stdio[3] as Duplex];
  complaints.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(0, 4_000);
  });
  control.on('error', () => undefined);
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(said.trim() || `the sandbox ended with ${code}`));
  });
  const up = new Promise<undefined>((resolve) => control.once('data', () => resolve(undefined)));
  const late = setTimeout(() => {
    said = `it was not set up within ${PATIENCE} ms ${said}`;
    child.kill('SIGKILL');
  }, PATIENCE);
  try {
    const table = await plan();
    control.write('plan\n');
    const wrong = (await Promise.race([up, gone])) ?? (await inspect(child, table, cuts, () => said.trim()));
    if (wrong === undefined) {
      // Process 1 of the namespace is not gone before all others are.
      begins(descendants(child.pid ?? 0)[0] ?? 0);
      control.end('go\n');
      return undefined;
    }
    control.destroy();
    await gone;
    return wrong;
  } catch (error) {
    control.destroy();
    await gone;
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** The kernel's own word on what the command is about to see. */
async function inspect(
  child: ChildProcess,
  table: readonly Mount[],
  cuts: Inside['cuts'],
  said: () => string,
): Promise<string | undefined> {
  const [init] = descendants(child.pid ?? 0);
  if (init === undefined) return 'the processes of the sandbox cannot be seen in /proc';
  const { open, absent } = discrepancies(table, await readFile(`/proc/${init}/mountinfo`, 'utf8'));
  cuts.giveUp(table.filter((mount) => isCut(mount) && absent.includes(mount.target)).map(({ target }) => target));
  if (absent.length > 0) return said() || `these were not mounted: ${absent.join(', ')}`;
  const reachable = (await Promise.all(open.map(async (path) => ((await isReachable(path)) ? [path] : [])))).flat();
  return reachable.length > 0 ? `these stayed writable: ${reachable.join(', ')}` : undefined;
}

/** Process 1 of the run takes all others with it; signals other than SIGKILL it would not heed. */
function signalTree(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  const [init, ...others] = descendants(child.pid ?? 0);
  if (init === undefined) child.kill('SIGKILL');
  else if (signal === 'SIGKILL' || others.length === 0) send(init, 'SIGKILL');
  else for (const pid of others) send(pid, signal);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

function unavailable(reason: string): Refusal {
  return refuse(
    'UNAVAILABLE',
    `The command was not started, because its containment does not hold: ${reason}`,
    'Call run again; if it stays so, ask the operator to run signalbox doctor.',
    { reason },
  );
}
