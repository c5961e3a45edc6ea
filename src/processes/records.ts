import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isServed, processMark } from './identity.js';
import { type Recorder, readOutput, record } from './output.js';
import type { OutputPage } from './runner.js';

/** Outputs older than this are removed when a runner opens. */
const KEPT = 7 * 24 * 3_600_000;
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Whether a text can name a run, and so a folder. */
export const isRunId = (id: string): boolean => ID.test(id);

/** The outputs of a workspace's runs, in `.signalbox/runs/<run>`: `output`, `total` once it has ended, `server` until it is settled. */
export interface Records {
  begin(id: string, limit: number): Promise<{ readonly recorder: Recorder; readonly path: string }>;
  finish(id: string, total: number): Promise<void>;
  /** The run needs its server no more. */
  settle(id: string): Promise<void>;
  fate(id: string): Promise<'served' | 'over' | 'unknown'>;
  drop(id: string): Promise<void>;
  read(id: string, from?: number): Promise<OutputPage | undefined>;
  /** Removes outputs past their time. */
  sweep(): Promise<void>;
}

export function openRecords(folder: string): Records {
  const place = (id: string, name = ''): string => join(folder, 'runs', id, name);
  const textOf = (id: string, name: string): Promise<string | undefined> =>
    readFile(place(id, name), 'utf8').catch(() => undefined);
  const underWay = (id: string): Promise<boolean> => isServed(place(id, 'server'));
  return {
    async begin(id, limit) {
      // Of an earlier ledger, whose numbers began anew.
      if (!(await underWay(id))) await rm(place(id), { recursive: true, force: true });
      await mkdir(place(id), { recursive: true, mode: 0o700 });
      await writeFile(place(id, 'server'), processMark(process.pid) ?? '', { flag: 'wx', mode: 0o600 });
      const path = place(id, 'output');
      return { recorder: record(path, limit), path };
    },
    async finish(id, total) {
      // On a full disk the count is lost, not the run.
      await writeFile(place(id, 'total'), String(total), { mode: 0o600 }).catch(() => undefined);
    },
    settle: (id) => rm(place(id, 'server'), { force: true }),
    async fate(id) {
      if (await underWay(id)) return 'served';
      return isRunId(id) && (await stat(place(id)).catch(() => undefined)) !== undefined ? 'over' : 'unknown';
    },
    drop: (id) => rm(place(id), { recursive: true, force: true }),
    async read(id, from) {
      if (!isRunId(id) || (await stat(place(id, 'output')).catch(() => undefined)) === undefined) return undefined;
      const total = await textOf(id, 'total');
      const over = total !== undefined || !(await underWay(id));
      return readOutput(place(id, 'output'), Number.parseInt(total ?? '0', 10), over, from);
    },
    async sweep() {
      for (const id of await readdir(join(folder, 'runs')).catch(() => [])) {
        const info = await stat(place(id)).catch(() => undefined);
        if (info !== undefined && Date.now() - info.mtimeMs > KEPT && !(await underWay(id)))
          await rm(place(id), { recursive: true, force: true });
      }
    },
  };
}
