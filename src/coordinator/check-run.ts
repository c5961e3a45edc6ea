import type { Scope } from '../domain/scope.js';
import type { Ended } from '../processes/runner.js';
import type { Parts } from './parts.js';
import type { Spec } from './run-spec.js';

/** The ledger keeps so much of a command: a check that is longer is always run. */
export const LONGEST_COMMAND = 4_000;

/** A command that may stand for a check of its scope, and how things stood when it began. */
export interface CheckRun {
  readonly command: string;
  /** Those of its scope. */
  readonly tenure: number;
  readonly changes: number;
  /** The last event before it. */
  readonly since: number;
  /** The working tree; undefined without git. */
  readonly tree: string | undefined;
}

/**
 * A check counts as run only where it ran just as publish_output runs it: under its scope, from the root, with no
 * variable and no time limit of the call.
 */
export async function asCheck(
  parts: Parts,
  own: Scope | undefined,
  { command, asIs }: Spec,
): Promise<CheckRun | undefined> {
  if (own === undefined || !asIs || command.length > LONGEST_COMMAND || !checksOf(own).includes(command))
    return undefined;
  const since = await parts.store.view({}, ({ state }) => state.seq);
  const { tenure, changes } = own;
  return { command, tenure, changes, since, tree: await treeNow(parts) };
}

/** The checks of a scope, as `run` reads a command. */
export function checksOf({ contract: { checks = [] } }: Scope): string[] {
  return checks.map((check) => check.trim());
}

/**
 * On which tree a check has succeeded: its own writes are not in it yet. On none where files changed while it ran, since
 * nobody knows what it has seen of them.
 */
export async function treeOf(parts: Parts, { tree, since }: CheckRun, ended: Ended): Promise<string | undefined> {
  if (tree === undefined || !hasSucceeded(ended)) return undefined;
  const changes = await parts.store.changes({ after: since, limit: 1 });
  return changes.length === 0 && (await treeNow(parts)) === tree ? tree : undefined;
}

export function hasSucceeded({ ending, exit }: { readonly ending: string | null; readonly exit: number | null }) {
  return ending === 'exited' && exit === 0;
}

/** Where git cannot name the tree, such as for a file that nobody may read, a check is run once more at the worst. */
export async function treeNow({ git, log }: Parts): Promise<string | undefined> {
  try {
    return await git?.worktree();
  } catch (error) {
    log(`git could not name the working tree: ${String(error)}`);
    return undefined;
  }
}
