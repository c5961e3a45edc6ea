import { isRefusal } from '../domain/refusal.js';
import { homeFolder, type Layer, prepareView, withLayer } from './layer.js';
import { type Inside, startInside } from './namespaces.js';
import type { RunSpec } from './runner.js';
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
        const launched = await startInside(root, layer, spec, inside(root, folder, layer, spec));
        return isRefusal(launched) ? launched : { ...launched, written: () => scanLayer(root, layer) };
      }),
  };
}

async function inside(root: string, folder: string, layer: Layer, { scratch }: RunSpec): Promise<Inside> {
  const home = await homeFolder();
  const view = await prepareView(root, folder, layer, { overlay: true, writable: scratch, sealed: [], home });
  return { view, env: { HOME: home } };
}
