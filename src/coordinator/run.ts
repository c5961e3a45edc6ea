import { setTimeout } from 'node:timers/promises';
import { onlyScope, ownScope } from '../domain/authority.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import type { Containment, Ended, Run } from '../processes/runner.js';
import type { Caller, RunInput, RunOutput } from './contract.js';
import { act, claimant, type Parts, scopeAlive, scopeNeeds } from './parts.js';
import { type Acquired, acquireProcess } from './process-unit.js';
import { commitRun, type RunChanges } from './run-commit.js';
import type { Live } from './runs.js';
import { scratchFolders } from './scratch.js';

const LONGEST = 24 * 3600;
const CONTAINMENTS: readonly Containment[] = ['transactional', 'confined', 'none'];

/** run: starts a command, or asks after one that was started before. */
export async function run(parts: Parts, caller: Caller, input: RunInput): Promise<RunOutput | Refusal> {
  if (input.run !== undefined) return again(parts, caller, input, input.run);
  const spec = await parseRun(parts, input);
  if (isRefusal(spec)) return refusedRun(parts, caller, spec);
  const level = (await parts.runner.levels()).find((candidate) => candidate.works);
  if (level === undefined) return refusedRun(parts, caller, await uncontained(parts));
  const own = await actingScope(parts, caller, input.scope);
  if (isRefusal(own)) return own;
  const acquired = await acquireProcess(parts, caller, own, spec.command);
  if (isRefusal(acquired)) return acquired;
  const live = await start(parts, caller, spec, own, acquired, level.level);
  if (isRefusal(live)) return live;
  return answer(live, caller, input.background === true ? 0 : input.wait_s, 0);
}

interface Spec {
  readonly command: string;
  readonly cwd: string;
  readonly env: { readonly [name: string]: string };
  readonly timeout: number;
}

async function parseRun(parts: Parts, input: RunInput): Promise<Spec | Refusal> {
  const command = input.command?.trim();
  if (!command)
    return invalid('command', 'a command, or run with the id of one that was started', String(input.command));
  if (command.includes('\0')) return invalid('command', 'text without NUL', 'text with NUL');
  const env: { [name: string]: string } = {};
  for (const pair of input.env ?? []) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=([^\0]*)$/s.exec(pair);
    if (match?.[1] === undefined || match[2] === undefined) return invalid('env', 'NAME=value', pair);
    env[match[1]] = match[2];
  }
  const cwd = await parts.workspace.resolve(input.cwd ?? '.', 'read');
  if (isRefusal(cwd)) return cwd;
  const looked = await parts.workspace.look(cwd === '' ? '.' : cwd);
  if (isRefusal(looked)) return looked;
  if (looked.kind !== 'folder') return invalid('cwd', 'a folder in the workspace', input.cwd ?? '.');
  const seconds = Math.min(input.timeout_s ?? parts.rules.timeout / 1000, LONGEST);
  if (!(seconds > 0)) return invalid('timeout_s', 'seconds above 0', String(input.timeout_s));
  return { command, cwd: cwd === '' ? '.' : cwd, env, timeout: seconds * 1000 };
}

function invalid(argument: string, expected: string, got: string): Refusal {
  return refuse(
    'INVALID',
    `${argument}: expected ${expected}, got ${JSON.stringify(got.slice(0, 60))}.`,
    'Call run again with that argument put right.',
    { argument },
  );
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
  const found = await act<{ own: Scope | undefined }>(parts, caller, 'run', { scopes: scopeNeeds(given) }, (draft) => {
    const own =
      given === undefined ? onlyScope(draft, claimant(parts, caller)) : ownScope(draft, claimant(parts, caller), given);
    if (isRefusal(own)) return { answer: own };
    if (own?.status === 'waiting') return { answer: stillWaiting(own) };
    return { answer: { own }, life: own === undefined ? [] : scopeAlive(caller, own.id) };
  });
  return isRefusal(found) ? found : found.own;
}

function stillWaiting(own: Scope): Refusal {
  return refuse(
    'WAITING',
    `${own.id} is still waiting for ${own.ticket?.units.join(', ') ?? 'its units'}.`,
    `Call claim_scope {"scope": "${own.id}"} to go on waiting.`,
    { scope: own.id },
  );
}

async function start(
  parts: Parts,
  caller: Caller,
  spec: Spec,
  own: Scope | undefined,
  acquired: Acquired,
  containment: Containment,
): Promise<Live | Refusal> {
  const began = await act<{ id: string; seq: number }>(parts, caller, 'run', {}, (draft) => {
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
    return { answer: { id, seq: draft.view.state.seq } };
  });
  if (isRefusal(began)) return began;
  const writable = own === undefined ? [] : [...own.locks.keys()].filter((unit) => unit.endsWith('/'));
  const scratch = await scratchFolders(parts);
  const started = await parts.runner.start({ ...spec, id: began.id, writable, scratch, network: acquired.network });
  if (isRefusal(started)) {
    await act(parts, caller, 'run', {}, (draft) => {
      draft.emit({ type: 'run.ended', run: began.id, ending: 'stopped', exit: null, output: 0, rejected: 0 });
      return { answer: started };
    });
    await acquired.release();
    return started;
  }
  const live: Live = {
    run: started,
    command: spec.command,
    result: finished(parts, caller, started, own, began.seq, acquired),
  };
  parts.runs.add(started.id, live);
  return live;
}

/** Sees a run to its end: commits what it may keep, records the ending, frees its process unit. */
async function finished(
  parts: Parts,
  caller: Caller,
  started: Run,
  own: Scope | undefined,
  since: number,
  acquired: Acquired,
): Promise<Ended & RunChanges> {
  const done = new AbortController();
  const began = Date.now();
  parts.presence.works(caller.connection, own?.id);
  void watchLease(parts, started, own, done.signal);
  try {
    const ended = await started.ended;
    const written = ended.ending === 'lease_lost' ? [] : await started.written();
    const changes = await commitRun(parts, caller, { run: started.id, own, since, began, written });
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
    await started.dispose();
  }
}

/** A lease that is lost while the command runs ends the command. */
async function watchLease(parts: Parts, started: Run, own: Scope | undefined, signal: AbortSignal): Promise<void> {
  if (own === undefined) return;
  while (!signal.aborted) {
    const { seq, held } = await parts.store.view({}, ({ state }) => ({
      seq: state.seq,
      held: state.scopes.get(own.id)?.tenure === own.tenure,
    }));
    if (!held) return started.stop('lease_lost');
    await parts.store.changed(seq, signal);
  }
}

/** Waits for the end as long as the caller bears, and tells how it stands. */
async function answer(
  live: Live,
  caller: Caller,
  wait: number | undefined,
  from: number | undefined,
): Promise<RunOutput> {
  const patience = Math.min(caller.patience, wait === undefined ? caller.patience : Math.max(0, wait) * 1000);
  const stop = new AbortController();
  const pause = setTimeout(Math.min(patience, 2_000_000_000), undefined, {
    signal: AbortSignal.any([stop.signal, caller.signal]),
  }).catch(() => undefined);
  const ended = await Promise.race([live.result, pause]);
  stop.abort();
  const page = await live.run.output(from === 0 ? undefined : from);
  const common = {
    run: live.run.id,
    output: page.text,
    containment: live.run.containment,
    ...(page.next === undefined ? {} : { next: page.next }),
  };
  if (ended === undefined) return { ...common, state: 'running', changed: [], rejected: [], duration_ms: 0 };
  return {
    ...common,
    state: ended.ending,
    ...(ended.exit === null ? {} : { exit_code: ended.exit }),
    ...(ended.handle === undefined ? {} : { scope: ended.handle }),
    changed: ended.changed,
    rejected: ended.rejected,
    duration_ms: Math.round(ended.duration),
  };
}

/** A run that was started before: goes on waiting, pages its output, or stops it. */
async function again(parts: Parts, caller: Caller, input: RunInput, id: string): Promise<RunOutput | Refusal> {
  parts.presence.called(caller.connection);
  const live = parts.runs.get(id);
  if (live !== undefined) {
    if (input.stop === true) live.run.stop('stopped');
    return answer(live, caller, input.stop === true ? undefined : input.wait_s, input.from);
  }
  const page = await parts.runner.output(id, input.from);
  if (page === undefined)
    return refusedRun(
      parts,
      caller,
      refuse(
        'NOT_FOUND',
        `There is no run ${JSON.stringify(id.slice(0, 20))} here.`,
        'Start the command anew with run {"command": …}.',
        { run: id.slice(0, 20) },
      ),
    );
  const past = await parts.store.run(id);
  return {
    run: id,
    state: past?.ending ?? 'running',
    ...(past?.exit === null || past?.exit === undefined ? {} : { exit_code: past.exit }),
    output: page.text,
    ...(page.next === undefined ? {} : { next: page.next }),
    changed: [],
    rejected: [],
    containment: CONTAINMENTS.find((known) => known === past?.containment) ?? 'none',
    duration_ms: 0,
  };
}
