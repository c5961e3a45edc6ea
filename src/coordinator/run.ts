import { onlyScope, ownScope, stillWaiting } from '../domain/authority.js';
import { type Draft, draft as newDraft } from '../domain/draft.js';
import { printHandle } from '../domain/handle.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import { levelFor } from '../processes/level.js';
import type { Containment, Ended, Run } from '../processes/runner.js';
import { PROTECTED_NAMES } from '../workspace/files/protected.js';
import type { Caller, RunInput, RunOutput } from './contract.js';
import { act, claimant, collected, type NamedProcess, type Parts, scopeAlive, scopeNeeds } from './parts.js';
import { type Acquired, acquireProcess } from './process-unit.js';
import { again, answerOf } from './run-again.js';
import { type Commit, commitRun, type RunChanges } from './run-commit.js';
import { directlyWritable, recordDirect } from './run-direct.js';
import { prepareReal, type RealRun, recordReal, withoutTree } from './run-git.js';
import { heirOf } from './run-heir.js';
import { parseSpec, type Spec } from './run-spec.js';
import type { Live } from './runs.js';
import { ownScratch, scratchFolders } from './scratch.js';

/** A judged command on the repository itself is not contained. */
const ITSELF = { level: 'none' } as const;

/** run: starts a command, or asks after one that was started before. */
export async function run(parts: Parts, caller: Caller, input: RunInput): Promise<RunOutput | Refusal> {
  if (input.run !== undefined) return again(parts, caller, input, input.run);
  const spec = await parseSpec(parts, input);
  if (isRefusal(spec)) return refusedRun(parts, caller, spec);
  // Before anything that puts files into `.signalbox/`: the store may be gone.
  const own = await actingScope(parts, caller, input.scope);
  if (isRefusal(own)) return own;
  const { named, real } = spec;
  const level = real === undefined ? levelFor(await parts.runner.levels(), named?.live ?? false) : ITSELF;
  const no = level === undefined ? await uncontained(parts) : real?.reach && withoutTree(parts, own, real);
  if (level === undefined || no !== undefined) return refusedRun(parts, caller, no ?? (await uncontained(parts)));
  const patient = patience(caller, input.background === true ? 0 : input.wait_s);
  const acquired = await acquireProcess(parts, patient(), own, named, spec);
  if (isRefusal(acquired)) return acquired;
  const begun = await releasing(acquired, async () => {
    const itself = real === undefined ? undefined : await prepareReal(parts, real);
    if (isRefusal(itself)) return act<Live>(parts, caller, 'run', {}, () => ({ answer: itself }));
    return start(parts, caller, { ...spec, ...(itself === undefined ? {} : { itself }) }, own, acquired, level.level);
  });
  if (isRefusal(begun)) return begun;
  return answerOf(begun, patient(), undefined, undefined);
}

/** The caller with what is left of its patience: waiting for the process and for the command are one wait to its client. */
function patience(caller: Caller, wait: number | undefined): () => Caller {
  const began = performance.now();
  const whole = Math.min(caller.patience, wait === undefined ? Number.POSITIVE_INFINITY : wait * 1000);
  return () => ({ ...caller, patience: Math.max(0, whole - (performance.now() - began)) });
}

function refusedRun(parts: Parts, caller: Caller, refusal: Refusal): Promise<RunOutput | Refusal> {
  return act<RunOutput>(parts, caller, 'run', {}, () => ({ answer: refusal }));
}

async function uncontained(parts: Parts): Promise<Refusal> {
  const reasons = (await parts.runner.levels()).map(({ level, reason }) => `${level}: ${reason ?? 'does not work'}`);
  return refuse(
    'UNAVAILABLE',
    `No containment holds on this machine, so no command is run. ${reasons.join('; ')}`,
    'Change files with patch; ask the operator to install what is missing, or to set containment: none in signalbox.yaml.',
    { levels: reasons },
  );
}

/** The scope that the command's writes go to; without one, what it writes is not kept. */
async function actingScope(
  parts: Parts,
  caller: Caller,
  given: string | undefined,
): Promise<Scope | undefined | Refusal> {
  const needs = { scopes: scopeNeeds(given) };
  const decide = (draft: Draft): { own: Scope | undefined } | Refusal => {
    const own =
      given === undefined ? onlyScope(draft, claimant(parts, caller)) : ownScope(draft, claimant(parts, caller), given);
    if (isRefusal(own)) return own;
    return own?.status === 'waiting' ? stillWaiting(own, given) : { own };
  };
  const seen = await parts.store.view(needs, (view) => decide(newDraft(view)));
  // That the scope is used goes on record with the start of the run. A refusal, or a grant that is fetched, needs more.
  if (!isRefusal(seen) && (seen.own === undefined || collected(seen.own).length === 0)) return seen.own;
  const found = await act<{ own: Scope | undefined }>(parts, caller, 'run', needs, (draft) => {
    const answer = decide(draft);
    const own = isRefusal(answer) ? undefined : answer.own;
    return { answer, life: own === undefined ? [] : [...scopeAlive(caller, own.id), ...collected(own)] };
  });
  return isRefusal(found) ? found : found.own;
}

/** A command that could not be started leaves its process unit to the next one. */
async function releasing(acquired: Acquired, begin: () => Promise<Live | Refusal>): Promise<Live | Refusal> {
  let live: Live | Refusal | undefined;
  try {
    live = await begin();
    return live;
  } finally {
    if (live === undefined || isRefusal(live)) await acquired.release();
  }
}

async function start(
  parts: Parts,
  caller: Caller,
  spec: Spec & { readonly itself?: RealRun },
  own: Scope | undefined,
  acquired: Acquired,
  containment: Containment,
): Promise<Live | Refusal> {
  const held = heldProcesses(own, acquired);
  const starting = act<{ id: string; seq: number; writable: string[] }>(parts, caller, 'run', {}, (draft) => {
    const id = `R${String(draft.view.state.runCount + 1).padStart(3, '0')}`;
    const scope = own === undefined ? {} : { scope: own.id };
    draft.emit({
      type: 'run.started',
      run: id,
      command: spec.command.slice(0, 4_000),
      cwd: spec.cwd,
      containment,
      ...scope,
    });
    const present = own && draft.view.scope(own.id);
    const command = acquired.scope === undefined ? undefined : draft.view.scope(acquired.scope);
    const writable = [
      ...(present?.tenure === own?.tenure ? directlyWritable(present) : []),
      ...directlyWritable(command),
    ];
    const life = own === undefined ? [] : scopeAlive(caller, own.id);
    return { answer: { id, seq: draft.view.state.seq, writable }, life };
  });
  const [began, scratch] = await Promise.all([starting, scratchFolders(parts, held)]);
  if (isRefusal(began)) return began;
  const { id, writable } = began;
  const { itself } = spec;
  const apart = containment === 'transactional' ? [] : await ownScratch(parts, acquired.named);
  const started = await parts.runner.start({
    ...spec,
    ...modeOf(acquired.named),
    ...(itself === undefined ? {} : { program: itself.program }),
    id,
    writable: [...new Set([...writable, ...apart.map((folder) => `${folder}/`)])],
    scratch: [...scratch, ...apart],
    sealed: PROTECTED_NAMES,
  });
  if (isRefusal(started)) {
    await act(parts, caller, 'run', {}, (draft) => {
      draft.emit({ type: 'run.ended', run: began.id, ending: 'stopped', exit: null, output: 0, rejected: 0 });
      return { answer: started };
    });
    return started;
  }
  const live: Live = {
    run: started,
    began: Date.now(),
    by: { connection: caller.connection, agent: caller.agent },
    scope: own?.id,
    direct: started.containment === 'none' || (started.containment === 'confined' && writable.length > 0),
    result: finished(parts, caller, started, own, acquired, { ...spec, since: began.seq, held }),
  };
  parts.runs.add(started.id, live);
  return live;
}

/** What has to be known of a command when it has ended. */
interface About extends Pick<Commit, 'since' | 'held'> {
  readonly command: string;
  readonly itself?: RealRun;
}

/** Sees a run to its end: commits what it may keep, records the ending, frees its process unit. */
async function finished(
  parts: Parts,
  caller: Caller,
  started: Run,
  own: Scope | undefined,
  acquired: Acquired,
  about: About,
): Promise<Ended & RunChanges> {
  const done = new AbortController();
  const commit = { ...about, run: started.id, own, began: Date.now() };
  parts.presence.works(caller.connection, own?.id);
  watchLease(parts, started, own, acquired, done.signal).catch((error: unknown) =>
    parts.log(`the lease of ${started.id} is not watched: ${String(error)}`),
  );
  try {
    const ended = await started.ended;
    const changes = await settle(parts, caller, started, ended, acquired, commit);
    const { total } = await started.output();
    await act(parts, caller, 'run', {}, (draft) => {
      const scope = own === undefined ? {} : { scope: own.id };
      draft.emit({
        type: 'run.ended',
        run: started.id,
        ...scope,
        ending: ended.ending,
        exit: ended.exit,
        output: total,
        rejected: changes.rejected.length,
      });
      return { answer: undefined };
    });
    return { ...ended, ...changes };
  } finally {
    done.abort();
    parts.presence.stopsWorking(caller.connection, own?.id);
    await acquired.release();
    // Behind the answer: it takes its time where a command has left much.
    const clearing = started.dispose();
    parts.runs.clears(
      clearing.catch((error) => parts.log(`${started.id} could not be cleared away: ${String(error)}`)),
    );
  }
}

/** What a command wrote becomes the scope's change: from its layer, or where it wrote directly. */
async function settle(
  parts: Parts,
  caller: Caller,
  started: Run,
  ended: Ended,
  acquired: Acquired,
  commit: Omit<Commit, 'written'> & About,
): Promise<RunChanges> {
  if (commit.itself !== undefined) {
    return { changed: await recordReal(parts, caller, commit.itself, commit), rejected: [] };
  }
  const direct = started.containment !== 'transactional';
  const written = !direct && ended.ending === 'lease_lost' ? [] : await started.written();
  const own = await heirOf(parts, caller, commit.own, acquired, { command: commit.command, written });
  const failed = ended.exit !== 0 && started.containment === 'confined';
  const changes = direct
    ? await recordDirect(parts, caller, { ...commit, own, written, failed })
    : await commitRun(parts, caller, { ...commit, own, written });
  return own === undefined || own === commit.own ? changes : { handle: printHandle(own, parts.mint), ...changes };
}

/** The named processes of which this command may write what only they write. */
function heldProcesses(own: Scope | undefined, { named }: Acquired): ReadonlySet<string> {
  const units = [...(own?.locks.keys() ?? [])].filter((unit) => unit.startsWith('process:'));
  return new Set([...units.map((unit) => unit.slice('process:'.length)), ...(named === undefined ? [] : [named.name])]);
}

/** How the commands of a process run. */
function modeOf(named: NamedProcess | undefined): { network: boolean; live: boolean; sockets: readonly string[] } {
  return { network: named?.network ?? true, live: named?.live ?? false, sockets: named?.sockets ?? [] };
}

/** A lease that is lost while the command runs ends the command: that of its scope, or of what it holds itself. */
async function watchLease(
  parts: Parts,
  started: Run,
  own: Scope | undefined,
  { scope }: Acquired,
  signal: AbortSignal,
): Promise<void> {
  if (own === undefined && scope === undefined) return;
  while (!signal.aborted) {
    const { seq, held } = await parts.store.view({}, ({ state: { seq, scopes } }) => ({
      seq,
      held:
        (own === undefined || scopes.get(own.id)?.tenure === own.tenure) &&
        (scope === undefined || scopes.get(scope)?.status === 'active'),
    }));
    if (!held) return started.stop('lease_lost');
    await parts.store.changed(seq, signal);
  }
}
