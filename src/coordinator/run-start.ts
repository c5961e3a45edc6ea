import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope, ScopeId } from '../domain/scope.js';
import { endRun } from '../domain/stopping.js';
import type { Containment, Run } from '../processes/runner.js';
import { PROTECTED_NAMES } from '../workspace/files/protected.js';
import { asCheck, LONGEST_COMMAND } from './check-run.js';
import type { Caller } from './contract.js';
import { heldProcesses } from './owned-units.js';
import { act, type NamedProcess, type Parts, scopeAlive } from './parts.js';
import type { Acquired } from './process-unit.js';
import { directlyWritable } from './run-direct.js';
import { finished } from './run-finish.js';
import type { RealRun } from './run-git.js';
import { type RunScratch, scratchFor } from './run-scratch.js';
import type { Spec } from './run-spec.js';
import type { Live } from './runs.js';
import { cacheFolders } from './scratch.js';

type Starting = Spec & { readonly itself?: RealRun };

/** A run that is on record. */
interface Begun {
  readonly id: string;
  readonly seq: number;
  /** Claimed folders. */
  readonly writable: readonly string[];
}

/** A command that runs, with what is to be removed after it. */
interface Launched {
  readonly run: Run;
  readonly drop: RunScratch['drop'];
}

/** Puts the start of a command on record and starts it; of one that could not be started, the end is there too. */
export async function start(
  parts: Parts,
  caller: Caller,
  spec: Starting,
  own: Scope | undefined,
  acquired: Acquired,
  containment: Containment,
): Promise<Live | Refusal> {
  const held = heldProcesses([own]);
  if (acquired.named !== undefined) held.add(acquired.named.name);
  const check = await asCheck(parts, own, spec);
  const recording = recordStart(parts, caller, spec, own, acquired, containment);
  const looking = cacheFolders(parts, held);
  // Waited for only when the start is on record: what it throws then has an end to be put there.
  looking.catch(() => undefined);
  const begun = await recording;
  if (isRefusal(begun)) return begun;
  const launched = await endingUnstarted(parts, caller, begun.id, async () =>
    launch(parts, spec, begun, { containment, held, caches: await looking, named: acquired.named }),
  );
  if (isRefusal(launched)) return launched;
  const { run, drop } = launched;
  const live: Live = {
    run,
    began: Date.now(),
    by: { connection: caller.connection, agent: caller.agent },
    scope: own?.id,
    check,
    direct: run.containment === 'none' || (run.containment === 'confined' && begun.writable.length > 0),
    result: finished(parts, caller, run, own, acquired, { ...spec, since: begun.seq, held, check }).finally(drop),
  };
  parts.runs.add(run.id, live);
  return live;
}

async function recordStart(
  parts: Parts,
  caller: Caller,
  spec: Spec,
  own: Scope | undefined,
  acquired: Acquired,
  containment: Containment,
): Promise<Begun | Refusal> {
  return act<Begun>(parts, caller, 'run', {}, (draft) => {
    const id = `R${String(draft.view.state.runCount + 1).padStart(3, '0')}`;
    draft.emit({ ...startedEvent(spec, own, acquired.scope), run: id, containment });
    const present = own && draft.view.scope(own.id);
    const command = acquired.scope === undefined ? undefined : draft.view.scope(acquired.scope);
    const writable = [
      ...(present?.tenure === own?.tenure ? directlyWritable(present) : []),
      ...directlyWritable(command),
    ];
    const life = own === undefined ? [] : scopeAlive(caller, own.id);
    return { answer: { id, seq: draft.view.state.seq, writable }, life };
  });
}

function startedEvent({ command, cwd }: Spec, own: Scope | undefined, turn: ScopeId | undefined) {
  const scope = own === undefined ? {} : { scope: own.id, tenure: own.tenure };
  const type = 'run.started' as const;
  return { type, command: command.slice(0, LONGEST_COMMAND), cwd, ...scope, ...(turn === undefined ? {} : { turn }) };
}

/** Whatever keeps a command from starting (a full disk, a fault of ours), a run that is on record must not stay open. */
async function endingUnstarted(
  parts: Parts,
  caller: Caller,
  run: string,
  launching: () => Promise<Launched | Refusal>,
): Promise<Launched | Refusal> {
  let launched: Launched | Refusal | undefined;
  try {
    launched = await launching();
    return launched;
  } finally {
    if (launched === undefined || isRefusal(launched)) {
      const answer = launched;
      await act(parts, caller, 'run', {}, (draft) => {
        endRun(draft, { run, ending: 'stopped', exit: null, output: 0, rejected: 0 });
        return { answer };
      });
    }
  }
}

async function launch(
  parts: Parts,
  spec: Starting,
  { id, writable }: Begun,
  room: Pick<Parameters<typeof scratchFor>[1], 'containment' | 'held' | 'caches' | 'named'>,
): Promise<Launched | Refusal> {
  const scratch = await scratchFor(parts, { ...spec, ...room, writable });
  let run: Run | Refusal | undefined;
  try {
    run = await parts.runner.start({
      ...spec,
      ...modeOf(room.named),
      ...(spec.itself && { program: spec.itself.program }),
      id,
      writable: scratch.writable,
      scratch: scratch.folders,
      sealed: PROTECTED_NAMES,
    });
  } finally {
    if (run === undefined || isRefusal(run)) scratch.drop();
  }
  return isRefusal(run) ? run : { run, drop: scratch.drop };
}

/** How the commands of a process run. */
function modeOf(named: NamedProcess | undefined): { network: boolean; live: boolean; sockets: readonly string[] } {
  return { network: named?.network ?? true, live: named?.live ?? false, sockets: named?.sockets ?? [] };
}
