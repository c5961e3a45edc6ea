import { onlyScope, ownScope, stillWaiting } from '../domain/authority.js';
import { type Draft, draft as newDraft } from '../domain/draft.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import { levelFor } from '../processes/level.js';
import type { Containment } from '../processes/runner.js';
import type { Caller, RunInput, RunOutput } from './contract.js';
import { act, claimant, collected, type Parts, scopeAlive, scopeNeeds } from './parts.js';
import { type Acquired, acquireProcess } from './process-unit.js';
import { again, answerOf } from './run-again.js';
import { prepareReal, withoutTree } from './run-git.js';
import { parseSpec, type Spec } from './run-spec.js';
import { start } from './run-start.js';
import type { Live } from './runs.js';

/** run: starts a command, or asks after one that was started before. */
export async function run(parts: Parts, caller: Caller, input: RunInput): Promise<RunOutput | Refusal> {
  if (input.run !== undefined) return again(parts, caller, input, input.run);
  const spec = await parseSpec(parts, input);
  if (isRefusal(spec)) return refusedRun(parts, caller, spec);
  // Before anything that puts files into `.signalbox/`: the store may be gone.
  const own = await actingScope(parts, caller, input.scope);
  if (isRefusal(own)) return own;
  const { named, real } = spec;
  const level = await levelOf(parts, spec);
  const no = level === undefined ? await uncontained(parts) : real?.reach && withoutTree(parts, own, real);
  if (level === undefined || no !== undefined) return refusedRun(parts, caller, no ?? (await uncontained(parts)));
  const patient = patience(caller, input.background === true ? 0 : input.wait_s);
  const acquired = await acquireProcess(parts, patient(), own, named, spec);
  if (isRefusal(acquired)) return acquired;
  const begun = await releasing(acquired, async () => {
    const itself = real === undefined ? undefined : await prepareReal(parts, real);
    if (isRefusal(itself)) return act<Live>(parts, caller, 'run', {}, () => ({ answer: itself }));
    return start(parts, caller, { ...spec, ...(itself === undefined ? {} : { itself }) }, own, acquired, level);
  });
  if (isRefusal(begun)) return begun;
  return answerOf(parts, begun, patient(), undefined, undefined);
}

/** How a command is contained; undefined where nothing holds. A judged one on the repository itself is not. */
export async function levelOf(parts: Parts, { named, real }: Spec): Promise<Containment | undefined> {
  return real === undefined ? levelFor(await parts.runner.levels(), named?.live ?? false)?.level : 'none';
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
