import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inherited, searchPath } from './environment.js';
import { startGroup } from './group.js';
import { type Sandbox, shell } from './sandbox.js';
import { grantedSockets } from './sockets.js';

/** No containment, as the operator chose: a process group on the real tree. */
export function unguarded(root: string, lease: number): Sandbox {
  return {
    level: 'none',
    recover: async () => undefined,
    async launch(spec, begins) {
      const granted = (await grantedSockets(spec.sockets ?? [], process.env)).variables('from');
      const env = { ...inherited(process.env), ...granted, PATH: searchPath(process.env), ...spec.env };
      const program = shell(spec.command, existsSync('/bin/bash'));
      const started = await startGroup(program, { cwd: join(root, spec.cwd), env, lease, begins });
      return { ...started, written: async () => [], dispose: async () => undefined };
    },
  };
}
