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
import { orUnavailable } from './unavailable.js';
import { settleRuns } from './unfinished-runs.js';

/** The eight use cases over one workspace, ready for any door. */
export function createCoordinator(parts: Parts): Coordinator {
  parts.presence.afterwards(() => settleRuns(parts));
  return {
    read: (caller, input) => orUnavailable(read(parts, caller, input)),
    patch: (caller, input) => orUnavailable(patch(parts, caller, input)),
    run: (caller, input) => orUnavailable(run(parts, caller, input)),
    claim: (caller, input) => orUnavailable(claim(parts, caller, input)),
    publish: (caller, input) => orUnavailable(publish(parts, caller, input)),
    open: (caller, input) => orUnavailable(open(parts, caller, input)),
    release: (caller, input) => orUnavailable(release(parts, caller, input)),
    list: (caller, input) => orUnavailable(list(parts, caller, input)),
    async refused(caller, tool, refusal) {
      await act(parts, caller, tool, {}, () => ({ answer: refusal }));
    },
    async connected(connection) {
      parts.presence.connected(connection);
      await parts.presence.noticed(connection);
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
