import { isSameAgent } from '../domain/authority.js';
import { agentBehind, commandAgent } from '../domain/command-scope.js';
import { parseHandle } from '../domain/handle.js';
import { lapsed, lost } from '../domain/leases.js';
import { type OpenRun, runsOf } from '../domain/open-runs.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Scope, ScopeId } from '../domain/scope.js';
import { plainWords } from '../domain/words.js';
import { claim } from './claim.js';
import type { Caller, ClaimOutput } from './contract.js';
import { holds, ownedUnits } from './owned-units.js';
import { act, type NamedProcess, type Parts } from './parts.js';
import { release } from './release.js';
import { WHOLE_TREE } from './run-git.js';
import type { Spec } from './run-spec.js';
import { titleFrom } from './title.js';

/** What a command holds for as long as it runs. */
export interface Acquired {
  /** The process that it is of. */
  readonly named: NamedProcess | undefined;
  /** The scope of its own that holds it, where the scope that it runs for does not. */
  readonly scope?: ScopeId;
  release(): Promise<void>;
}

/**
 * What kind of command this is, if it is of a named one. What grants sockets has to be one plain command: `docker ps; …`
 * is more than the `docker *` that the operator had in mind.
 */
export function processOf({ rules }: Parts, command: string): NamedProcess | undefined {
  return rules.processes.find(
    ({ match, recognizes, sockets }) =>
      (match.some((pattern) => matches(pattern, command)) || recognizes?.(command) === true) &&
      (sockets.length === 0 || plainWords(command) !== undefined),
  );
}

/**
 * Claims the process and what it owns for a command, all or nothing, as far as its scope does not hold them already: by a
 * scope of the command's own, so that they are free when it ends and not when the work does. Waits as long as the caller bears.
 */
export async function acquireProcess(
  parts: Parts,
  caller: Caller,
  own: Scope | undefined,
  named: NamedProcess | undefined,
  spec: Pick<Spec, 'command' | 'cwd' | 'real'>,
): Promise<Acquired | Refusal> {
  const nothing = { named, release: async () => undefined };
  if (named === undefined) return nothing;
  const owned = await ownedUnits(parts, named, spec);
  if (isRefusal(owned)) return act<Acquired>(parts, caller, 'run', {}, () => ({ answer: owned }));
  const tree = spec.real?.reach === undefined ? [] : [WHOLE_TREE];
  const all = [`process:${named.name}`, ...owned, ...tree];
  const units = all.filter((unit) => !holds(own, unit, parts.workspace.folds));
  if (units.length === 0) return nothing;
  const runner = { ...caller, agent: commandAgent(caller.agent) };
  const claimed = await takeTurn(parts, runner, named, units, titleFrom(`Run ${spec.command}`));
  if (isRefusal(claimed)) return claimed;
  if (claimed.status === 'waiting') {
    const ahead = claimed.queue?.ahead ?? [];
    return act<Acquired>(parts, caller, 'run', {}, ({ view }) => {
      const first = ahead.flatMap(({ id }) => runsOf(view.state, id))[0];
      return { answer: stillBusy(units, ahead, first, caller) };
    });
  }
  const { id, scope } = claimed;
  return { named, scope: id, release: () => giveBack(parts, runner, id, scope) };
}

/**
 * Claims, or goes on waiting where an earlier call for the same has a place in the queue. A place for another command of
 * the process is given up: nobody waits there any more, and this one would wait for it.
 */
async function takeTurn(
  parts: Parts,
  runner: Caller,
  { name }: NamedProcess,
  units: readonly string[],
  title: string,
): Promise<ClaimOutput | Refusal> {
  const key = [runner.connection, runner.agent, name].join('\n');
  const wanted = units.join('\n');
  const former = parts.processTickets.get(key);
  // Taken out at once: two calls with one place would both get its grant.
  parts.processTickets.delete(key);
  const place = await placeInQueue(parts, former?.scope);
  const isSame = former?.units === wanted;
  if (place !== undefined && !isSame) {
    const reason = `${agentBehind(runner.agent)} called for another command of process:${name} instead`;
    await release(parts, runner, { scope: place, reason });
  }
  const claimed = await claim(parts, runner, place !== undefined && isSame ? { scope: place } : { title, units });
  if (isRefusal(claimed)) return inWordsOfItsOwn(parts, runner, claimed);
  if (claimed.status !== 'waiting') return claimed;
  await forgetLapsed(parts);
  parts.processTickets.set(key, { units: wanted, scope: claimed.scope });
  return claimed;
}

/** Places whose agents never called again. Those that are left are bounded like all tickets are. */
async function forgetLapsed({ store, processTickets }: Parts): Promise<void> {
  await store.view({}, ({ state }) => {
    for (const [ticket, { scope }] of processTickets) {
      const id = parseHandle(scope)?.id;
      if (id === undefined || !state.scopes.has(id)) processTickets.delete(ticket);
    }
  });
}

/** A command holds its process until it has ended, or until what it changed was handed on. */
async function giveBack(parts: Parts, runner: Caller, id: ScopeId, handle: string): Promise<void> {
  const still = await parts.store.view({}, ({ state }) => state.scopes.get(id)?.status === 'active');
  const caller = { ...runner, signal: new AbortController().signal };
  if (still) await release(parts, caller, { scope: handle, reason: 'the command ended' });
}

/** The place that an earlier call got, unless it has lapsed since. */
async function placeInQueue(parts: Parts, handle: string | undefined): Promise<string | undefined> {
  const id = handle === undefined ? undefined : parseHandle(handle)?.id;
  if (id === undefined) return undefined;
  const owned = await parts.store.view({}, (view) => {
    const scope = view.state.scopes.get(id);
    return scope?.owner !== undefined && lapsed(view, scope) === undefined && lost(view, scope) === undefined;
  });
  return owned ? handle : undefined;
}

/** A claim that a command makes is not one that its agent could go on with: it never gets the handle. */
async function inWordsOfItsOwn(parts: Parts, runner: Caller, refusal: Refusal): Promise<Refusal> {
  const { holder, cycle } = refusal.facts;
  if (refusal.code === 'HELD' && typeof holder === 'string') return underThatScope(refusal);
  if (refusal.code !== 'DEADLOCK' || !Array.isArray(cycle)) return refusal;
  const isOwn = await parts.store.view({}, ({ state }) =>
    cycle.slice(1).some((id) => {
      const owner = typeof id === 'string' ? state.scopes.get(id)?.owner : undefined;
      return owner !== undefined && isSameAgent(runner, owner);
    }),
  );
  return isOwn ? { ...refusal, next: 'Wait for the answer to your other run call, then call run again.' } : refusal;
}

/** What the command needs is held on the caller's own connection, so waiting for it might never end. */
function underThatScope(refusal: Refusal): Refusal {
  const next = `Run the command under that scope (pass its handle as scope; list_scopes {"mine": true} shows your own), or when it has ended.`;
  return { ...refusal, next };
}

type Ahead = NonNullable<ClaimOutput['queue']>['ahead'];

function stillBusy(units: readonly string[], ahead: Ahead, running: OpenRun | undefined, caller: Caller): Refusal {
  const [first] = ahead;
  const what = first?.units.join(', ') ?? units.join(', ');
  const who = first === undefined ? 'somebody else' : `${first.id} (${first.agent}: ${first.title})`;
  const run = running?.run;
  const isOwn = running !== undefined && isSameAgent(caller, running.by);
  const own = isOwn ? `That is your own: run {"run": "${run}"} follows it, with "stop": true it ends. ` : '';
  return refuse(
    'WAITING',
    `${what} ${(first?.units.length ?? units.length) > 1 ? 'are' : 'is'} busy with ${who}${run === undefined ? '' : `, its command is ${run}`}.`,
    `${own}Call run again with the same command: your place in the queue is kept for a minute.`,
    {
      unit: units[0] ?? '',
      units: [...units],
      ahead: ahead.map(({ id, agent, title, units }) => ({ id, agent, title, units: [...units] })),
      ...(run === undefined ? {} : { run }),
    },
  );
}

/** Whether a pattern with `*` for anything covers the whole command. Linear: no regular expression of a user's is run. */
export function matches(pattern: string, command: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return command === pattern;
  if (!command.startsWith(first) || !command.endsWith(last) || command.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = command.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= command.length - last.length;
}
