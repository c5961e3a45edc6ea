import { isRefusal } from '../domain/refusal.js';
import type { Cuts } from './cuts.js';
import { adoptLayer, homeFolder, type Layer, removeLayer, withLayer } from './layer.js';
import { type Inside, startInside } from './namespaces.js';
import { prepareView } from './prepare.js';
import type { RunSpec, ScratchRules } from './runner.js';
import type { Sandbox } from './sandbox.js';
import { grantedSockets } from './sockets.js';
import { scanLayer } from './written.js';

/**
 * Commands on a view of the tree that is theirs: an overlay, which is read when the last process is dead.
 * `folder` is `.signalbox`, inside `root`; both are real paths.
 */
export function transactional(root: string, folder: string, rules: ScratchRules, cuts: Cuts): Sandbox {
  return {
    level: 'transactional',
    async recover(id) {
      const layer = await adoptLayer(root, folder, id);
      return layer && { written: () => scanLayer(root, layer, rules), dispose: () => removeLayer(layer.path) };
    },
    launch: (spec, begins) =>
      withLayer(root, folder, spec.id, async (layer) => {
        const launched = await startInside(root, layer, spec, await inside(root, folder, layer, spec, cuts), begins);
        return isRefusal(launched) ? launched : { ...launched, written: () => scanLayer(root, layer, rules) };
      }),
  };
}

async function inside(root: string, folder: string, layer: Layer, spec: RunSpec, cuts: Cuts): Promise<Inside> {
  const [home, granted] = await Promise.all([homeFolder(), grantedSockets(spec.sockets ?? [], process.env)]);
  const { grants } = granted;
  const plan = { overlay: true, writable: spec.scratch, sealed: [], home, grants, cuts };
  const env = { HOME: home, ...granted.variables('at') };
  return { view: () => prepareView(root, folder, layer, plan), env, cuts };
}
