import { join } from 'node:path';
import { startGroup } from './group.js';
import type { Sandbox } from './sandbox.js';

/** A program of a judged command on the repository itself: without a shell and without containment. */
export function itself(root: string, lease: number): Sandbox {
  return {
    level: 'none',
    recover: async () => undefined,
    async launch({ program, cwd }, begins) {
      if (program === undefined) throw new Error('only a program that was judged runs without containment');
      const started = await startGroup(program.argv, { cwd: join(root, cwd), env: program.env, lease, begins });
      return { ...started, written: async () => [], dispose: async () => undefined };
    },
  };
}
