import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Runner, ScratchRules } from '../processes/runner.js';

interface RunnerOptions {
  readonly root: string;
  readonly folder: string;
  readonly containment: 'auto' | 'none';
  readonly lease: number;
  readonly scratch: ScratchRules;
}

/** A runner that is opened with the first command: a server that only reads and patches never probes for containment. */
export function lazyRunner(options: RunnerOptions): Runner {
  let opened: Promise<Runner> | undefined;
  const runner = (): Promise<Runner> => {
    opened ??= open(options).catch((error: unknown) => {
      // A disk that failed now may work at the next try.
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return {
    levels: async () => (await runner()).levels(),
    start: async (spec) => (await runner()).start(spec),
    output: async (id, from) => (await runner()).output(id, from),
    log: async (id) => (await runner()).log(id),
    fate: async (id) => (await runner()).fate(id),
    // Asked at every start: mostly there is nothing to open it for.
    left: async () => ((await isEmpty(join(options.folder, 'runs'))) ? [] : (await runner()).left()),
    adopt: async (id, level) => (await runner()).adopt(id, level),
    kill: async (id) => (await runner()).kill(id),
    stop: async (id) => (await runner()).stop(id),
    close: async () => {
      if (opened !== undefined) await (await opened).close();
    },
  };
}

async function open(options: RunnerOptions): Promise<Runner> {
  const { openRunner } = await import('../processes/open.js');
  return openRunner(options);
}

async function isEmpty(folder: string): Promise<boolean> {
  return (await readdir(folder).catch(() => [])).length === 0;
}
