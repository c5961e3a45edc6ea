import type { Runner } from '../processes/runner.js';

/** A runner that is opened with the first command: a server that only reads and patches never probes for containment. */
export function lazyRunner(options: {
  readonly root: string;
  readonly folder: string;
  readonly containment: 'auto' | 'none';
  readonly lease: number;
}): Runner {
  let opened: Promise<Runner> | undefined;
  const runner = (): Promise<Runner> => {
    opened ??= import('../processes/open.js').then(({ openRunner }) => openRunner(options));
    return opened;
  };
  return {
    levels: async () => (await runner()).levels(),
    start: async (spec) => (await runner()).start(spec),
    output: async (id, from) => (await runner()).output(id, from),
    fate: async (id) => (await runner()).fate(id),
    close: async () => {
      if (opened !== undefined) await (await opened).close();
    },
  };
}
