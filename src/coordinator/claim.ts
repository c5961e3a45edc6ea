import { blockers } from '../domain/blockers.js';
import { type Claim, claim as decideClaim } from '../domain/claim.js';
import { printHandle } from '../domain/handle.js';
import { ticketKey } from '../domain/leases.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { isEnded, type Scope, type ScopeId } from '../domain/scope.js';
import type { View } from '../domain/view.js';
import { quoted, wrongArgument } from './argument.js';
import type { Caller, ClaimInput, ClaimOutput } from './contract.js';
import { handover, inputs } from './inheritance.js';
import { act, claimant, type Parts, scopeAlive, scopeNeeds } from './parts.js';
import { titleFrom } from './title.js';
import { parseProduces, parseUnits } from './units.js';

/** The longest that a timer can run, in milliseconds. */
const LONGEST = 2_000_000_000;

/** claim_scope: opens or takes up a scope, adds units to one's own, or goes on waiting. Blocks as long as the caller bears. */
export async function claim(parts: Parts, caller: Caller, input: ClaimInput): Promise<ClaimOutput | Refusal> {
  const who = input.agent === undefined ? caller : { ...caller, agent: input.agent };
  const request = await parseClaim(parts, input);
  if (isRefusal(request)) return act<ClaimOutput>(parts, who, 'claim_scope', {}, () => ({ answer: request }));
  const needs = { scopes: scopeNeeds(input.scope, ...(input.consumes ?? [])) };
  const claimed = await act(parts, who, 'claim_scope', needs, (draft) => {
    const answer = decideClaim(draft, claimant(parts, who), request);
    if (isRefusal(answer)) return { answer };
    const waits = draft.view.state.scopes.get(answer.scope)?.ticket !== undefined;
    const asked = waits ? [{ key: ticketKey(answer.scope), touch: 'seen' as const }] : [];
    const look = standing(draft.view, answer.scope);
    return { answer: look, life: [...scopeAlive(who, answer.scope), ...asked] };
  });
  if (isRefusal(claimed)) return claimed;
  if (isCollected(claimed)) return answer(parts, claimed);
  const patience = Math.min(caller.patience, (input.wait_s ?? Number.POSITIVE_INFINITY) * 1000);
  return granted(parts, who, claimed.scope.id, patience);
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
async function granted(parts: Parts, caller: Caller, id: ScopeId, patience: number): Promise<ClaimOutput | Refusal> {
  const deadline = new AbortController();
  const end = () => deadline.abort();
  // A timer of its own: Node 20 may collect `AbortSignal.any` over `AbortSignal.timeout` as garbage before it fires.
  const timer = setTimeout(end, Math.min(patience, LONGEST));
  caller.signal.addEventListener('abort', end);
  if (caller.signal.aborted) end();
  let collected = false;
  parts.presence.waits(id);
  try {
    for (;;) {
      const look = await parts.store.view({ scopes: [id] }, (view) => standing(view, id));
      collected = isCollected(look);
      if (collected || deadline.signal.aborted || look.scope.owner === undefined) return await answer(parts, look);
      caller.progress?.(waitingSentence(look));
      await parts.store.changed(look.seq, deadline.signal);
    }
  } finally {
    clearTimeout(timer);
    caller.signal.removeEventListener('abort', end);
    parts.presence.stopsWaiting(id, collected);
  }
}

interface Standing {
  readonly scope: Scope;
  readonly seq: number;
  readonly queue: NonNullable<ClaimOutput['queue']> | undefined;
}

function isCollected({ scope }: Standing): boolean {
  return scope.status === 'active' && scope.ticket === undefined;
}

function standing(view: View, id: ScopeId): Standing {
  const scope = view.scope(id);
  if (scope === undefined) throw new Error(`${id} has vanished`);
  const { ticket } = scope;
  const { seq } = view.state;
  if (ticket === undefined) return { scope, seq, queue: undefined };
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
  return { scope, seq, queue };
}

function waitingSentence({ scope, queue }: Standing): string {
  if (scope.pending.length > 0) return `waiting for the outputs of ${scope.pending.join(', ')}`;
  const names = (queue?.ahead ?? []).slice(0, 3).map((other) => `${other.id} (${other.agent})`);
  return `place ${queue?.position ?? 1} in the queue, behind ${names.join(', ') || 'nobody'}`;
}

async function answer(parts: Parts, { scope, queue }: Standing): Promise<ClaimOutput | Refusal> {
  if (isEnded(scope.status) || scope.owner === undefined) return taken(scope);
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

/** While the call waited, somebody released or cancelled the scope, or its ticket lapsed. */
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
