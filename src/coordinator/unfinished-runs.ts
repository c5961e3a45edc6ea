import { setTimeout } from 'node:timers/promises';
import { statelessConnection } from '../domain/leases.js';
import { type OpenRun, runsOf, stoppingScopes } from '../domain/open-runs.js';
import type { ScopeId } from '../domain/scope.js';
import type { Containment, Left } from '../processes/runner.js';
import type { Caller } from './contract.js';
import { heldProcesses } from './owned-units.js';
import type { Parts } from './parts.js';
import { commitRun, type RunChanges } from './run-commit.js';
import { recordDirect } from './run-direct.js';
import { putEndOnRecord } from './run-end.js';
import { heirOf } from './run-heir.js';

/** From the event of a run's start to the mark of the server that sees to it, in milliseconds of lock time, at the most. */
const AGE = 120_000;
/** From the loss of a scope to the killing of its commands by somebody else than their server: it is given time to do it. */
const GRACE = 2_000;
const LOOK = 500;
const CONTAINMENTS: readonly Containment[] = ['transactional', 'confined', 'none'];

/**
 * Puts the end of commands on record whose server was killed: their processes died with it. What one had finished before
 * is committed, if its scope still stands as it did; what was cut off is not. What it printed is kept.
 */
export async function settleRuns(parts: Parts): Promise<void> {
  const open = await parts.store.view({}, ({ state }) => state.runs);
  for (const run of open.values()) if (parts.runs.get(run.run) === undefined) await settleRun(parts, run);
  // Their servers were killed between the record and the tidying up.
  for (const id of await parts.runner.left()) {
    const isOpen = await parts.store.view({}, ({ state }) => state.runs.has(id));
    if (!isOpen) await (await parts.runner.adopt(id, 'transactional'))?.dispose();
  }
}

/** False where a server sees to the run, or may yet begin to. */
export async function settleRun(parts: Parts, run: OpenRun): Promise<boolean> {
  const fate = await parts.runner.fate(run.run);
  if (fate === 'served' || (fate === 'unknown' && (await isYoung(parts, run)))) return false;
  await takeOver(parts, run);
  return true;
}

/** What a run left is settled here, and not by its own server: that is gone, or finds it done when it goes on. */
function takeOver(parts: Parts, run: OpenRun): Promise<void> {
  return parts.runs.once(run.run, async () => {
    try {
      await settle(parts, run);
    } catch (error) {
      // Another server that did the same was faster: nothing is left to be done.
      if (await parts.store.view({}, ({ state }) => state.runs.has(run.run))) throw error;
    }
  });
}

async function settle(parts: Parts, run: OpenRun): Promise<void> {
  const level = CONTAINMENTS.find((known) => known === run.containment) ?? 'none';
  const left = await parts.runner.adopt(run.run, level);
  const caller = onBehalf(run);
  const lost = await parts.store.view({}, ({ state }) => stoppingScopes(state).some((id) => isFor(run, id)));
  const ended = left?.ended ?? { ending: lost ? ('lease_lost' as const) : ('stopped' as const), exit: null };
  const changes = left === undefined ? nothing : await commitLeft(parts, caller, run, left);
  const log = (await left?.log()) ?? { bytes: new Uint8Array() };
  await putEndOnRecord(parts, caller, {
    run: run.run,
    ended,
    total: left?.total ?? 0,
    log,
    rejected: changes.rejected,
  });
  await left?.dispose();
  parts.log(`${run.run} had no end on record, because its server was killed or stopped: now it has (${ended.ending})`);
}

const isFor = ({ scope, turn }: OpenRun, id: ScopeId): boolean => scope === id || turn === id;

const nothing: RunChanges = { changed: [], rejected: [] };

/** What a command wrote directly is on disk; of what it wrote to a layer, only a whole result counts. */
async function commitLeft(parts: Parts, caller: Caller, run: OpenRun, left: Left): Promise<RunChanges> {
  if (run.changed !== undefined) return nothing;
  const direct = run.containment !== 'transactional';
  if (!direct && (left.ended === undefined || left.ended.ending === 'lease_lost')) return nothing;
  const { scope: id, tenure } = run;
  const scope = id && (await parts.store.view({ scopes: [id] }, (view) => view.scope(id)));
  // In the tenure in which it began: where that is over, the fence refuses it.
  const own = scope && tenure !== undefined ? { ...scope, tenure } : undefined;
  const written = await left.written();
  const [start] = await parts.store.events({ after: run.started - 1, until: run.started, limit: 1 });
  const { command, turn } = run;
  const process = await parts.store.view({}, ({ state }) => state.scopes.get(turn ?? ''));
  const held = heldProcesses([own, process]);
  const acquired = { named: undefined, ...(turn && { scope: turn }), release: async () => undefined };
  const heir = own && (await heirOf(parts, caller, own, acquired, { command, written }));
  const commit = { run: run.run, own: heir, since: run.started, began: start?.wall ?? 0, held, turn, written };
  if (direct) return recordDirect(parts, caller, { ...commit, failed: false });
  return commitRun(parts, caller, commit);
}

/** A caller that shows no sign of life: whoever started the run may be gone. */
function onBehalf({ by }: OpenRun): Caller {
  const connection = statelessConnection('recovery');
  return { connection, agent: by.agent, patience: 0, signal: new AbortController().signal };
}

async function isYoung(parts: Parts, { started }: OpenRun): Promise<boolean> {
  const [event] = await parts.store.events({ after: started - 1, until: started, limit: 1 });
  const now = await parts.store.view({}, (view) => view.now);
  return event !== undefined && now - event.at < AGE;
}

/**
 * Waits until a scope that was taken from its owner has given up its units. Its commands are ended by their own server;
 * where that does not come to it, because it is stopped or gone, they are killed here. False where they can't be known to
 * be dead when the time is over.
 */
export async function stopped(parts: Parts, scope: ScopeId, patience: number, signal: AbortSignal): Promise<boolean> {
  const until = performance.now() + patience;
  for (;;) {
    const isLeft = await endCommands(parts, scope);
    const rest = until - performance.now();
    if (!isLeft || rest <= 0 || signal.aborted) return !isLeft;
    await setTimeout(Math.min(LOOK, rest), undefined, { signal }).catch(() => undefined);
  }
}

/** One look at the commands of a scope that may be stopping. Returns whether it still is. */
export async function endCommands(parts: Parts, id: ScopeId): Promise<boolean> {
  const look = await parts.store.view({}, ({ state, now }) => {
    const stopping = state.scopes.get(id)?.stopping;
    return stopping && { runs: runsOf(state, id), isLate: now - stopping.since > GRACE };
  });
  if (look === undefined) return false;
  for (const run of look.runs) {
    if (await settleRun(parts, run)) continue;
    const live = parts.runs.get(run.run);
    if (live !== undefined) live.run.stop('lease_lost');
    else if (look.isLate && (await parts.runner.kill(run.run))) await takeOver(parts, run);
  }
  return parts.store.view({}, ({ state }) => state.scopes.get(id)?.stopping !== undefined);
}
