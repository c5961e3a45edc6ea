import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inherited, searchPath } from './environment.js';
import { exitOf, type Sandbox, shell } from './sandbox.js';

/** No containment, as the operator chose: a process group on the real tree. A process that leaves the group is not found again. */
export function unguarded(root: string): Sandbox {
  return {
    level: 'none',
    async launch(spec) {
      const child = spawn(
        'sh',
        ['-c', 'exec "$@" 2>&1', 'signalbox', ...shell(spec.command, existsSync('/bin/bash'))],
        {
          cwd: join(root, spec.cwd),
          env: { ...inherited(process.env), PATH: searchPath(process.env), ...spec.env },
          stdio: ['ignore', 'pipe', 'ignore'],
          detached: true,
        },
      );
      const group = (signal: NodeJS.Signals): void => {
        try {
          if (child.pid !== undefined) process.kill(-child.pid, signal);
        } catch {
          // Nobody of the group is left.
        }
      };
      const exited = exitOf(child);
      await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      void exited.then(() => group('SIGKILL'));
      return { exited, output: child.stdout, signal: group, written: async () => [], dispose: async () => undefined };
    },
  };
}
