import { setTimeout } from 'node:timers/promises';
import { hasSameName, isSameAgent, ownScope } from '../domain/authority.js';
import type { OpenRun } from '../domain/open-runs.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { ScopeId } from '../domain/scope.js';
import { readLog } from '../processes/pages.js';
import type { Containment, OutputPage } from '../processes/runner.js';
import type { RunRow } from '../store/store.js';
import { quoted, wrongArgument } from './argument.js';
import type { Caller, RunInput, RunOutput } from './contract.js';
import { hasExpired } from './expired.js';
import { act, claimant, type Parts, scopeNeeds } from './parts.js';
import { SHOWN } from './rejected.js';
import { changedAt, endingOf, type Kept, toldRejections } from './run-end.js';
import type { Live, Result } from './runs.js';
import { settleRun } from './unfinished-runs.js';

const CONTAINMENTS: readonly Containment[] = ['transactional', 'confined', 'none'];
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
  if (input.stop !== true) return answerOf(parts, live, caller, input.wait_s, input.from);
  const no = await mayNotStop(parts, caller, { ...live, run: id }, input.scope);
  if (no !== undefined) return no;
  live.run.stop('stopped');
  return answerOf(parts, live, caller, undefined, input.from);
}

/** Waits for the end as long as the caller bears, and tells how it stands. */
export async function answerOf(
  parts: Parts,
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
  // What is recorded goes when its end is on record: it is an artifact then.
  const page = ended === undefined ? await live.run.output(from).catch(() => undefined) : undefined;
  return page === undefined ? over(parts, live, await live.result, from) : running(live, page);
}

function running({ run, began }: Live, { text, next }: OutputPage): RunOutput {
  const { id, containment } = run;
  return {
    run: id,
    state: 'running',
    output: text,
    ...(next === undefined ? {} : { next }),
    changed: [],
    rejected: [],
    containment,
    duration_ms: Date.now() - began,
    ...gitAdvice(containment, text),
  };
}

async function over(parts: Parts, { run }: Live, ended: Result, from: number | undefined): Promise<RunOutput> {
  const { log, diff, rejections, exit, handle, rejected, more_rejected } = ended;
  const page = await printed(parts, ended, from);
  return {
    run: run.id,
    state: ended.ending,
    ...(exit === null ? {} : { exit_code: exit }),
    ...page,
    ...gitAdvice(run.containment, page.output),
    ...(log === undefined ? {} : { log }),
    ...(diff === undefined ? {} : { diff }),
    ...(rejections === undefined ? {} : { rejections }),
    ...(handle === undefined ? {} : { scope: handle }),
    ...toldChanges(ended.changed),
    rejected,
    ...(more_rejected === undefined ? {} : { more_rejected }),
    containment: run.containment,
    duration_ms: Math.round(ended.duration),
  };
}

function toldChanges(changed: RunOutput['changed']): Pick<RunOutput, 'changed' | 'more_changed'> {
  const more = changed.length - SHOWN;
  return { changed: changed.slice(0, SHOWN), ...(more > 0 ? { more_changed: more } : {}) };
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
  { run, by, scope }: Pick<OpenRun, 'run' | 'by'> & { readonly scope?: ScopeId | undefined },
  given: string | undefined,
): Promise<Refusal | undefined> {
  // Without a scope there is no handle: then the name has to do.
  if (isSameAgent(caller, by) || (scope === undefined && hasSameName(caller, by))) return undefined;
  const answer = await act<'may'>(parts, caller, 'run', { scopes: scopeNeeds(given) }, (draft) => {
    const own = given === undefined ? undefined : ownScope(draft, claimant(parts, caller), given);
    if (isRefusal(own)) return { answer: own };
    return { answer: own !== undefined && own.id === scope ? 'may' : notYours(run, by.agent) };
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

/** A run of another server process, or one that has ended: what is on record of it. */
async function elsewhere(parts: Parts, caller: Caller, input: RunInput, id: string): Promise<RunOutput | Refusal> {
  const patience = Math.min(caller.patience, (input.wait_s ?? LONGEST) * 1000);
  const open = await stillOpen(parts, id, input.stop === true ? 0 : patience, caller.signal);
  if (open !== undefined) {
    return input.stop === true ? stopElsewhere(parts, caller, input, open) : underWay(parts, open, input.from);
  }
  const row = await parts.store.run(id);
  return row === undefined ? refused(parts, caller, unknownRun(id)) : past(parts, row, input.from);
}

/** Ends a run that another server sees to, which puts that on record. */
async function stopElsewhere(
  parts: Parts,
  caller: Caller,
  input: RunInput,
  open: OpenRun,
): Promise<RunOutput | Refusal> {
  const no = await mayNotStop(parts, caller, open, input.scope);
  if (no !== undefined) return no;
  if (!(await parts.runner.stop(open.run))) return refused(parts, caller, outOfReach(open));
  const { stop: _, ...later } = input;
  return elsewhere(parts, caller, later, open.run);
}

function outOfReach({ run, by }: OpenRun): Refusal {
  return refuse(
    'UNAVAILABLE',
    `${run} was started by ${by.agent} under another server, whose processes can't be reached from here.`,
    `Follow it with run {"run": "${run}"}, or ask ${by.agent} to stop it.`,
    { run, agent: by.agent },
  );
}

/** Waits for the end of a run that another server sees to, and for its result to be settled where that server is gone. */
async function stillOpen(parts: Parts, id: string, patience: number, given: AbortSignal): Promise<OpenRun | undefined> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, given]);
  const timer = globalThis.setTimeout(() => stop.abort(), Math.min(patience, LONGEST));
  try {
    for (;;) {
      const { open, seq } = await parts.store.view({}, ({ state }) => ({ open: state.runs.get(id), seq: state.seq }));
      if (open === undefined || (await settleRun(parts, open))) return undefined;
      if (patience <= 0 || signal.aborted) return open;
      await parts.store.changed(seq, signal);
    }
  } finally {
    clearTimeout(timer);
  }
}

async function underWay(parts: Parts, { run, containment, started }: OpenRun, from?: number): Promise<RunOutput> {
  const page = await parts.runner.output(run, from);
  const [start] = await parts.store.events({ after: started - 1, until: started, limit: 1 });
  return {
    run,
    state: 'running',
    output: page?.text ?? '',
    ...(page?.next === undefined ? {} : { next: page.next }),
    changed: [],
    rejected: [],
    containment: knownLevel(containment),
    duration_ms: Date.now() - (start?.wall ?? Date.now()),
  };
}

/** A run that has ended, as the ledger and its artifacts have it. */
async function past(parts: Parts, row: RunRow, from: number | undefined): Promise<RunOutput> {
  const { run, ending, exit, log, diff, cut, output } = row;
  const end = row.ended === null ? undefined : await endingOf(parts, row.ended);
  const [start] = await parts.store.events({ after: row.started - 1, until: row.started, limit: 1 });
  const page = await printed(parts, { ...(log && { log }), ...(cut && { cut }), total: output }, from);
  const { refused: refusals = [], rejections } = end?.body ?? {};
  return {
    run,
    state: ending ?? 'stopped',
    ...(exit === null ? {} : { exit_code: exit }),
    ...page,
    ...(log && { log }),
    ...(diff && { diff }),
    ...(rejections && { rejections }),
    ...toldChanges(row.changed === null ? [] : await changedAt(parts, row.changed)),
    ...toldRejections(refusals, row.rejected),
    containment: knownLevel(row.containment),
    duration_ms: Math.max(0, (end?.wall ?? 0) - (start?.wall ?? 0)),
  };
}

/** One page of what an ended run printed, from its artifact. */
async function printed(
  parts: Parts,
  { log, cut, total }: Kept,
  from: number | undefined,
): Promise<Pick<RunOutput, 'output' | 'next' | 'advice'>> {
  if (log === undefined) return { output: '' };
  const bytes = await parts.store.content(log);
  if (bytes === undefined) return { output: '', advice: hasExpired('What it printed') };
  const { text, next } = await readLog({ bytes, ...(cut && { cut }) }, total, from);
  return { output: text, ...(next === undefined ? {} : { next }) };
}

function knownLevel(name: string): Containment {
  return CONTAINMENTS.find((known) => known === name) ?? 'none';
}

export function unknownRun(id: string): Refusal {
  const next =
    'Take the id from the answer of the run that started it, or start the command anew with run {"command": …}.';
  return refuse('NOT_FOUND', `There is no run ${quoted(id)} here.`, next, { argument: 'run', run: id });
}

function refused(parts: Parts, caller: Caller, refusal: Refusal): Promise<RunOutput | Refusal> {
  return act<RunOutput>(parts, caller, 'run', {}, () => ({ answer: refusal }));
}
