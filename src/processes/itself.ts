import { join } from 'node:path';
import { startGroup } from './group.js';
import type { Sandbox } from './sandbox.js';

/** A program of a judged command on the repository itself: without a shell and without containment. */
export function itself(root: string, lease: number): Sandbox {
  return {
    level: 'none',
    async launch({ program, cwd }) {
      if (program === undefined) throw new Error('only a program that was judged runs without containment');
      const started = await startGroup(program.argv, { cwd: join(root, cwd), env: program.env, lease });
      return { ...started, written: async () => [], dispose: async () => undefined };
    },
  };
}
