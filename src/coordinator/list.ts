import { hasSameName, isSameAgent, unknownScope } from '../domain/authority.js';
import { blockers, knownUnit } from '../domain/blockers.js';
import { parseHandle, printHandle } from '../domain/handle.js';
import { isStateless } from '../domain/leases.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { isEnded, type Scope, type ScopeId, type Status } from '../domain/scope.js';
import type { View } from '../domain/view.js';
import { inArgument } from './argument.js';
import type { Caller, ListedScope, ListInput, ListOutput } from './contract.js';
import { endedRuns, loose, runningOf } from './listed-runs.js';
import { act, type Parts } from './parts.js';
import { pastAttempts } from './past-attempts.js';
import { canonicalUnit } from './units.js';

const MOST = 100;

/**
 * list_scopes: live scopes, those at work first, and the newest first among equals; one by id; or ended ones by status.
 * `mine` gives a caller its handles back, where it can be told apart from others.
 */
export async function list(parts: Parts, caller: Caller, input: ListInput): Promise<ListOutput | Refusal> {
  parts.presence.called(caller.connection);
  const id = input.id === undefined ? undefined : parseHandle(input.id)?.id;
  if (input.id !== undefined && id === undefined) return refused(parts, caller, unknownScope(input.id));
  const unit = input.path === undefined ? undefined : await canonicalUnit(parts.workspace, input.path, 'read');
  if (isRefusal(unit)) return refused(parts, caller, inArgument(unit, 'path'));
  const ended = await endedScopes(parts, input);
  const listed = await parts.store.view({ scopes: id === undefined ? [] : [id] }, (view): ListOutput => {
    const all =
      id === undefined ? [...byWork(view), ...ended] : [view.scope(id)].filter((scope) => scope !== undefined);
    const near = unit === undefined ? undefined : scopesAt(view, unit);
    const found = all.filter((scope) => matches(scope, caller, input, near));
    const more = found.length - MOST;
    const runs = input.mine === true ? loose(view, caller) : [];
    return {
      scopes: found.slice(0, MOST).map((scope) => row(parts, view, scope, caller, input.mine === true)),
      ...(runs.length > 0 ? { runs } : {}),
      seq: view.state.seq,
      ...(more > 0 ? { more } : {}),
      ...(input.mine === true && found.length > 0 && isStateless(caller.connection) ? { note: noHandles(view) } : {}),
    };
  });
  if (id === undefined) return listed;
  if (listed.scopes.length === 0) return refused(parts, caller, unknownScope(input.id ?? ''));
  return { ...listed, scopes: await Promise.all(listed.scopes.map((scope) => withPast(parts, scope))) };
}

function noHandles({ settings }: View): string {
  return (
    'Handles are not shown: over HTTP without a session, other agents may go by the same token and client name. Pass the ' +
    'handle that you were given. A scope whose handle is lost becomes free when it was not used for ' +
    `${Math.round(settings.idleStateless / 60_000)} minutes, or when the operator releases it.`
  );
}

function refused(parts: Parts, caller: Caller, refusal: Refusal): Promise<ListOutput | Refusal> {
  return act<ListOutput>(parts, caller, 'list_scopes', {}, () => ({ answer: refusal }));
}

async function withPast(parts: Parts, scope: ListedScope): Promise<ListedScope> {
  const runs = [...(scope.runs ?? []), ...(await endedRuns(parts, scope.id))];
  const history = await pastAttempts(parts, scope.id);
  return { ...scope, ...(runs.length === 0 ? {} : { runs }), ...(history.length === 0 ? {} : { history }) };
}

async function endedScopes(parts: Parts, input: ListInput): Promise<Scope[]> {
  const { status } = input;
  if (status === undefined || !isEnded(status)) return [];
  return parts.store.scopes({ status, limit: MOST, ...(input.phase === undefined ? {} : { phase: input.phase }) });
}

/** What a list that is cut shows first. */
const RANK: readonly Status[] = ['active', 'waiting', 'review', 'paused', 'open'];

function byWork(view: View): Scope[] {
  return liveScopes(view)
    .reverse()
    .sort((a, b) => RANK.indexOf(a.status) - RANK.indexOf(b.status));
}

/** The live scopes, newest last. */
export function liveScopes(view: View): Scope[] {
  return [...view.state.scopes.values()].sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
}

function matches(scope: Scope, caller: Caller, input: ListInput, near: ReadonlySet<ScopeId> | undefined): boolean {
  if (input.status !== undefined && scope.status !== input.status) return false;
  if (input.phase !== undefined && scope.contract.phase !== input.phase) return false;
  if (input.mine === true && (scope.owner === undefined || !hasSameName(caller, scope.owner))) return false;
  return near === undefined || near.has(scope.id);
}

/** The scopes that hold or wait for something that overlaps. */
export function scopesAt({ state, settings }: View, text: string): Set<ScopeId> {
  const unit = knownUnit(text, settings.folds);
  return new Set([...state.locks.overlapping(unit), ...state.queue.overlapping(unit)].map((entry) => entry.scope));
}

function row(parts: Parts, view: View, scope: Scope, caller: Caller, mine: boolean): ListedScope {
  const { contract, owner, ticket } = scope;
  const own = mine && owner !== undefined && isSameAgent(caller, owner);
  const runs = runningOf(view, scope.id);
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
    ...(contract.produces.length > 0 ? { produces: contract.produces.map(({ path }) => path) } : {}),
    ...(scope.artifacts.length > 0 ? { artifacts: scope.artifacts } : {}),
    ...(scope.commit === undefined ? {} : { commit: scope.commit }),
    ...(scope.stopping === undefined ? {} : { stopping: scope.stopping.reason }),
    ...(runs.length > 0 ? { runs } : {}),
  };
}

function waits(view: View, scope: Scope, ticket: NonNullable<Scope['ticket']>): Partial<ListedScope> {
  const ahead = blockers(view, { scope: scope.id, units: ticket.units, mode: ticket.mode, ticket });
  const queued = ahead.filter((blocker) => blocker.why === 'queued').length;
  return { waiting_for: ticket.units, queue: queued + 1 };
}
