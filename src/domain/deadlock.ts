import { blockers } from './blockers.js';
import type { Owner, Scope, ScopeId } from './scope.js';
import type { View } from './view.js';

/**
 * Looks for a way from what a scope would wait for back to the scope itself.
 * Edges of the wait graph: a held unit, an earlier ticket, an unfinished `consumes`; and an active scope waits for
 * every unit that the same agent is queueing for, because an agent in a queue finishes nothing else meanwhile.
 *
 * @returns the cycle as scope ids, beginning with `start`; undefined where there is none.
 */
export function findCycle(view: View, start: Scope, owner: Owner, waitsFor: readonly ScopeId[]): ScopeId[] | undefined {
  const queues = start.pending.length === 0;
  const targets = new Set([start.id, ...(queues ? activeOf(view, owner) : [])]);
  if (!canBeAwaited(view, targets)) return undefined;
  const seen = new Set<ScopeId>();
  const path: ScopeId[] = [start.id];
  const visit = (id: ScopeId): boolean => {
    if (targets.has(id)) {
      if (id !== start.id) path.push(id);
      return true;
    }
    if (seen.has(id)) return false;
    seen.add(id);
    path.push(id);
    if (successors(view, id).some(visit)) return true;
    path.pop();
    return false;
  };
  return waitsFor.some(visit) ? path : undefined;
}

/** A scope that holds nothing and that nobody consumes can't be part of a cycle: spares the search on hot files. */
function canBeAwaited(view: View, targets: ReadonlySet<ScopeId>): boolean {
  return [...targets].some((id) => {
    const scope = view.state.scopes.get(id);
    return view.state.consumers.has(id) || (scope !== undefined && (!scope.locks.isEmpty() || scope.ticket !== undefined));
  });
}

function successors(view: View, id: ScopeId): ScopeId[] {
  const scope = view.state.scopes.get(id);
  if (scope === undefined) return [];
  return [...scope.pending, ...queueEdges(view, scope), ...agentEdges(view, scope)];
}

function queueEdges(view: View, scope: Scope): ScopeId[] {
  const { ticket } = scope;
  if (ticket === undefined) return [];
  const found = blockers(view, { scope: scope.id, units: ticket.units, mode: ticket.mode, ticket });
  return found.map((blocker) => blocker.scope.id);
}

function agentEdges(view: View, scope: Scope): ScopeId[] {
  if (scope.owner === undefined || scope.status !== 'active') return [];
  return ownedBy(view, scope.owner)
    .filter((other) => other.id !== scope.id && other.status === 'waiting' && other.pending.length === 0)
    .map((other) => other.id);
}

function activeOf(view: View, owner: Owner): ScopeId[] {
  return ownedBy(view, owner)
    .filter((scope) => scope.status === 'active')
    .map((scope) => scope.id);
}

/** Scopes of one agent on one connection. */
export function ownedBy(view: View, owner: Owner): Scope[] {
  return [...(view.state.owned.get(owner.connection) ?? [])]
    .map((id) => view.state.scopes.get(id))
    .filter((scope): scope is Scope => scope !== undefined && scope.owner?.agent === owner.agent);
}
