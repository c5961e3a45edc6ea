import { setTimeout } from 'node:timers/promises';
import { printHandle } from '../domain/handle.js';
import type { Scope } from '../domain/scope.js';
import type { Ended, Run } from '../processes/runner.js';
import { StoreBusy } from '../store/store.js';
import { type CheckRun, treeOf } from './check-run.js';
import type { Caller } from './contract.js';
import type { Parts } from './parts.js';
import type { Acquired } from './process-unit.js';
import { type Commit, commitRun, type RunChanges } from './run-commit.js';
import { recordDirect } from './run-direct.js';
import { changedAt, putEndOnRecord } from './run-end.js';
import { type RealRun, recordReal } from './run-git.js';
import { heirOf } from './run-heir.js';
import type { Result } from './runs.js';

/** Tries to put an end on record while others keep the store busy, and the milliseconds between them. */
const ATTEMPTS = 60;
const PAUSE = 1_000;

/** What has to be known of a command when it has ended. */
export interface About extends Pick<Commit, 'since' | 'held'> {
  readonly command: string;
  readonly itself?: RealRun;
  readonly check: CheckRun | undefined;
}

/** Sees a run to its end: commits what it may keep, records the ending, frees its process unit. */
export async function finished(
  parts: Parts,
  caller: Caller,
  started: Run,
  own: Scope | undefined,
  acquired: Acquired,
  about: About,
): Promise<Result> {
  const done = new AbortController();
  const { command } = about;
  const commit = { ...about, run: started.id, began: started.began };
  parts.presence.works(caller.connection, own?.id);
  watchLease(parts, started, own, done.signal).catch((error: unknown) =>
    parts.log(`the lease of ${started.id} is not watched: ${String(error)}`),
  );
  try {
    const ended = await started.ended;
    if (!(await isOpen(parts, started))) return await onRecord(parts, ended, started);
    const lost = started.containment === 'transactional' && ended.ending === 'lease_lost';
    const written = lost ? [] : await started.written();
    const heir = await persistently(() => heirOf(parts, caller, own, acquired, { command, written }));
    // Until it is on record, its result stays where the next server finds it.
    const result = await persistently(() =>
      conclude(parts, caller, started, ended, { ...commit, own: heir, turn: acquired.scope, written }),
    );
    clear(parts, started);
    return heir === undefined || heir === own ? result : { handle: printHandle(heir, parts.mint), ...result };
  } catch (error) {
    if (await isOpen(parts, started)) throw error;
    return await onRecord(parts, await started.ended, started);
  } finally {
    done.abort();
    parts.presence.stopsWorking(caller.connection, own?.id);
    await acquired.release();
  }
}

function isOpen(parts: Parts, { id }: Run): Promise<boolean> {
  return persistently(() => parts.store.view({}, ({ state }) => state.runs.has(id)));
}

/** While this server was stopped, another one has put the end of its run on record, and taken what it had left. */
async function onRecord(parts: Parts, { duration }: Ended, started: Run): Promise<Result> {
  clear(parts, started);
  const row = await parts.store.run(started.id);
  if (row === undefined) throw new Error(`${started.id} has vanished`);
  const { ending, exit, output, log, diff, cut } = row;
  return {
    ending: ending ?? 'lease_lost',
    exit,
    duration,
    changed: row.changed === null ? [] : await changedAt(parts, row.changed),
    rejected: [],
    total: output,
    ...(log && { log }),
    ...(diff && { diff }),
    ...(cut && { cut }),
  };
}

/** Behind the answer: it takes its time where a command has left much. */
function clear(parts: Parts, started: Run): void {
  const clearing = started.dispose();
  parts.runs.clears(
    clearing.catch((error: unknown) => parts.log(`${started.id} could not be cleared away: ${String(error)}`)),
  );
}

/** A finished result is not given up because the store is busy for a while. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreBusy) || attempt === ATTEMPTS) throw error;
      await setTimeout(PAUSE);
    }
  }
}

/** What a command wrote becomes the scope's change, from its layer or where it wrote directly; then it has ended. */
async function conclude(
  parts: Parts,
  caller: Caller,
  started: Run,
  ended: Ended,
  commit: Commit & About,
): Promise<Result> {
  const changed = await parts.store.view({}, ({ state }) => state.runs.get(started.id)?.changed);
  const tree = commit.check && (await treeOf(parts, commit.check, ended));
  const failed = ended.exit !== 0 && started.containment === 'confined';
  const changes = await (changed !== undefined
    ? committed(parts, changed)
    : commit.itself !== undefined
      ? changedReal(parts, caller, commit.itself, commit)
      : started.containment === 'transactional'
        ? commitRun(parts, caller, commit)
        : recordDirect(parts, caller, { ...commit, failed }));
  const { total } = await started.output();
  const log = await started.log();
  const { rejected } = changes;
  const kept = await putEndOnRecord(parts, caller, { run: started.id, ended, total, log, rejected, tree });
  return { ...ended, ...changes, ...kept };
}

async function changedReal(parts: Parts, caller: Caller, itself: RealRun, commit: Commit): Promise<RunChanges> {
  return { changed: await recordReal(parts, caller, itself, commit), rejected: [] };
}

async function committed(parts: Parts, changed: number): Promise<RunChanges> {
  return { changed: await changedAt(parts, changed), rejected: [] };
}

/** A lease that is lost while the command runs ends the command. */
async function watchLease(parts: Parts, started: Run, own: Scope | undefined, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { seq, held } = await parts.store.view({}, ({ state }) => {
      const run = state.runs.get(started.id);
      const inTurn = run?.turn === undefined || state.scopes.get(run.turn)?.stopping === undefined;
      const owned = own === undefined || state.scopes.get(own.id)?.tenure === own.tenure;
      return { seq: state.seq, held: run !== undefined && inTurn && owned };
    });
    if (!held) return started.stop('lease_lost');
    await parts.store.changed(seq, signal);
  }
}
