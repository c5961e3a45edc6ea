import { storedContent } from '../coordinator/artifacts.js';
import type { Parts } from '../coordinator/parts.js';
import { unknownRun } from '../coordinator/run-again.js';
import { settleRun } from '../coordinator/unfinished-runs.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Hash } from '../domain/scope.js';
import type { RunRow } from '../store/store.js';

/** A run with its artifacts. BUSY while it is under way. */
export async function endedRun(parts: Parts, id: string): Promise<RunRow | Refusal> {
  const open = await parts.store.view({}, ({ state }) => state.runs.get(id));
  if (open !== undefined && !(await settleRun(parts, open)))
    return refuse('BUSY', `${id} is still running.`, 'Its artifacts are made when it ends.', { run: id });
  return (await parts.store.run(id)) ?? unknownRun(id);
}

/** The text of an artifact; empty where there was nothing to keep. */
export async function artifactText(parts: Parts, hash: Hash | null): Promise<string | Refusal> {
  if (hash === null) return '';
  const stored = await storedContent(parts, hash);
  return isRefusal(stored) ? stored : Buffer.from(stored.bytes).toString('utf8');
}
