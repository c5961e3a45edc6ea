import type { Claimant } from '../domain/authority.js';
import { type Draft, draft } from '../domain/draft.js';
import type { EventBody } from '../domain/event.js';
import { type Handle, type Mint, parseHandle } from '../domain/handle.js';
import type { IgnoreMatcher } from '../domain/ignore-pattern.js';
import { isStateless, scopeKey, ticketKey } from '../domain/leases.js';
import { type Told, takeNotes } from '../domain/notes.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope, ScopeId } from '../domain/scope.js';
import type { Settings } from '../domain/settings.js';
import { arrive } from '../domain/sweep.js';
import type { Runner } from '../processes/runner.js';
import type { Keep, LifeChange, Needs, Store, Transaction } from '../store/store.js';
import type { Git } from '../workspace/git/git.js';
import type { Workspace } from '../workspace/workspace.js';
import type { Caller } from './contract.js';
import type { VainLooks } from './pickup.js';
import type { Presence } from './presence.js';
import type { Runs } from './runs.js';

/** What the use cases work with. */
export interface Parts {
  readonly store: Store;
  readonly workspace: Workspace;
  readonly runner: Runner;
  /** Undefined where the workspace is not in a git repository. */
  readonly git: Git | undefined;
  readonly settings: Settings;
  readonly rules: Rules;
  readonly mint: Mint;
  readonly presence: Presence;
  readonly runs: Runs;
  /** What counts as scratch besides what git ignores. */
  readonly scratch: IgnoreMatcher;
  /** Waiting claims of processes that no call waits for now, by caller and process: a command called again keeps its place. */
  readonly processTickets: Map<string, ProcessTicket>;
  /** Looks for open work that need not be taken again. */
  readonly vain: VainLooks;
  /** One line for whoever runs the server. */
  readonly log: (sentence: string) => void;
}

export interface ProcessTicket {
  readonly units: string;
  /** A handle. */
  readonly scope: string;
}

/** What the operator has decided beyond locks. */
export interface Rules {
  readonly commit: 'head' | 'branch' | 'none';
  /** Whether commits are signed; auto: as git's own configuration says. */
  readonly sign: 'auto' | boolean;
  readonly processes: readonly NamedProcess[];
  /** Milliseconds until a command is killed, unless the call says less. */
  readonly timeout: number;
  /** Protected paths that agents may write all the same. */
  readonly unprotect: readonly string[];
  /** How long what nothing needs any more is kept. */
  readonly keep: Keep;
  /** Whether known harmless git commands run on the repository itself. */
  readonly git: 'real' | 'contained';
}

/** A kind of command that takes a unit of its own: `process:<name>`. */
export interface NamedProcess {
  readonly name: string;
  /** A command that one of these patterns matches is of this kind; `*` stands for anything. */
  readonly match: readonly string[];
  /** So is one that this takes for it: for what is built in. */
  readonly recognizes?: (command: string) => boolean;
  /** Units that its command holds besides, as the operator wrote them. What git ignores of them is scratch of its own. */
  readonly owns: readonly string[];
  /** Names of files that it holds where they lie nearest to where they are looked for, by the package manager that does. */
  readonly nearest?: { readonly [tool: string]: readonly string[] };
  /** Milliseconds until its commands are killed, unless the call says less. */
  readonly timeout?: number;
  readonly env: { readonly [name: string]: string };
  readonly network: boolean;
  /** It runs long and has to see what others change meanwhile: a server, a watcher. */
  readonly live: boolean;
  /** `open_scope`: a command of it that fails is work for somebody. */
  readonly onFailure: 'nothing' | 'open_scope';
  /** Unix sockets that its commands are granted: by kind, or by path. */
  readonly sockets: readonly string[];
}

/** What a step answers, and the signs of life that go with it. */
export interface Step<T> {
  readonly answer: T | Refusal;
  readonly life?: readonly LifeChange[];
}

export function claimant(parts: Parts, caller: Caller): Claimant {
  const { connection, agent, namedBy, limits } = caller;
  const owner = { connection, agent, ...(namedBy === undefined ? {} : { namedBy }) };
  return { owner, mint: parts.mint, ...(limits === undefined ? {} : { limits }) };
}

/**
 * The one way in which a use case decides: former leases that ran out are made events first, the rule decides on what is
 * left, a refusal becomes an event, and the call counts as a sign of life. All of it in one transaction.
 */
export async function act<T>(
  parts: Parts,
  caller: Caller,
  tool: string,
  needs: Needs,
  rule: (draft: Draft, tx: Transaction) => Step<T>,
): Promise<T | Refusal> {
  const author = {
    agent: caller.agent,
    connection: caller.connection,
    ...(caller.trace ? { trace: caller.trace } : {}),
  };
  let notes: readonly Told[] = [];
  let lease: number | undefined;
  const { answer } = await parts.store.transact(author, needs, (tx) => {
    const decision = draft(tx);
    lease = tx.settings.lease;
    arrive(decision, caller.connection);
    const step = rule(decision, tx);
    if (isRefusal(step.answer)) decision.emit(refusedEvent(tool, step.answer));
    else if (caller.heard !== undefined) notes = takeNotes(decision, caller, needs.scopes ?? []);
    return { events: decision.events, answer: step.answer, life: [...signOfLife(caller), ...(step.life ?? [])] };
  });
  if (notes.length > 0) caller.heard?.(notes);
  await parts.presence.noticed(caller.connection, lease);
  return answer;
}

export function refusedEvent(tool: string, refusal: Refusal): EventBody {
  const { code, sentence, facts } = refusal;
  const scope = typeof facts.scope === 'string' ? parseHandle(facts.scope)?.id : undefined;
  return { type: 'refused', tool, code, sentence, facts, ...(scope === undefined ? {} : { scope }) };
}

function signOfLife(caller: Caller): LifeChange[] {
  return isStateless(caller.connection) ? [] : [{ key: caller.connection, touch: 'called' }];
}

/** A stateless caller shows that a scope is alive by using it. */
export function scopeAlive(caller: Caller, scope: ScopeId): LifeChange[] {
  return isStateless(caller.connection) ? [{ key: scopeKey(scope), touch: 'called' }] : [];
}

/** A grant that waited for its agent has been fetched, now that the agent calls with the scope. */
export function collected({ id, grantedAt }: Scope): LifeChange[] {
  return grantedAt === undefined ? [] : [{ key: ticketKey(id), touch: 'gone' }];
}

/** The ended scopes that a call may have to look up. */
export function scopeNeeds(...given: readonly (string | undefined)[]): ScopeId[] {
  return given
    .map((text) => (text === undefined ? undefined : parseHandle(text)))
    .filter((handle): handle is Handle => handle !== undefined)
    .map((handle) => handle.id);
}
