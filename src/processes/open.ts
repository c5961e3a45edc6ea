import { mkdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { confined } from './confined.js';
import { type Cuts, newCuts } from './cuts.js';
import { itself } from './itself.js';
import { makeSkeleton, sweepLayers } from './layer.js';
import { levelFor } from './level.js';
import { probe } from './probe.js';
import { isRunId, openRecords, type Records } from './records.js';
import {
  type Containment,
  type Level,
  NO_SCRATCH,
  type Run,
  type Runner,
  type RunSpec,
  type ScratchRules,
} from './runner.js';
import type { Sandbox } from './sandbox.js';
import { seatbelt } from './seatbelt.js';
import { supervise } from './supervise.js';
import { transactional } from './transactional.js';
import { unguarded } from './unguarded.js';

const OUTPUT = 50 * 1024 * 1024;
const ALL: readonly Containment[] = ['transactional', 'confined', 'none'];
const LEASE = 60_000;
/** The kernel takes no argument longer than 128 KiB, and about 2 MiB together. */
const LONGEST_TEXT = 100_000;
const LARGEST_ENV = 500_000;

export interface RunnerOptions {
  readonly root: string;
  /** `.signalbox` in the root. */
  readonly folder: string;
  /** `none` is the operator's choice to run commands unguarded where no level holds. */
  readonly containment?: 'auto' | 'none';
  /** Levels to try, best first; all where left out. */
  readonly levels?: readonly Containment[];
  /** Milliseconds for which a connection's locks stand without a sign of life. */
  readonly lease?: number;
  /** What is scratch; nothing where left out. */
  readonly scratch?: ScratchRules;
  /** Bytes that a command may print before it is ended with `output_limit`. */
  readonly outputLimit?: number;
}

/** Opens the runner of a workspace. Nothing is probed until it is asked for. */
export async function openRunner({
  root,
  folder,
  containment = 'auto',
  levels: wanted = ALL,
  lease = LEASE,
  scratch = NO_SCRATCH,
  outputLimit = OUTPUT,
}: RunnerOptions): Promise<Runner> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const real = { root: await realpath(root), folder: await realpath(folder) };
  if (real.folder !== join(real.root, '.signalbox'))
    throw new Error(`${folder} is not the .signalbox folder of ${root}`);
  const records = openRecords(real.folder);
  await Promise.all([records.sweep(), sweepLayers(real.folder, records.isLeft)]);
  const cuts = newCuts(real.root, real.folder);
  const sandboxes = choose(real, lease, containment, scratch, cuts).filter(({ level }) => wanted.includes(level));
  const direct = itself(real.root, lease);
  let levels: Promise<readonly Level[]> | undefined;
  const runs = new Set<Run>();
  let closed = false;
  const probed = (): Promise<readonly Level[]> => {
    levels ??= probeAll(sandboxes, real.root, real.folder, cuts).catch((error: unknown) => {
      // A disk that failed now may work at the next try.
      levels = undefined;
      throw error;
    });
    return levels;
  };
  return {
    levels: probed,
    async start(spec) {
      if (closed) throw new Error('the runner is closed');
      const wrong = await unfit(spec, real.root);
      if (wrong !== undefined) return wrong;
      const best = spec.program === undefined ? levelFor(await probed(), spec.live) : undefined;
      const sandbox = spec.program === undefined ? sandboxes.find(({ level }) => level === best?.level) : direct;
      if (sandbox === undefined) return uncontained(await probed(), spec.live);
      const run = await begin(sandbox, records, spec, outputLimit);
      if (isRefusal(run)) return run;
      runs.add(run);
      void run.ended.then(() => runs.delete(run));
      if (closed) run.stop('stopped');
      return run;
    },
    output: (id, from) =>
      ([...runs].find((run) => run.id === id) ?? { output: (at?: number) => records.read(id, at) }).output(from),
    log: records.log,
    fate: records.fate,
    left: records.left,
    async adopt(id, level) {
      const sandbox = choose(real, lease, 'none', scratch, cuts).find((known) => known.level === level);
      return records.adopt(
        id,
        (await sandbox?.recover(id)) ?? { written: async () => [], dispose: async () => undefined },
      );
    },
    kill: records.kill,
    stop: records.stop,
    async close() {
      closed = true;
      for (const run of runs) run.stop('stopped');
      await Promise.all([...runs].map((run) => run.ended));
    },
  };
}

function choose(
  { root, folder }: { readonly root: string; readonly folder: string },
  lease: number,
  containment: 'auto' | 'none',
  scratch: ScratchRules,
  cuts: Cuts,
): readonly Sandbox[] {
  const direct = process.platform === 'darwin' ? seatbelt : confined;
  const contained = [transactional(root, folder, scratch, cuts), direct(root, folder, lease, scratch, cuts)];
  return containment === 'none' ? [...contained, unguarded(root, lease)] : contained;
}

async function probeAll(
  sandboxes: readonly Sandbox[],
  root: string,
  folder: string,
  cuts: Cuts,
): Promise<readonly Level[]> {
  await makeSkeleton(folder);
  const levels = await Promise.all(
    sandboxes.map((sandbox) =>
      sandbox.level === 'none' ? { level: sandbox.level, works: true } : probe(sandbox, root),
    ),
  );
  const open = cuts.settle();
  return levels.map((level) => (level.works && level.level !== 'none' && open.length > 0 ? { ...level, open } : level));
}

async function begin(sandbox: Sandbox, records: Records, spec: RunSpec, limit: number): Promise<Run | Refusal> {
  const { recorder, ...begun } = await records.begin(spec.id, limit);
  try {
    const launched = await sandbox.launch(spec, (target) => records.begins(spec.id, target));
    if (!isRefusal(launched)) {
      const run = supervise(spec, sandbox.level, launched, recorder, begun);
      const ended = run.ended.then((how) => records.finish(spec.id, how, recorder.total));
      const dispose = async (): Promise<void> => {
        await run.dispose();
        await records.drop(spec.id);
      };
      return { ...run, ended, dispose };
    }
    recorder.close();
    await records.drop(spec.id);
    return launched;
  } catch (error) {
    recorder.close();
    await records.drop(spec.id);
    throw error;
  }
}

/** What no sandbox could start. An id that can't name a folder is a broken invariant, not an agent's mistake. */
async function unfit(spec: RunSpec, root: string): Promise<Refusal | undefined> {
  if (!isRunId(spec.id)) throw new Error(`${JSON.stringify(spec.id)} is no id of a run`);
  const again = 'Call run again with that put right.';
  const variables = Object.entries(spec.env);
  const odd = variables.find(([name, value]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes('\0'));
  if (odd !== undefined)
    return refuse('INVALID', `${JSON.stringify(odd[0])} is no environment variable, or its value holds NUL.`, again, {
      argument: 'env',
    });
  if (spec.command.includes('\0'))
    return refuse('INVALID', 'The command holds a NUL character.', again, { argument: 'command' });
  const sizes = [spec.command, ...variables.map(([name, value]) => name + value)].map((text) =>
    Buffer.byteLength(text),
  );
  if (sizes.some((size) => size > LONGEST_TEXT) || sizes.reduce((sum, size) => sum + size, 0) > LARGEST_ENV) {
    return refuse(
      'LIMIT',
      `The command or a variable is longer than ${LONGEST_TEXT} bytes.`,
      'Write it to a script with patch and run that.',
      { limit: LONGEST_TEXT },
    );
  }
  const cwd = normalize(spec.cwd);
  if (isAbsolute(cwd) || cwd.split('/')[0] === '..')
    return refuse('OUTSIDE', `${spec.cwd} is not inside the workspace.`, again, { cwd: spec.cwd });
  const info = await stat(join(root, cwd)).catch(() => undefined);
  if (!info?.isDirectory())
    return refuse('NOT_FOUND', `There is no folder ${spec.cwd} to run the command in.`, again, { cwd: spec.cwd });
  return undefined;
}

function uncontained(levels: readonly Level[], live: boolean): Refusal {
  const reasons = levels.map(({ level, reason }) => `${level}: ${reason ?? 'does not work'}`);
  return refuse(
    'UNAVAILABLE',
    `No containment ${live ? 'for commands that run live ' : ''}holds on this machine, so no command is run. ${reasons.join('; ')}`,
    'Change files with patch; ask the operator to install what is missing, or to set containment: none in signalbox.yaml.',
    { levels: reasons },
  );
}
