import { type Refusal, refuse } from '../domain/refusal.js';
import type { RunRecord } from './control-plane-contract.js';
import type { Parts } from './parts.js';
import { isoTime } from './scope-detail.js';

/** One command, as the ledger has it. */
export async function runRecord(parts: Parts, id: string): Promise<RunRecord | Refusal> {
  const row = await parts.store.run(id);
  if (row === undefined) {
    return refuse('NOT_FOUND', `There is no run ${JSON.stringify(id.slice(0, 40))}.`, 'Take the id from run.', {
      run: id.slice(0, 40),
    });
  }
  const { run, scope, agent, command, containment, ending, exit, rejected, started, log, diff } = row;
  const [start] = await parts.store.events({ after: started - 1, until: started, limit: 1 });
  return {
    run,
    ...(scope === null ? {} : { scope }),
    agent,
    command,
    containment,
    state: ending ?? 'running',
    ...(exit === null ? {} : { exit_code: exit }),
    rejected,
    ...(log === null ? {} : { log }),
    ...(diff === null ? {} : { diff }),
    started_at: isoTime(start?.wall),
  };
}
