import type { Level } from './runner.js';

/**
 * The level for a command, of those that were found by trying, best first. A live command has to see what others change
 * while it runs, which the lower layer of an overlay does not promise.
 */
export function levelFor(levels: readonly Level[], live: boolean): Level | undefined {
  return levels.find(({ level, works }) => works && !(live && level === 'transactional'));
}
