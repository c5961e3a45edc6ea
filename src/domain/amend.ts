import { endedScope, unknownScope } from './authority.js';
import type { Draft } from './draft.js';
import { beginQueueing } from './end.js';
import { wouldNeverEnd } from './grant.js';
import { consumedScopes, namedScope, tooMuch } from './open.js';
import { isRefusal, type Refusal, refuse } from './refusal.js';
import { type Contract, isEnded, type Owner, type Scope, type ScopeId } from './scope.js';
import { settle, settleUnitless } from './settle.js';

/** What may be changed about a scope after it was opened. */
export type Amendment = Partial<
  Pick<
    Contract,
    | 'title'
    | 'note'
    | 'phase'
    | 'units'
    | 'consumes'
    | 'produces'
    | 'priority'
    | 'inputs'
    | 'nonGoals'
    | 'done'
    | 'checks'
  >
>;

/** Changes the contract of a live scope, by a person or a plan. → the scope as it stands then. */
export function amend(draft: Draft, given: string, amendment: Amendment, by: string): Scope | Refusal {
  const scope = namedScope(draft, given);
  if (scope === undefined) return unknownScope(given);
  if (isEnded(scope.status)) return endedScope(scope);
  if (amendment.units !== undefined && scope.owner !== undefined) return unitsInUse(scope, scope.owner);
  const contract = { ...scope.contract, ...amendment };
  const limit = tooMuch(contract, draft);
  if (limit !== undefined) return limit;
  const former = new Map(scope.contract.consumes.map((id) => [id, id]));
  const consumed = consumedScopes(draft, contract.consumes, former);
  if (isRefusal(consumed)) return consumed;
  const { consumes, pending } = consumed;
  if (scope.status === 'active' && pending.some((id) => !former.has(id))) return tooLateToWait(scope);
  const left = pending.filter((id) => !former.has(id) || scope.pending.includes(id));
  return draft.attempt(() => amended(draft, scope, { ...contract, consumes }, left, by));
}

/** The owner of a waiting scope goes on without inputs that have failed: `left` is what it still consumes. */
export function goOnWithout(draft: Draft, scope: Scope, left: readonly string[], by: string): Scope | Refusal {
  const kept = new Set(left.map((name) => namedScope(draft, name)?.id));
  const added = left.find((name) => !scope.contract.consumes.includes(namedScope(draft, name)?.id ?? ''));
  if (added !== undefined) return notAgreed(scope, added);
  const dropped = scope.contract.consumes.filter((id) => !kept.has(id));
  const coming = dropped.find((id) => scope.pending.includes(id) && draft.view.state.scopes.get(id)?.attempts === 0);
  if (coming !== undefined) return stillComing(scope, coming);
  const consumes = scope.contract.consumes.filter((id) => kept.has(id));
  const pending = scope.pending.filter((id) => kept.has(id));
  return amended(draft, scope, { ...scope.contract, consumes }, pending, by);
}

function amended(
  draft: Draft,
  scope: Scope,
  contract: Contract,
  pending: readonly ScopeId[],
  by: string,
): Scope | Refusal {
  const { id } = scope;
  const cycle = consumesItself(draft, id, pending);
  if (cycle !== undefined) return circle(cycle);
  draft.emit({ type: 'scope.amended', scope: id, contract, pending, by });
  if (scope.pending.length > 0 && pending.length === 0) {
    settle(draft, beginQueueing(draft, [id]));
    settleUnitless(draft, [id]);
  }
  settle(draft, scope.ticket?.units ?? []);
  const settled = draft.view.state.scopes.get(id);
  // Its ticket may have lapsed long ago.
  if (settled === undefined) return { ...scope, contract, status: 'cancelled' };
  return wouldNeverEnd(draft, id) ?? settled;
}

/** The way by which a scope would wait for its own outputs. */
function consumesItself({ view }: Draft, id: ScopeId, pending: readonly ScopeId[]): ScopeId[] | undefined {
  const from = new Map<ScopeId, ScopeId>(pending.map((other) => [other, id]));
  for (const other of from.keys()) {
    if (other === id) return wayTo(from, id);
    for (const next of view.state.scopes.get(other)?.pending ?? []) if (!from.has(next)) from.set(next, other);
  }
  return undefined;
}

function wayTo(from: ReadonlyMap<ScopeId, ScopeId>, id: ScopeId): ScopeId[] {
  const way: ScopeId[] = [];
  for (let at = from.get(id); at !== undefined && at !== id; at = from.get(at)) way.unshift(at);
  return [id, ...way];
}

function circle(cycle: readonly ScopeId[]): Refusal {
  return refuse(
    'DEADLOCK',
    `That would never end: ${[...cycle, cycle[0]].join(' waits for ')}.`,
    'Take one of these out of consumes.',
    { argument: 'consumes', cycle: [...cycle] },
  );
}

function unitsInUse({ id, status }: Scope, { agent }: Owner): Refusal {
  return refuse(
    'BLOCKED',
    `${id} is ${status}, and ${agent} has its units.`,
    'Its owner adds units with claim_scope; or release it first.',
    { argument: 'units', scope: id, status },
  );
}

function tooLateToWait({ id }: Scope): Refusal {
  return refuse(
    'BLOCKED',
    `${id} is at work already: it can not begin to wait for outputs.`,
    'Release it first, or consume only what is done.',
    { argument: 'consumes', scope: id },
  );
}

function notAgreed({ id, contract }: Scope, name: string): Refusal {
  return refuse(
    'INVALID',
    `${name.slice(0, 40)} is not among the inputs of ${id}.`,
    `Call claim_scope with consumes as those to go on waiting for, out of ${JSON.stringify(contract.consumes)}.`,
    { argument: 'consumes', scope: id, consumes: [...contract.consumes] },
  );
}

function stillComing({ id }: Scope, other: ScopeId): Refusal {
  return refuse(
    'BLOCKED',
    `${other} is still at work: ${id} can go on without it only when it has failed.`,
    `Call claim_scope {"scope": …} to go on waiting, or release_scope to give ${id} up.`,
    { scope: id, blocked_on: [other] },
  );
}
