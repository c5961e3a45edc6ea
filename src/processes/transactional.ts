import { isRefusal } from '../domain/refusal.js';
import { homeFolder, prepareView } from './layer.js';
import { startInside, withLayer } from './namespaces.js';
import type { Sandbox } from './sandbox.js';
import { scanLayer } from './written.js';

/**
 * Commands on a view of the tree that is theirs: an overlay, which is read when the last process is dead.
 * `folder` is `.signalbox`, inside `root`; both are real paths.
 */
export function transactional(root: string, folder: string): Sandbox {
  return {
    level: 'transactional',
    launch: (spec) =>
      withLayer(root, folder, spec.id, async (layer) => {
        const home = await homeFolder();
        const view = await prepareView(root, folder, layer, { overlay: true, writable: spec.scratch, sealed: [], home });
        const launched = await startInside(root, layer, spec, { view, env: { HOME: home } });
        return isRefusal(launched) ? launched : { ...launched, written: () => scanLayer(root, layer) };
      }),
  };
}
