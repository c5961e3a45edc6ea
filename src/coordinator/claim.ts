import { liveScope } from '../domain/blockers.js';
import { type Claim, claim as decideClaim } from '../domain/claim.js';
import type { Draft } from '../domain/draft.js';
import { parseHandle } from '../domain/handle.js';
import { ticketKey } from '../domain/leases.js';
import type { Pickup } from '../domain/pickup.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import type { Mode } from '../domain/unit.js';
import type { Needs } from '../store/store.js';
import { quoted, wrongArgument } from './argument.js';
import type { Caller, ClaimInput, ClaimOutput } from './contract.js';
import { answer, failures, granted, isGranted } from './granting.js';
import { act, claimant, collected, type Parts, type Step, scopeAlive, scopeNeeds } from './parts.js';
import { Patience } from './patience.js';
import { comes, isKnownVain } from './pickup.js';
import { titleFrom } from './title.js';
import { stopped } from './unfinished-runs.js';
import { parseProduces, parseUnits } from './units.js';

/** claim_scope: opens or takes up a scope, adds units to one's own, or goes on waiting. Blocks as long as the caller bears. */
export async function claim(parts: Parts, caller: Caller, input: ClaimInput): Promise<ClaimOutput | Refusal> {
  const who = named(caller, input.agent);
  const request = await parseClaim(parts, input);
  if (isRefusal(request)) return act<ClaimOutput>(parts, who, 'claim_scope', {}, () => ({ answer: request }));
  const needs = { scopes: scopeNeeds(input.scope, ...(input.consumes ?? [])) };
  const patience = new Patience(
    caller.signal,
    Math.min(caller.patience, (input.wait_s ?? Number.POSITIVE_INFINITY) * 1000),
  );
  try {
    await whenStopped(parts, input, patience.signal);
    const before = await told(parts, input);
    const claimed = await taken(parts, who, request, needs, patience.signal);
    if (isRefusal(claimed)) return claimed;
    if (isGranted(claimed)) return await answer(parts, claimed);
    return await granted(parts, who, claimed, before, patience.signal);
  } finally {
    patience.end();
  }
}

/** An agent that the client does not report has the name that its claim gives it. The caller may act for it all the same. */
function named(caller: Caller, agent = caller.agent): Caller {
  return agent === caller.agent ? caller : { ...caller, agent, namedBy: caller.agent };
}

/** Open work that was just taken from somebody is there when its commands have ended. */
async function whenStopped(parts: Parts, { scope }: ClaimInput, signal: AbortSignal): Promise<void> {
  const id = scope === undefined ? undefined : parseHandle(scope)?.id;
  if (id !== undefined) await stopped(parts, id, Number.POSITIVE_INFINITY, signal);
}

/** Where open work is asked for and there is none now, waits for it as long as patience lasts. */
async function taken(
  parts: Parts,
  who: Caller,
  request: Claim,
  needs: Needs,
  signal: AbortSignal,
): Promise<Scope | Refusal> {
  const { next } = request;
  let waits = next !== undefined;
  for (let isAgain = false; ; isAgain = true) {
    const claimed = await act<Scope | 'later'>(parts, who, 'claim_scope', needs, (draft) => {
      const { state } = draft.view;
      // Of many who were woken by the same news, one takes the work up, and one looks whether there is more.
      if (waits && isAgain && next !== undefined && isKnownVain(parts, who, state, next)) return { answer: 'later' };
      const step = decide(draft, parts, who, request);
      if (!waits || !isRefusal(step.answer) || step.answer.code !== 'WAITING') return step;
      if (next !== undefined) parts.vain.add(state, who, next);
      return { answer: 'later' };
    });
    if (claimed !== 'later') return claimed;
    waits = await comes(parts, who, next, signal);
  }
}

function decide(draft: Draft, parts: Parts, who: Caller, request: Claim): Step<Scope> {
  const answer = decideClaim(draft, claimant(parts, who), request);
  if (isRefusal(answer)) return { answer };
  const scope = liveScope(draft.view, answer.scope);
  const asked = { key: ticketKey(scope.id), touch: 'seen' as const };
  const ticket = scope.ticket === undefined ? collected(scope) : [asked];
  return { answer: scope, life: [...scopeAlive(who, scope.id), ...ticket] };
}

/** What the caller knows of already: a claim made again goes on waiting in spite of it. */
async function told(parts: Parts, { scope }: ClaimInput): Promise<readonly string[]> {
  const id = scope === undefined ? undefined : parseHandle(scope)?.id;
  if (id === undefined) return [];
  return parts.store.view({}, ({ state }) => {
    const known = state.scopes.get(id);
    return known?.status === 'waiting' ? failures(state, known) : [];
  });
}

async function parseClaim(parts: Parts, input: ClaimInput): Promise<Claim | Refusal> {
  const units = await parseUnits(parts.workspace, input.units ?? []);
  if (isRefusal(units)) return units;
  const produces = await parseProduces(parts.workspace, input.produces ?? []);
  if (isRefusal(produces)) return produces;
  const late = input.scope === undefined ? undefined : tooLate(input);
  if (late !== undefined) return late;
  const mode = input.mode ?? 'write';
  const isNew = input.scope === undefined && [input.title, input.units, input.consumes, input.produces].some(isGiven);
  const next = input.scope === undefined && !isNew ? pickupOf(input, mode) : undefined;
  const title = input.title?.trim() || titleFrom(units.slice(0, 3).join(', ')) || 'Work without units yet';
  const opening = {
    title,
    phase: input.phase ?? ('build' as const),
    units,
    consumes: input.consumes ?? [],
    produces,
    priority: 0,
    standing: false,
  };
  const left = input.scope === undefined ? undefined : input.consumes;
  return {
    opening,
    units,
    mode,
    ...(input.scope === undefined ? {} : { scope: input.scope }),
    ...(next === undefined ? {} : { next }),
    ...(left === undefined ? {} : { left }),
  };
}

function pickupOf({ phase }: ClaimInput, mode: Mode): Pickup {
  return phase === undefined ? { mode } : { mode, phase };
}

function isGiven(value: string | readonly string[] | undefined): boolean {
  return value !== undefined && value.length > 0;
}

/** What a scope produces is agreed when it is opened; to leave it out in silence would mislead. */
function tooLate({ scope, produces = [] }: ClaimInput): Refusal | undefined {
  if (produces.length === 0) return undefined;
  const next = 'Leave produces out, or claim a new scope with it, without scope.';
  return wrongArgument('produces', 'none for a scope that exists', `some with scope ${quoted(scope ?? '')}`, next);
}
