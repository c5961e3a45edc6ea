import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isRefusal } from '../domain/refusal.js';
import { changedSince } from './changed-since.js';
import { recoverClaimed, survey } from './claimed.js';
import { inherited, searchPath } from './environment.js';
import { startGroup } from './group.js';
import { findSecrets } from './host.js';
import { homeFolder, removeLayer, withLayer } from './layer.js';
import { seatbeltProfile } from './profile.js';
import type { ScratchRules } from './runner.js';
import { type Sandbox, shell } from './sandbox.js';
import { grantedSockets } from './sockets.js';

/**
 * `confined` on macOS, by `sandbox-exec`: direct writes to claimed folders and scratch, and to nothing else. There are no
 * PID namespaces: what leaves the process group outlives the command, confined as it was.
 */
export function seatbelt(root: string, folder: string, lease: number, rules: ScratchRules): Sandbox {
  return {
    level: 'confined',
    recover: (id) => recoverClaimed(root, folder, id, rules),
    launch: (spec, begins) =>
      withLayer(root, folder, spec.id, async (layer) => {
        const claimed = await survey(root, spec, layer.path, rules);
        if (isRefusal(claimed)) return claimed;
        const own = join(layer.path, 'own');
        for (const name of ['home', 'tmp']) await mkdir(join(own, name), { recursive: true });
        const home = await homeFolder();
        const granted = await grantedSockets(spec.sockets ?? [], process.env);
        const profile = seatbeltProfile({
          root,
          writable: [...claimed.folders, ...spec.scratch.map((path) => join(root, path))],
          sealed: spec.sealed,
          hidden: [folder, ...(await findSecrets(home)).map(({ path }) => path)],
          own,
          network: spec.network,
          sockets: granted.grants.map(({ from }) => from),
        });
        const variables = granted.variables('from');
        const env = {
          ...inherited(process.env),
          ...variables,
          PATH: searchPath(process.env),
          TMPDIR: join(own, 'tmp'),
        };
        const program = ['sandbox-exec', '-p', profile, ...shell(spec.command, existsSync('/bin/bash'))];
        const started = await startGroup(program, {
          cwd: join(root, spec.cwd),
          env: { ...env, HOME: join(own, 'home'), GIT_CONFIG_GLOBAL: join(home, '.gitconfig'), ...spec.env },
          lease,
          begins,
        });
        return {
          ...started,
          written: () => changedSince(root, claimed, spec, rules),
          dispose: () => removeLayer(layer.path),
        };
      }),
  };
}
