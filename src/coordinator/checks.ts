import { printHandle } from '../domain/handle.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import type { Caller, RunOutput } from './contract.js';
import type { Parts } from './parts.js';
import { run } from './run.js';

/** How much of the end of the output of a failing check is shown, in characters. */
const TAIL = 4_000;

/** Runs on one tree that are looked through. */
const MOST_RUNS = 1_000;

/** A check that has not ended yet: the same publication, called again, goes on waiting for it. */
export interface Checking {
  readonly command: string;
  readonly run: string;
}

/** A check that was begun for a publication. What it says holds as long as its scope changes nothing. */
export interface Begun {
  readonly run: string;
  readonly tenure: number;
  readonly changes: number;
}

/** The checks that publications of this server process wait for, or have passed, by scope and command. */
export class Checks {
  readonly #begun = new Map<string, Begun>();

  get({ id, tenure, changes }: Scope, command: string): string | undefined {
    const begun = this.#begun.get(`${id} ${command}`);
    return begun?.tenure === tenure && begun.changes === changes ? begun.run : undefined;
  }

  set({ id, tenure, changes }: Scope, command: string, of: string): void {
    this.#begun.set(`${id} ${command}`, { run: of, tenure, changes });
  }

  /** Its scope has ended, or one of them has failed: they are run anew. */
  forget({ id, contract }: Scope): void {
    for (const command of contract.checks ?? []) this.#begun.delete(`${id} ${command}`);
  }
}

/**
 * The definition of done: runs the checks of a scope one after the other, unless they have passed on exactly this tree.
 * Undefined where all have passed. Waits as long as the caller bears; the scope stays locked meanwhile.
 */
export async function unpassed(parts: Parts, caller: Caller, own: Scope): Promise<Checking | Refusal | undefined> {
  const until = performance.now() + caller.patience;
  for (const command of own.contract.checks ?? []) {
    const left = { ...caller, patience: Math.max(0, until - performance.now()) };
    const known = parts.checks.get(own, command);
    if (known === undefined && (await hasPassed(parts, command))) continue;
    const input = known === undefined ? { command, scope: printHandle(own, parts.mint) } : { run: known };
    const output = await run(parts, left, input);
    if (isRefusal(output)) return output;
    parts.checks.set(own, command, output.run);
    if (output.state === 'running') return { command, run: output.run };
    if (output.state !== 'exited' || output.exit_code !== 0) {
      parts.checks.forget(own);
      return failed(own, command, output);
    }
  }
  return undefined;
}

/** Whether somebody has run the command with success on exactly this tree. Without git nobody can tell. */
async function hasPassed(parts: Parts, command: string): Promise<boolean> {
  const tree = await parts.git?.worktree();
  if (tree === undefined) return false;
  const runs = await parts.store.runs({ tree, limit: MOST_RUNS });
  return runs.some((run) => run.command === command && run.ending === 'exited' && run.exit === 0);
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
