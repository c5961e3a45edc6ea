import { setTimeout } from 'node:timers/promises';
import { hasSameName, isSameAgent, ownScope } from '../domain/authority.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Containment } from '../processes/runner.js';
import type { RunRow } from '../store/store.js';
import { quoted, wrongArgument } from './argument.js';
import type { Caller, RunInput, RunOutput } from './contract.js';
import { act, claimant, type Parts, scopeNeeds } from './parts.js';
import type { Live } from './runs.js';

const CONTAINMENTS: readonly Containment[] = ['transactional', 'confined', 'none'];
/** Of its scope, looked through for those of a run. */
const MOST_EVENTS = 1_000;
const LONGEST = 2_000_000_000;

/** A run that was started before: goes on waiting, pages its output, or stops it. */
export async function again(parts: Parts, caller: Caller, input: RunInput, id: string): Promise<RunOutput | Refusal> {
  parts.presence.called(caller.connection);
  if (input.command !== undefined) {
    const next = 'Call run with command to start one, or with run to ask after an earlier one.';
    return refused(parts, caller, wrongArgument('run', 'either command or run', 'both', next));
  }
  const live = parts.runs.get(id);
  if (live === undefined) return elsewhere(parts, caller, input, id);
  if (input.stop !== true) return answerOf(live, caller, input.wait_s, input.from);
  const no = await mayNotStop(parts, caller, live, input.scope);
  if (no !== undefined) return no;
  live.run.stop('stopped');
  return answerOf(live, caller, undefined, input.from);
}

/** Waits for the end as long as the caller bears, and tells how it stands. */
export async function answerOf(
  live: Live,
  caller: Caller,
  wait: number | undefined,
  from: number | undefined,
): Promise<RunOutput> {
  const patience = Math.min(caller.patience, wait === undefined ? LONGEST : wait * 1000);
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, caller.signal]);
  const pause = setTimeout(Math.min(patience, LONGEST), undefined, { signal }).catch(() => undefined);
  const ended = await Promise.race([live.result, pause]);
  stop.abort();
  const page = await live.run.output(from);
  const common = {
    run: live.run.id,
    output: page.text,
    containment: live.run.containment,
    ...(page.next === undefined ? {} : { next: page.next }),
    ...gitAdvice(live.run.containment, page.text),
  };
  if (ended === undefined) {
    return { ...common, state: 'running', changed: [], rejected: [], duration_ms: Date.now() - live.began };
  }
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

/** How git says that it could not write to its own folder. */
const SEALED = /\.git\b[^\n]*: (Read-only file system|Operation not permitted|Permission denied)/;

/** A commit that git could not make is told where commits are made, and what else of git runs where. */
function gitAdvice(containment: Containment, output: string): Pick<RunOutput, 'advice'> {
  if (containment === 'none' || !SEALED.test(output)) return {};
  const advice =
    'Git can only be read inside a command. To commit what your scope changed, call publish_output {"summary": "…"}; ' +
    'there is nothing to add or stage. A plain git fetch, push, pull, branch, tag, switch, checkout, merge, rebase or stash ' +
    'runs on the repository itself when it is the whole command, without ; && | $ or redirections.';
  return { advice };
}

/** A command is stopped by whoever started it, or under the handle of the scope that it runs for. */
async function mayNotStop(
  parts: Parts,
  caller: Caller,
  { run, by, scope }: Live,
  given: string | undefined,
): Promise<Refusal | undefined> {
  // Without a scope there is no handle: then the name has to do.
  if (isSameAgent(caller, by) || (scope === undefined && hasSameName(caller, by))) return undefined;
  const answer = await act<'may'>(parts, caller, 'run', { scopes: scopeNeeds(given) }, (draft) => {
    const own = given === undefined ? undefined : ownScope(draft, claimant(parts, caller), given);
    if (isRefusal(own)) return { answer: own };
    return { answer: own !== undefined && own.id === scope ? 'may' : notYours(run.id, by.agent) };
  });
  return isRefusal(answer) ? answer : undefined;
}

function notYours(id: string, agent: string): Refusal {
  return refuse(
    'NOT_YOURS',
    `${id} was started by ${agent}, and only ${agent} can stop it.`,
    `Follow it with run {"run": "${id}"}, or pass the handle of its scope as scope.`,
    { run: id, agent },
  );
}

/** A run of another server process, or one that ended long ago: its output is there to read. */
async function elsewhere(parts: Parts, caller: Caller, input: RunInput, id: string): Promise<RunOutput | Refusal> {
  const page = await parts.runner.output(id, input.from);
  if (page === undefined) return refused(parts, caller, unknownRun(id));
  const past = await parts.store.run(id);
  const underWay = page.next !== undefined && (past?.ending ?? null) === null;
  if (input.stop === true && underWay) return refused(parts, caller, notYours(id, 'an agent on another connection'));
  return {
    run: id,
    // Without an ending on record and without a server that sees to it, its server was killed, and it with that.
    state: past?.ending ?? (underWay ? 'running' : 'stopped'),
    ...(past?.exit === null || past?.exit === undefined ? {} : { exit_code: past.exit }),
    output: page.text,
    ...(page.next === undefined ? {} : { next: page.next }),
    changed: past === undefined ? [] : await changedBy(parts, past),
    rejected: [],
    containment: CONTAINMENTS.find((known) => known === past?.containment) ?? 'none',
    duration_ms: 0,
  };
}

/** What a run changed, as the ledger has it. */
async function changedBy(parts: Parts, { run, scope, started }: RunRow): Promise<RunOutput['changed']> {
  if (scope === null) return [];
  const found = await parts.store.events({ after: started, scope, type: 'files.changed', limit: MOST_EVENTS });
  return found.flatMap(({ body }) =>
    body.type === 'files.changed' && body.run === run
      ? body.files.map(({ path, after }) => ({ path, version: after }))
      : [],
  );
}

function unknownRun(id: string): Refusal {
  const next =
    'Take the id from the answer of the run that started it, or start the command anew with run {"command": …}.';
  return refuse('NOT_FOUND', `There is no run ${quoted(id)} here.`, next, { argument: 'run', run: id });
}

function refused(parts: Parts, caller: Caller, refusal: Refusal): Promise<RunOutput | Refusal> {
  return act<RunOutput>(parts, caller, 'run', {}, () => ({ answer: refusal }));
}
