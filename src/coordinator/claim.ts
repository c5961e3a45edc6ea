import { blockers, liveScope } from '../domain/blockers.js';
import { type Claim, claim as decideClaim } from '../domain/claim.js';
import { printHandle } from '../domain/handle.js';
import { ticketKey } from '../domain/leases.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { isEnded, type Scope, type ScopeId } from '../domain/scope.js';
import type { View } from '../domain/view.js';
import { quoted, wrongArgument } from './argument.js';
import type { Caller, ClaimInput, ClaimOutput } from './contract.js';
import { handover, inputs } from './inheritance.js';
import { act, claimant, collected, type Parts, scopeAlive, scopeNeeds } from './parts.js';
import { titleFrom } from './title.js';
import { parseProduces, parseUnits } from './units.js';

/** The longest that a timer can run, in milliseconds. */
const LONGEST = 2_000_000_000;
/** How often a waiting caller is told its place, in milliseconds. */
const TELL = 5_000;

/** claim_scope: opens or takes up a scope, adds units to one's own, or goes on waiting. Blocks as long as the caller bears. */
export async function claim(parts: Parts, caller: Caller, input: ClaimInput): Promise<ClaimOutput | Refusal> {
  const who = input.agent === undefined ? caller : { ...caller, agent: input.agent };
  const request = await parseClaim(parts, input);
  if (isRefusal(request)) return act<ClaimOutput>(parts, who, 'claim_scope', {}, () => ({ answer: request }));
  const needs = { scopes: scopeNeeds(input.scope, ...(input.consumes ?? [])) };
  const claimed = await act<Scope>(parts, who, 'claim_scope', needs, (draft) => {
    const answer = decideClaim(draft, claimant(parts, who), request);
    if (isRefusal(answer)) return { answer };
    const scope = liveScope(draft.view, answer.scope);
    const asked = { key: ticketKey(scope.id), touch: 'seen' as const };
    const ticket = scope.ticket === undefined ? collected(scope) : [asked];
    return { answer: scope, life: [...scopeAlive(who, scope.id), ...ticket] };
  });
  if (isRefusal(claimed)) return claimed;
  if (isGranted(claimed)) return answer(parts, claimed, undefined);
  const patience = Math.min(caller.patience, (input.wait_s ?? Number.POSITIVE_INFINITY) * 1000);
  return granted(parts, who, claimed, patience);
}

async function parseClaim(parts: Parts, input: ClaimInput): Promise<Claim | Refusal> {
  const units = await parseUnits(parts.workspace, input.units ?? []);
  if (isRefusal(units)) return units;
  const produces = await parseProduces(parts.workspace, input.produces ?? []);
  if (isRefusal(produces)) return produces;
  const late = input.scope === undefined ? undefined : tooLate(input);
  if (late !== undefined) return late;
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
  const mode = input.mode ?? 'write';
  return { opening, units, mode, ...(input.scope === undefined ? {} : { scope: input.scope }) };
}

/** What a scope consumes and produces is agreed when it is opened; to leave it out in silence would mislead. */
function tooLate({ scope, consumes = [], produces = [] }: ClaimInput): Refusal | undefined {
  const argument = consumes.length > 0 ? 'consumes' : 'produces';
  if (consumes.length + produces.length === 0) return undefined;
  const next = `Leave ${argument} out, or claim a new scope with it, without scope.`;
  return wrongArgument(argument, 'none for a scope that exists', `some with scope ${quoted(scope ?? '')}`, next);
}

/** Waits for the grant as long as patience lasts. The ticket keeps its place whatever the answer. */
async function granted(parts: Parts, caller: Caller, own: Scope, patience: number): Promise<ClaimOutput | Refusal> {
  const deadline = new AbortController();
  const end = () => deadline.abort();
  // A timer of its own: Node 20 may collect `AbortSignal.any` over `AbortSignal.timeout` as garbage before it fires.
  const timer = setTimeout(end, Math.min(patience, LONGEST));
  caller.signal.addEventListener('abort', end);
  if (caller.signal.aborted) end();
  let collected = false;
  parts.presence.waits(caller.connection, own.id);
  try {
    await overOrGranted(parts, caller, own, deadline.signal);
    const { scope, queue } = await parts.store.view({ scopes: [own.id] }, (view) => standing(view, own.id));
    if (isOver(scope, own)) return taken(scope);
    // Where nobody hears the answer any more, the grant is held until it is fetched.
    collected = isGranted(scope) && !caller.signal.aborted;
    return await answer(parts, scope, queue);
  } finally {
    clearTimeout(timer);
    caller.signal.removeEventListener('abort', end);
    parts.presence.stopsWaiting(caller.connection, own.id, collected);
  }
}

/** Every commit of anybody wakes it: the queue is worked out only where somebody is to hear of it. */
async function overOrGranted(parts: Parts, caller: Caller, own: Scope, deadline: AbortSignal): Promise<void> {
  let told = Number.NEGATIVE_INFINITY;
  while (!deadline.aborted) {
    const { scope, seq, now } = await parts.store.view({ scopes: [own.id] }, (view) => ({
      scope: scopeIn(view, own.id),
      seq: view.state.seq,
      now: view.now,
    }));
    if (isGranted(scope) || isOver(scope, own)) return;
    if (caller.progress !== undefined && now - told >= TELL) {
      caller.progress(waitingSentence(await parts.store.view({ scopes: [own.id] }, (view) => standing(view, own.id))));
      told = now;
    }
    await parts.store.changed(seq, deadline);
  }
}

function isGranted(scope: Scope): boolean {
  return scope.status === 'active' && scope.ticket === undefined;
}

/** Whether the wait came to nothing; somebody else may have taken the scope up since. */
function isOver(scope: Scope, own: Scope): boolean {
  return isEnded(scope.status) || scope.tenure !== own.tenure;
}

interface Standing {
  readonly scope: Scope;
  readonly queue: ClaimOutput['queue'];
}

function standing(view: View, id: ScopeId): Standing {
  const scope = scopeIn(view, id);
  const { ticket } = scope;
  if (ticket === undefined) return { scope, queue: undefined };
  const ahead = blockers(view, { scope: id, units: ticket.units, mode: ticket.mode, ticket });
  const queue = {
    position: ahead.filter((blocker) => blocker.why === 'queued').length + 1,
    ahead: ahead.map((blocker) => ({
      id: blocker.scope.id,
      agent: blocker.scope.owner?.agent ?? 'unknown',
      title: blocker.scope.contract.title,
      units: blocker.units,
    })),
  };
  return { scope, queue };
}

/** A scope that was alive, or has ended since. */
function scopeIn(view: View, id: ScopeId): Scope {
  const scope = view.scope(id);
  if (scope === undefined) throw new Error(`${id} has vanished`);
  return scope;
}

function waitingSentence({ scope, queue }: Standing): string {
  if (scope.pending.length > 0) return `waiting for the outputs of ${scope.pending.join(', ')}`;
  const names = (queue?.ahead ?? []).slice(0, 3).map((other) => `${other.id} (${other.agent})`);
  return `place ${queue?.position ?? 1} in the queue, behind ${names.join(', ') || 'nobody'}`;
}

async function answer(parts: Parts, scope: Scope, queue: ClaimOutput['queue']): Promise<ClaimOutput> {
  const waiting = scope.ticket !== undefined;
  const common = {
    scope: printHandle(scope, parts.mint),
    id: scope.id,
    generation: scope.generation,
    ...(scope.pending.length > 0 ? { blocked_on: scope.pending } : {}),
    ...(await inputs(parts, scope)),
    ...(await handover(parts, scope)),
  };
  if (!waiting) return { ...common, status: 'active', units: [...scope.locks.keys()] };
  const place = queue === undefined || scope.pending.length > 0 ? {} : { queue };
  return { ...common, status: 'waiting', units: scope.ticket?.units ?? [], ...place };
}

/** While the call waited, somebody released or took up the scope, or its ticket lapsed. */
function taken(scope: Scope): Refusal {
  const next =
    scope.status === 'open'
      ? `Call claim_scope {"scope": "${scope.id}"} to queue for it again.`
      : 'Claim what you need anew with claim_scope.';
  return refuse('LEASE_LOST', `${scope.id} is ${scope.status}: it is no longer yours.`, next, {
    scope: scope.id,
    status: scope.status,
  });
}
