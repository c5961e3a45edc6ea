import { join, relative } from 'node:path';
import { isRefusal } from '../domain/refusal.js';
import { type Claimed, changedSince } from './changed-since.js';
import { recoverClaimed, survey } from './claimed.js';
import type { Cuts } from './cuts.js';
import { homeFolder, type Layer, withLayer } from './layer.js';
import { PRIVATE_HOME } from './mounts.js';
import { type Inside, startInside } from './namespaces.js';
import { prepareView } from './prepare.js';
import type { RunSpec, ScratchRules } from './runner.js';
import type { Sandbox } from './sandbox.js';
import { grantedSockets } from './sockets.js';
import { watch } from './watchdog.js';

/**
 * Commands on the live tree, which is read-only to them but for scratch and the folders that their scope has claimed.
 * What others change meanwhile they see. Made like `transactional`, without the overlays.
 */
export function confined(root: string, folder: string, lease: number, rules: ScratchRules, cuts: Cuts): Sandbox {
  return {
    level: 'confined',
    recover: (id) => recoverClaimed(root, folder, id, rules),
    launch: (spec, begins) =>
      withLayer(root, folder, spec.id, async (layer) => {
        const claimed = await survey(root, spec, layer.path, rules);
        if (isRefusal(claimed)) return claimed;
        const launched = await startInside(
          root,
          layer,
          spec,
          await inside(root, folder, layer, spec, claimed, cuts),
          begins,
        );
        if (isRefusal(launched)) return launched;
        const callOff = watch(launched.pid, lease);
        const exited = launched.exited.finally(callOff);
        return { ...launched, exited, written: () => changedSince(root, claimed, spec, rules) };
      }),
  };
}

async function inside(
  root: string,
  folder: string,
  layer: Layer,
  spec: RunSpec,
  claimed: Claimed,
  cuts: Cuts,
): Promise<Inside> {
  const [home, granted] = await Promise.all([homeFolder(), grantedSockets(spec.sockets ?? [], process.env)]);
  const folders = claimed.folders.map((path) => relative(root, path));
  const writable = [...new Set([...folders, ...spec.scratch])];
  const plan = { overlay: false, writable, sealed: claimed.sealed, home, grants: granted.grants, cuts };
  const env = { ...variables(home), ...granted.variables('at') };
  return { view: () => prepareView(root, folder, layer, plan), env, cuts };
}

/** The home folder can only be read here: what programs keep there goes elsewhere, what they need from there they are shown. */
function variables(home: string): Inside['env'] {
  return {
    HOME: PRIVATE_HOME,
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    NPM_CONFIG_USERCONFIG: join(home, '.npmrc'),
    RUSTUP_HOME: join(home, '.rustup'),
  };
}
