import type { Owner, Scope, ScopeId } from '../domain/scope.js';
import type { Ended, Run } from '../processes/runner.js';
import type { CheckRun } from './check-run.js';
import type { RunChanges } from './run-commit.js';
import type { Kept } from './run-end.js';

/** What came of a command, as it is on record. */
export interface Result extends Ended, RunChanges, Kept {
  readonly more_rejected?: number;
}

/** A command of this server process: under way, or ended not long ago. */
export interface Live {
  readonly run: Run;
  /** Wall time of the start, in milliseconds. */
  readonly began: number;
  /** Who started it, and for which scope. */
  readonly by: Owner;
  readonly scope: ScopeId | undefined;
  /** Set where it may stand for a check of that scope. */
  readonly check: CheckRun | undefined;
  /** Whether it writes to the scope's files as it runs. */
  readonly direct: boolean;
  /** Its end, once its changes are committed. */
  readonly result: Promise<Result>;
}

const KEPT = 200;

/** The runs of this server process. Of ended ones the latest are kept, with what they changed. */
export class Runs {
  readonly #runs = new Map<string, Live>();
  readonly #open = new Set<string>();
  readonly #clearing = new Set<Promise<void>>();
  readonly #settling = new Map<string, Promise<void>>();

  add(id: string, live: Live): void {
    this.#runs.set(id, live);
    this.#open.add(id);
    live.result.then(
      () => this.#closed(id),
      () => this.#closed(id),
    );
  }

  get(id: string): Live | undefined {
    return this.#runs.get(id);
  }

  /** The run of a check that is under way for a scope as it stands: begun since its last change. */
  checking({ id, tenure, changes }: Pick<Scope, 'id' | 'tenure' | 'changes'>, command: string): string | undefined {
    return [...this.#open].find((run) => {
      const { scope, check } = this.#runs.get(run) ?? {};
      return scope === id && check?.command === command && check.tenure === tenure && check.changes === changes;
    });
  }

  /**
   * Ends the commands of a scope, and waits until that is on record: before its units go to others. What a command wrote
   * directly is kept; what another one wrote by half is not.
   */
  async endOf(scope: ScopeId): Promise<void> {
    const open = [...this.#open].flatMap((id) => this.#runs.get(id) ?? []);
    const own = open.filter((live) => live.scope === scope);
    for (const live of own) live.run.stop(live.direct ? 'stopped' : 'lease_lost');
    await Promise.allSettled(own.map((live) => live.result));
  }

  /** Does something about a run of a killed server; whoever wants it meanwhile waits for the same. */
  once(id: string, work: () => Promise<void>): Promise<void> {
    const known = this.#settling.get(id);
    if (known !== undefined) return known;
    const done = work().finally(() => this.#settling.delete(id));
    this.#settling.set(id, done);
    return done;
  }

  /** What an ended run has left is being removed, which never fails: nobody waits for that but `close`. */
  clears(removal: Promise<void>): void {
    this.#clearing.add(removal);
    void removal.finally(() => this.#clearing.delete(removal));
  }

  /** Ends what is under way, and waits until it is on record and cleared away. */
  async close(): Promise<void> {
    const open = [...this.#open].flatMap((id) => this.#runs.get(id) ?? []);
    for (const live of open) live.run.stop('stopped');
    await Promise.allSettled(open.map((live) => live.result));
    await Promise.all(this.#clearing);
  }

  #closed(id: string): void {
    this.#open.delete(id);
    for (const old of this.#runs.keys()) {
      if (this.#runs.size <= KEPT) return;
      if (!this.#open.has(old)) this.#runs.delete(old);
    }
  }
}
