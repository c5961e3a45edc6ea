import { printHandle } from '../domain/handle.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import { checksOf, hasSucceeded, treeNow } from './check-run.js';
import type { Caller, RunOutput } from './contract.js';
import type { Parts } from './parts.js';
import { levelOf, run } from './run.js';
import { changedAt } from './run-end.js';
import { parseSpec } from './run-spec.js';

/** How much of the end of the output of a failing check is shown, in characters. */
const TAIL = 4_000;

/** Runs of one scope on one tree that are looked through. */
const MOST_RUNS = 1_000;

/** A check that has not ended yet: the same publication, called again, goes on waiting for it. */
export interface Checking {
  readonly command: string;
  readonly run: string;
}

/** A scope for which all checks have passed: with one change more, something is in it that no check has seen. */
export type Passed = Pick<Scope, 'id' | 'tenure' | 'changes'>;

/**
 * The definition of done: runs the checks of a scope one after the other, unless they have passed on exactly this tree.
 * Waits as long as the caller bears; the scope stays locked meanwhile.
 */
export async function checked(parts: Parts, caller: Caller, own: Scope): Promise<Passed | Checking | Refusal> {
  const until = performance.now() + caller.patience;
  const { id, tenure } = own;
  let { changes } = own;
  for (const command of checksOf(own)) {
    const left = { ...caller, patience: Math.max(0, until - performance.now()) };
    const underWay = parts.runs.checking({ id, tenure, changes }, command);
    if (underWay === undefined && (await hasPassed(parts, own, command))) continue;
    const input = underWay === undefined ? { command, scope: printHandle(own, parts.mint) } : { run: underWay };
    const output = await run(parts, left, input);
    if (isRefusal(output)) return output;
    if (output.state === 'running') return { command, run: output.run };
    if (!hasSucceeded({ ending: output.state, exit: output.exit_code ?? null })) return failed(own, command, output);
    changes += await changedBy(parts, output.run);
  }
  return { id, tenure, changes };
}

/** Whether it has been run with success, in the same way, on exactly this tree. Without git nobody can tell. */
async function hasPassed(parts: Parts, own: Scope, command: string): Promise<boolean> {
  const spec = await parseSpec(parts, { command });
  const level = isRefusal(spec) ? undefined : await levelOf(parts, spec);
  const tree = level === undefined ? undefined : await treeNow(parts);
  if (tree === undefined) return false;
  const runs = await parts.store.runs({ scope: own.id, tree, limit: MOST_RUNS });
  return runs.some((run) => run.command === command && run.containment === level && hasSucceeded(run));
}

/** How many files a check has changed for its scope. */
async function changedBy(parts: Parts, id: string): Promise<number> {
  const changed = (await parts.store.run(id))?.changed ?? null;
  return changed === null ? 0 : (await changedAt(parts, changed)).length;
}

function failed(own: Scope, command: string, output: RunOutput): Refusal {
  const exit = output.exit_code ?? null;
  const by = output.state === 'exited' ? `exit code ${exit}` : output.state;
  return refuse(
    'INCOMPLETE',
    `The check "${command}" of ${own.id} has not succeeded: ${by}. Nothing was published.`,
    `Mend it and publish again; run ${JSON.stringify({ run: output.run })} shows all of its output.`,
    { scope: own.id, check: command, run: output.run, output: output.output.slice(-TAIL) },
  );
}
