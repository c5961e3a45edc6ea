import { claim } from './claim.js';
import type { Coordinator } from './contract.js';
import { list } from './list.js';
import { open } from './open.js';
import { act, type Parts } from './parts.js';
import { patch } from './patch.js';
import { publish } from './publish.js';
import { read } from './read.js';
import { release } from './release.js';
import { run } from './run.js';

/** The eight use cases over one workspace, ready for any door. */
export function createCoordinator(parts: Parts): Coordinator {
  return {
    read: (caller, input) => read(parts, caller, input),
    patch: (caller, input) => patch(parts, caller, input),
    run: (caller, input) => run(parts, caller, input),
    claim: (caller, input) => claim(parts, caller, input),
    publish: (caller, input) => publish(parts, caller, input),
    open: (caller, input) => open(parts, caller, input),
    release: (caller, input) => release(parts, caller, input),
    list: (caller, input) => list(parts, caller, input),
    async refused(caller, tool, refusal) {
      await act(parts, caller, tool, {}, () => ({ answer: refusal }));
    },
    async connected({ connection }) {
      parts.presence.connected(connection);
    },
    disconnected: (connection) => parts.presence.disconnected(connection),
    async close() {
      await parts.runs.close();
      parts.presence.stop();
      await parts.runner.close();
      await parts.workspace.flush();
      await parts.store.close();
    },
  };
}
