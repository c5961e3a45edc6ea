import { asQueued } from './blockers.js';
import { ownedBy } from './deadlock.js';
import type { Draft } from './draft.js';
import { type Handle, type Mint, parseHandle } from './handle.js';
import { isStateless } from './leases.js';
import type { Limits } from './limits.js';
import { listed, type Refusal, refuse } from './refusal.js';
import { isEnded, type Owner, type Scope } from './scope.js';
import { reapScope } from './settle.js';

const SHOWN_UNITS = 20;

/** Who asks, and how the secret of a handle is checked. */
export interface Claimant {
  readonly owner: Owner;
  readonly mint: Mint;
  /** What its token reaches; everything where left out. */
  readonly limits?: Limits;
}

/** Finds the scope that a call may act under: the one whose handle it gives. A lost lease is made an event first. */
export function ownScope(draft: Draft, claimant: Claimant, given: string): Scope | Refusal {
  const handle = parseHandle(given);
  if (handle === undefined) return unknownScope(given);
  reapScope(draft, handle.id);
  const scope = draft.view.scope(handle.id);
  if (scope === undefined) return unknownScope(given);
  if (isEnded(scope.status)) return endedScope(scope);
  if (!isOwn(scope, claimant, handle)) return handle.secret === undefined ? notYours(scope) : noLongerYours(scope);
  return scope;
}

/** A handle proves it; so does the caller's own connection and name, which makes the plain id enough for a scope of one's own. */
export function isOwn(scope: Scope, { owner, mint }: Claimant, handle: Handle): boolean {
  if (scope.owner === undefined) return false;
  if (handle.secret !== undefined) return handle.secret === mint(scope.id, scope.tenure);
  return isSameAgent(owner, scope.owner);
}

/** Whether a caller is known to be this agent. Where each request stands alone, others may have its connection and name. */
export function isSameAgent(caller: Owner, agent: Owner): boolean {
  return !isStateless(caller.connection) && hasSameName(caller, agent);
}

/**
 * Whether a caller goes by the same connection and name, which proves nothing where each request stands alone. A name that
 * it gave in a call makes nobody else of it: who calls is known from the client alone.
 */
export function hasSameName(caller: Owner, agent: Owner): boolean {
  return caller.connection === agent.connection && callerOf(caller) === callerOf(agent);
}

function callerOf({ agent, namedBy = agent }: Owner): string {
  return namedBy;
}

/** The caller's only active scope, for calls that leave `scope` out; undefined where it has none. Never a sibling's. */
export function onlyScope(draft: Draft, { owner }: Claimant): Scope | Refusal | undefined {
  if (isStateless(owner.connection)) return undefined;
  const owned = () => ownedBy(draft.view, owner.connection, (other) => hasSameName(owner, other));
  for (const scope of owned()) reapScope(draft, scope.id);
  const active = owned().filter((scope) => scope.status === 'active');
  if (active.length < 2) return active[0];
  const ids = active.map((scope) => scope.id).sort();
  return refuse(
    'INVALID',
    `You own ${ids.length} active scopes: ${listed(ids)}.`,
    'Pass the one you mean as scope; list_scopes {"mine": true} shows their handles.',
    {
      argument: 'scope',
      scopes: ids,
    },
  );
}

/** `argument` is the field that named it, where that is not plain. */
export function unknownScope(given: string, argument?: string): Refusal {
  return refuse(
    'UNKNOWN_SCOPE',
    `There is no scope ${JSON.stringify(given.slice(0, 40))}.`,
    'Call list_scopes {} to see the scopes, or list_scopes {"mine": true} for your own handles.',
    { ...(argument === undefined ? {} : { argument }), scope: given.slice(0, 40) },
  );
}

export function endedScope(scope: Scope): Refusal {
  const { title, units } = scope.contract;
  return refuse(
    'UNKNOWN_SCOPE',
    `${scope.id} has ended (${scope.status}).`,
    `Claim what you need anew, such as claim_scope ${JSON.stringify({ title, units: units.slice(0, SHOWN_UNITS) })}.`,
    {
      scope: scope.id,
      status: scope.status,
    },
  );
}

function notYours(scope: Scope): Refusal {
  const agent = scope.owner?.agent;
  return agent === undefined
    ? refuse(
        'NOT_CLAIMED',
        `${scope.id} is ${scope.stopping === undefined ? scope.status : 'stopping'} and nobody's.`,
        `Call claim_scope {"scope": "${scope.id}"} first.`,
        { scope: scope.id },
      )
    : refuse(
        'NOT_YOURS',
        `${scope.id} belongs to ${agent}.`,
        'If it is yours, pass its handle: list_scopes {"mine": true} shows it. Else claim what you need for yourself.',
        { scope: scope.id, agent },
      );
}

/** `given` is the scope as the caller named it. */
export function stillWaiting(scope: Scope, given: string | undefined): Refusal {
  const { id, ticket, pending } = asQueued(scope);
  const units = [...ticket.units];
  const what = pending.length > 0 ? `the outputs of ${listed(pending)}` : listed(units);
  return refuse(
    'WAITING',
    `${id} is still waiting for ${what}.`,
    `Call claim_scope ${JSON.stringify({ scope: given })} to go on waiting.`,
    { scope: id, units, blocked_on: [...pending] },
  );
}

/** The handle is of a tenure that has ended, or was never one. Both look the same: only the secret could tell. */
function noLongerYours(scope: Scope): Refusal {
  if (scope.owner === undefined) {
    return refuse(
      'LEASE_LOST',
      `Your lease on ${scope.id} has ended; nothing was written.`,
      `Call claim_scope {"scope": "${scope.id}"} to take it up again, then read what changed meanwhile.`,
      {
        scope: scope.id,
        ...(scope.handover ? { reason: scope.handover.note } : {}),
      },
    );
  }
  return refuse(
    'LEASE_LOST',
    `This handle of ${scope.id} is not valid: ${scope.owner.agent} holds the scope now.`,
    'Call list_scopes {"mine": true} for your own handles, or claim what you need anew.',
    {
      scope: scope.id,
      agent: scope.owner.agent,
    },
  );
}
