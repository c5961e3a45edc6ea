import { type OpenRun, runsOf } from '../domain/open-runs.js';
import type { ScopeId } from '../domain/scope.js';
import type { View } from '../domain/view.js';
import type { Caller, ListedRun } from './contract.js';
import type { Parts } from './parts.js';

/** Ended runs of one scope that are shown at most. */
const MOST = 20;
const SHOWN_COMMAND = 200;

/** Commands under way for a scope, or in its turn. */
export function runningOf({ state }: View, scope: ScopeId): ListedRun[] {
  return runsOf(state, scope).map(asRunning);
}

/** Commands that a caller started without a scope: nothing else tells it their ids when the call that started them is lost. */
export function loose({ state }: View, { connection, agent }: Caller): ListedRun[] {
  const own = [...state.runs.values()].filter(
    ({ scope, by }) => scope === undefined && by.connection === connection && by.agent === agent,
  );
  return own.map(asRunning);
}

/** The latest runs of a scope that have ended, with their artifacts. */
export async function endedRuns(parts: Parts, scope: ScopeId): Promise<ListedRun[]> {
  const rows = await parts.store.runs({ scope, limit: MOST });
  return rows.flatMap(({ run, command, ending, log, diff }) =>
    ending === null
      ? []
      : [{ run, command: shown(command), state: ending, ...(log && { log }), ...(diff && { diff }) }],
  );
}

function asRunning({ run, command }: OpenRun): ListedRun {
  return { run, command: shown(command), state: 'running' };
}

const shown = (command: string): string => command.slice(0, SHOWN_COMMAND);
