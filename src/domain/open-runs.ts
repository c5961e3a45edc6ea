import type { Owner, ScopeId } from './scope.js';
import type { State } from './state.js';

/** A command whose end is not on record: its processes may live. */
export interface OpenRun {
  readonly run: string;
  readonly command: string;
  readonly by: Owner;
  /** The scope that it works for, and the tenure in which it began: what it wrote is committed in that one only. */
  readonly scope?: ScopeId;
  readonly tenure?: number;
  /** The scope that holds its process unit for it. */
  readonly turn?: ScopeId;
  readonly containment: string;
  /** The event of its start. */
  readonly started: number;
  /** The event with which what it wrote was committed. */
  readonly changed?: number;
}

/** The commands that keep a scope's units from others: they work for it, or run in its turn. */
export function runsOf({ runs }: State, scope: ScopeId): OpenRun[] {
  return [...runs.values()].filter((run) => run.scope === scope || run.turn === scope);
}

export function isBusy(state: State, scope: ScopeId): boolean {
  return runsOf(state, scope).length > 0;
}

/** Whether what a command wrote may still be committed: that happens once. */
export function awaitsCommit({ runs }: State, id: string): boolean {
  const run = runs.get(id);
  return run !== undefined && run.changed === undefined;
}

/** Scopes that keep their units only until their commands have ended. */
export function stoppingScopes({ runs, scopes }: State): ScopeId[] {
  const busy = [...runs.values()].flatMap(({ scope, turn }) => [scope, turn].filter((id) => id !== undefined));
  return [...new Set(busy)].filter((id) => scopes.get(id)?.stopping !== undefined);
}
