import { setImmediate } from 'node:timers/promises';
import type { Refusal } from '../domain/refusal.js';
import type { Workspace } from '../workspace/workspace.js';

/** What is asked of the workspace to read a unit. */
export type Disk = Pick<Workspace, 'resolve' | 'isFolder' | 'folds'>;

/** Paths that are looked up in one turn: a few milliseconds. */
const IN_ONE_TURN = 100;

/** The disk as one long call sees it: every path is looked up once, and others have their turn in between. */
export function patientDisk(workspace: Disk): Disk {
  const resolved = new Map<string, string | Refusal>();
  const folders = new Map<string, boolean>();
  return {
    folds: workspace.folds,
    async resolve(path, purpose) {
      const key = `${purpose} ${path}`;
      const known = resolved.get(key);
      if (known !== undefined) return known;
      const found = await workspace.resolve(path, purpose);
      resolved.set(key, found);
      if (resolved.size % IN_ONE_TURN === 0) await setImmediate();
      return found;
    },
    isFolder(path) {
      const found = folders.get(path) ?? workspace.isFolder(path);
      folders.set(path, found);
      return found;
    },
  };
}
