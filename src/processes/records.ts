import { writeFileSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { adopt, isGone, isServed, isStill, processMark } from './identity.js';
import { type Recorder, record } from './output.js';
import { readForLog, readOutput } from './pages.js';
import type { Ended, Left, Log, OutputPage } from './runner.js';
import type { Recovered } from './sandbox.js';

/** What is left of a run that nobody settles is removed after this time, when a runner opens. */
const KEPT = 7 * 24 * 3_600_000;
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** How long to look for the end of what was killed, and how often. */
const PATIENCE = 2_000;
const LOOK = 10;

/** Whether a text can name a run, and so a folder. */
export const isRunId = (id: string): boolean => ID.test(id);

/**
 * The runs of a workspace that are not settled, in `.signalbox/runs/<run>`: `server` (who sees to it), `output`, `process`
 * (what to kill), `stopped` when another server was asked to end it, and `ended` when it has ended and its result waits to
 * be put on record.
 */
export interface Records {
  begin(id: string, limit: number): Promise<{ readonly recorder: Recorder } & Begun>;
  /** Notes what the run can be killed by. */
  begins(id: string, target: number): void;
  /** → how it ended: `stopped` where another server has seen to that. */
  finish(id: string, ended: Ended, total: number): Promise<Ended>;
  fate(id: string): Promise<'served' | 'over' | 'unknown'>;
  /** The run needs its record no more. */
  drop(id: string): Promise<void>;
  read(id: string, from?: number): Promise<OutputPage | undefined>;
  log(id: string): Promise<Log | undefined>;
  /** Runs whose server is gone. */
  left(): Promise<readonly string[]>;
  /** Whether nobody has settled yet what a run left. */
  isLeft(id: string): Promise<boolean>;
  adopt(id: string, recovered: Recovered): Promise<Left | undefined>;
  kill(id: string): Promise<boolean>;
  /** The same on behalf of whoever may stop it: its server puts that on record. */
  stop(id: string): Promise<boolean>;
  /** Removes what is past its time. */
  sweep(): Promise<void>;
}

/** Where the output of a run goes, and when that was made, by the clock of the disk. */
export interface Begun {
  readonly path: string;
  readonly began: number;
}

export function openRecords(folder: string): Records {
  const place = (id: string, name = ''): string => join(folder, 'runs', id, name);
  const names = (): Promise<string[]> => readdir(join(folder, 'runs')).catch(() => []);
  const underWay = (id: string): Promise<boolean> => isServed(place(id, 'server'));
  const drop = (id: string): Promise<void> => rm(place(id), { recursive: true, force: true });
  const has = (id: string, name: string): Promise<boolean> =>
    access(place(id, name)).then(
      () => isRunId(id),
      () => false,
    );
  return {
    async begin(id, limit) {
      // Of an earlier ledger, whose numbers began anew.
      if (!(await underWay(id))) await drop(id);
      await mkdir(place(id), { recursive: true, mode: 0o700 });
      await writeFile(place(id, 'server'), processMark(process.pid) ?? '', { flag: 'wx', mode: 0o600 });
      const path = place(id, 'output');
      const recorder = record(path, limit);
      const { ctimeMs } = await stat(path, { bigint: true });
      return { recorder, path, began: Number(ctimeMs) };
    },
    begins(id, target) {
      writeFileSync(place(id, 'process'), `${target}\n${processMark(Math.abs(target)) ?? ''}`, { mode: 0o600 });
    },
    async finish(id, found, total) {
      const isStopped = found.ending === 'exited' && (await has(id, 'stopped'));
      const ended: Ended = isStopped ? { ...found, ending: 'stopped', exit: null } : found;
      // On a full disk the result is lost with the server, not before.
      await writeFile(place(id, 'ended'), JSON.stringify({ ended, total }), { mode: 0o600 }).catch(() => undefined);
      return ended;
    },
    async fate(id) {
      if (await underWay(id)) return 'served';
      return (await has(id, '')) ? 'over' : 'unknown';
    },
    drop,
    async read(id, from) {
      if (!(await has(id, 'output'))) return undefined;
      const over = (await has(id, 'ended')) || !(await underWay(id));
      return readOutput(place(id, 'output'), undefined, over, from);
    },
    log: async (id) => ((await has(id, 'output')) ? readForLog(place(id, 'output')) : undefined),
    async left() {
      const found = await Promise.all((await names()).map(async (id) => ((await underWay(id)) ? [] : [id])));
      return found.flat();
    },
    isLeft: (id) => has(id, 'server'),
    adopt: async (id, recovered) => ((await has(id, '')) ? adoptRecord(place(id), recovered) : undefined),
    kill: async (id) => isRunId(id) && killed(place(id, 'process')),
    async stop(id) {
      if (!(await has(id, 'process'))) return false;
      await writeFile(place(id, 'stopped'), '', { mode: 0o600 });
      return killed(place(id, 'process'));
    },
    async sweep() {
      for (const id of await names()) {
        const info = await stat(place(id)).catch(() => undefined);
        if (info !== undefined && Date.now() - info.mtimeMs > KEPT && !(await underWay(id))) await drop(id);
      }
    },
  };
}

async function adoptRecord(folder: string, { written, dispose }: Recovered): Promise<Left> {
  const output = join(folder, 'output');
  await adopt(join(folder, 'server'));
  const { ended, total } = await endedOf(folder);
  const size = (await stat(output).catch(() => undefined))?.size ?? 0;
  return {
    ended,
    total: total ?? size,
    log: async () => (size === 0 ? { bytes: new Uint8Array() } : readForLog(output)),
    written,
    async dispose() {
      await dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Half a record, of a server that was killed while it wrote, is none. */
async function endedOf(folder: string): Promise<{ readonly ended: Ended | undefined; readonly total?: number }> {
  try {
    return JSON.parse(await readFile(join(folder, 'ended'), 'utf8'));
  } catch {
    return { ended: undefined };
  }
}

async function killed(path: string): Promise<boolean> {
  const [number = '', mark = ''] = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  const target = Number.parseInt(number, 10);
  if (!target || mark === '') return false;
  const until = performance.now() + PATIENCE;
  while (!isGone(target, mark) && performance.now() < until) {
    if (isStill(target, mark)) send(target);
    await setTimeout(LOOK);
  }
  return isGone(target, mark);
}

function send(target: number): void {
  try {
    process.kill(target, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
