import { unknownScope } from '../domain/authority.js';
import { blockers, knownUnit } from '../domain/blockers.js';
import { parseHandle, printHandle } from '../domain/handle.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { isEnded, type Scope } from '../domain/scope.js';
import type { View } from '../domain/view.js';
import type { Caller, ListedScope, ListInput, ListOutput } from './contract.js';
import { act, type Parts } from './parts.js';
import { parseUnits } from './units.js';

const MOST = 100;

/** list_scopes: live scopes, newest last; one by id; or ended ones by status. `mine` gives a caller its handles back. */
export async function list(parts: Parts, caller: Caller, input: ListInput): Promise<ListOutput | Refusal> {
  parts.presence.called(caller.connection);
  const id = input.id === undefined ? undefined : parseHandle(input.id)?.id;
  if (input.id !== undefined && id === undefined) return refused(parts, caller, unknownScope(input.id));
  const unit = input.path === undefined ? [] : await parseUnits(parts.workspace, [input.path], 'path', 'read');
  if (isRefusal(unit)) return refused(parts, caller, unit);
  const ended = await endedScopes(parts, input);
  const listed = await parts.store.view({ scopes: id === undefined ? [] : [id] }, (view) => {
    const all =
      id === undefined ? [...liveScopes(view), ...ended] : [view.scope(id)].filter((scope) => scope !== undefined);
    const found = all.filter((scope) => matches(view, scope, caller, input, unit[0]));
    return { found: found.map((scope) => row(parts, view, scope, caller, input.mine === true)), seq: view.state.seq };
  });
  if (id !== undefined && listed.found.length === 0) {
    return refused(parts, caller, unknownScope(input.id ?? ''));
  }
  const more = listed.found.length - MOST;
  return { scopes: listed.found.slice(0, MOST), seq: listed.seq, ...(more > 0 ? { more } : {}) };
}

function refused(parts: Parts, caller: Caller, refusal: Refusal): Promise<ListOutput | Refusal> {
  return act<ListOutput>(parts, caller, 'list_scopes', {}, () => ({ answer: refusal }));
}

async function endedScopes(parts: Parts, input: ListInput): Promise<Scope[]> {
  const { status } = input;
  if (status === undefined || !isEnded(status)) return [];
  return parts.store.scopes({ status, limit: MOST, ...(input.phase === undefined ? {} : { phase: input.phase }) });
}

function liveScopes(view: View): Scope[] {
  return [...view.state.scopes.values()].sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
}

function matches(view: View, scope: Scope, caller: Caller, input: ListInput, unit: string | undefined): boolean {
  if (input.status !== undefined && scope.status !== input.status) return false;
  if (input.phase !== undefined && scope.contract.phase !== input.phase) return false;
  if (input.mine === true && !(scope.owner?.connection === caller.connection && scope.owner.agent === caller.agent))
    return false;
  if (unit === undefined) return true;
  const { locks, queue } = view.state;
  const near = [
    ...locks.overlapping(knownUnit(unit, view.settings.folds)),
    ...queue.overlapping(knownUnit(unit, view.settings.folds)),
  ];
  return near.some((entry) => entry.scope === scope.id);
}

function row(parts: Parts, view: View, scope: Scope, caller: Caller, mine: boolean): ListedScope {
  const { contract, owner, ticket } = scope;
  const own = mine && owner?.connection === caller.connection && owner.agent === caller.agent;
  const mode = [...scope.locks.values()][0]?.mode ?? ticket?.mode;
  return {
    id: scope.id,
    title: contract.title,
    status: scope.status,
    phase: contract.phase,
    units: scope.locks.isEmpty() ? contract.units : [...scope.locks.keys()],
    ...(owner === undefined ? {} : { agent: owner.agent }),
    ...(mode === undefined ? {} : { mode }),
    ...(own ? { scope: printHandle(scope, parts.mint) } : {}),
    ...(ticket === undefined ? {} : waits(view, scope, ticket)),
    ...(scope.pending.length > 0 ? { blocked_on: scope.pending } : {}),
    ...(contract.note === undefined ? {} : { note: contract.note }),
    ...(scope.summary === undefined ? {} : { summary: scope.summary }),
    ...(scope.attempts > 0 ? { attempts: scope.attempts } : {}),
    ...(contract.consumes.length > 0 ? { consumes: contract.consumes } : {}),
    ...(contract.produces.length > 0 ? { produces: contract.produces } : {}),
    ...(scope.artifacts.length > 0 ? { artifacts: scope.artifacts } : {}),
    ...(scope.commit === undefined ? {} : { commit: scope.commit }),
  };
}

function waits(view: View, scope: Scope, ticket: NonNullable<Scope['ticket']>): Partial<ListedScope> {
  const ahead = blockers(view, { scope: scope.id, units: ticket.units, mode: ticket.mode, ticket });
  const queued = ahead.filter((blocker) => blocker.why === 'queued').length;
  return { waiting_for: ticket.units, queue: queued + 1 };
}
