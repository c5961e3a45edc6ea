import type { Claimant } from './authority.js';
import { type Claim, claim } from './claim.js';
import { type Draft, draft } from './draft.js';
import { type Publication, publish, release, requireOwn } from './end.js';
import { type Event, type EventBody, scopeOf } from './event.js';
import { evolve } from './evolve.js';
import { evolveScope } from './evolve-scope.js';
import { type Mint, printHandle } from './handle.js';
import { expectSound } from './invariants.testsuite.js';
import { isStateless, scopeKey, statelessConnection, ticketKey } from './leases.js';
import type { Limits } from './limits.js';
import { type Opening, openScope } from './open.js';
import { type Code, isRefusal, type Refusal } from './refusal.js';
import type { Owner, Phase, Scope, ScopeId } from './scope.js';
import { DEFAULTS, type Settings } from './settings.js';
import { EMPTY_STATE, type State } from './state.js';
import { arrive, sweep } from './sweep.js';
import type { Mode } from './unit.js';
import type { Life, View } from './view.js';
import { type Allowed, allowWrite } from './write.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';

/** Six characters that differ for each scope and tenure, as the real mint's do. */
export const MINT: Mint = (id, tenure) => {
  const digits = (Number(id.slice(1)) * 100_003 + tenure).toString(32).padStart(6, '0');
  return [...digits].map((digit) => LETTERS[Number.parseInt(digit, 32)]).join('');
};

/** What an agent says when it claims; the rest has defaults. */
export interface Wish {
  readonly scope?: string;
  readonly mode?: Mode;
  readonly title?: string;
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
  readonly parent?: string;
  readonly priority?: number;
  readonly standing?: boolean;
  readonly phase?: Phase;
}

export interface Answer {
  readonly id: ScopeId;
  readonly handle: string;
  readonly status: Scope['status'];
  /** The scopes that stand in the way. */
  readonly behind: readonly ScopeId[];
}

/** A workspace without a disk: events, the state folded from them, a clock that is set by hand, signs of life. */
export class World {
  state: State = EMPTY_STATE;
  now = 1_000_000;
  readonly settings: Settings;
  readonly events: Event[] = [];
  readonly life = new Map<string, Life>();
  /** Looks at each event as it is folded in. */
  observe: (before: State, event: Event) => void = () => undefined;
  readonly #ended = new Map<ScopeId, Scope>();
  /** Off where there are too many scopes to compare all with all after every step. */
  readonly #checked: boolean;

  constructor(settings: Partial<Settings> = {}, { checked = true } = {}) {
    this.settings = { ...DEFAULTS, ...settings };
    this.#checked = checked;
  }

  agent(name: string, connection = `c-${name}`): Agent {
    return new Agent(this, { agent: name, connection });
  }

  /** An agent whose requests stand alone. */
  stateless(name: string): Agent {
    return new Agent(this, { agent: name, connection: statelessConnection(name) });
  }

  view(): View {
    const { state, now, settings } = this;
    return {
      state,
      now,
      settings,
      life: (key) => this.life.get(key),
      file: () => undefined,
      scope: (id) => state.scopes.get(id) ?? this.#ended.get(id),
    };
  }

  /** One transaction, as the coordinator makes it: what ran out first, then the rule, and the call is a sign of life. */
  act<T>(owner: Owner, rule: (draft: Draft) => T | Refusal): T | Refusal {
    const decision = draft(this.view());
    arrive(decision, owner.connection);
    const answer = rule(decision);
    if (isRefusal(answer)) decision.emit({ type: 'refused', tool: 'test', ...answer });
    this.record(decision.events);
    if (!isStateless(owner.connection)) this.called(owner.connection);
    return answer;
  }

  record(bodies: readonly EventBody[]): void {
    for (const body of bodies) this.#record(body);
    if (this.#checked) expectSound(this.state, this.events, this.settings);
  }

  #record(body: EventBody): void {
    const seq = this.state.seq + 1;
    const event = { seq, at: this.now, wall: 0, agent: '', connection: '', hash: '', body };
    const before = this.state;
    this.observe(before, event);
    this.state = evolve(before, event);
    const scope = before.scopes.get(scopeOf(body) ?? '');
    if (scope !== undefined && !this.state.scopes.has(scope.id)) this.#ended.set(scope.id, evolveScope(scope, event));
    this.events.push(event);
  }

  /** Lock time goes on; nobody shows a sign of life. */
  pass(ms: number): void {
    this.now += ms;
  }

  sweep(): void {
    const decision = draft(this.view());
    sweep(decision);
    this.record(decision.events);
  }

  /** A beat of the server process for its connections and for the claim calls that are open in it. */
  beat(agents: readonly Agent[], waiting: readonly ScopeId[] = []): void {
    const decision = draft(this.view());
    for (const { owner } of agents) arrive(decision, owner.connection);
    sweep(decision);
    this.record(decision.events);
    for (const { owner } of agents) this.seen(owner.connection);
    for (const id of waiting) this.seen(ticketKey(id));
  }

  /** A person, or a plan, at the control plane. */
  operate<T>(rule: (draft: Draft) => T | Refusal): T | Refusal {
    return this.act({ agent: 'ops', connection: 'c-ops' }, rule);
  }

  called(key: string): void {
    this.life.set(key, { seen: this.now, called: this.now });
  }

  seen(key: string): void {
    this.life.set(key, { called: this.now, ...this.life.get(key), seen: this.now });
  }

  /** A scope as it stands, ended or not. */
  scope(id: ScopeId): Scope {
    const scope = this.view().scope(id);
    if (scope === undefined) throw new Error(`there is no ${id}`);
    return scope;
  }

  status(id: ScopeId): Scope['status'] {
    return this.scope(id).status;
  }

  /** Events of one type, in order. */
  told<T extends EventBody['type']>(type: T): Extract<EventBody, { type: T }>[] {
    return this.events.flatMap(({ body }) => (isOfType(body, type) ? [body] : []));
  }
}

function isOfType<T extends EventBody['type']>(body: EventBody, type: T): body is Extract<EventBody, { type: T }> {
  return body.type === type;
}

/** Somebody who calls the tools. */
export class Agent {
  constructor(
    readonly world: World,
    readonly owner: Owner,
  ) {}

  /** What its token reaches. */
  limits: Limits | undefined;

  get claimant(): Claimant {
    return { owner: this.owner, mint: MINT, ...(this.limits === undefined ? {} : { limits: this.limits }) };
  }

  /** claim_scope for the next open scope that it can do. */
  next(phase?: Phase): ScopeId | Refusal {
    const next = { mode: 'write' as const, ...(phase === undefined ? {} : { phase }) };
    const request: Claim = { opening: opening([], {}), units: [], mode: 'write', next };
    const claimed = this.world.act(this.owner, (draft) => claim(draft, this.claimant, request));
    return isRefusal(claimed) ? claimed : claimed.scope;
  }

  /** claim_scope of a waiting scope, going on without the inputs that are not named. */
  without(scope: string, left: readonly string[]): Scope | Refusal {
    const request: Claim = { scope, left, opening: opening([], {}), units: [], mode: 'write' };
    const claimed = this.world.act(this.owner, (draft) => claim(draft, this.claimant, request));
    return isRefusal(claimed) ? claimed : this.world.scope(claimed.scope);
  }

  /** claim_scope. The call is over when it returns: the ticket, if it has one, was asked after at this moment. */
  claim(units: readonly string[] = [], wish: Wish = {}): Answer | Refusal {
    const { scope, mode = 'write' } = wish;
    const request: Claim = { opening: opening(units, wish), units, mode, ...(scope === undefined ? {} : { scope }) };
    const claimed = this.world.act(this.owner, (draft) => claim(draft, this.claimant, request));
    if (isRefusal(claimed)) return claimed;
    this.#alive(claimed.scope);
    const { status, ticket } = this.world.scope(claimed.scope);
    if (ticket === undefined) this.world.life.delete(ticketKey(claimed.scope));
    else this.world.called(ticketKey(claimed.scope));
    const behind = claimed.ahead.map((blocker) => blocker.scope.id);
    return { id: claimed.scope, handle: this.handle(claimed.scope), status, behind };
  }

  open(units: readonly string[] = [], wish: Wish = {}): ScopeId | Refusal {
    const contract = opening(units, { standing: true, ...wish });
    return this.world.act(this.owner, (draft) => openScope(draft, this.owner.agent, contract));
  }

  release(scope?: string, reverted = false): Scope | Refusal {
    return this.world.act(this.owner, (draft) => release(draft, this.claimant, scope, 'not needed', reverted));
  }

  publish(status: Publication['status'] = 'done', scope?: string): readonly ScopeId[] | Refusal {
    return this.world.act(this.owner, (draft) => {
      const own = requireOwn(draft, this.claimant, scope);
      if (isRefusal(own)) return own;
      return publish(draft, own, { scope: own.id, status, summary: 'as asked', artifacts: [] });
    });
  }

  /** patch: asks for the right to write, and changes the files where it has it. */
  write(paths: readonly string[], scope?: string): Allowed | Refusal {
    const write = { paths, title: `Write ${paths}`, ...(scope === undefined ? {} : { scope }) };
    const allowed = this.world.act(this.owner, (draft) => {
      const answer = allowWrite(draft, this.claimant, write);
      if (!isRefusal(answer)) draft.emit(changed(answer.scope, paths));
      return answer;
    });
    if (!isRefusal(allowed)) this.#alive(allowed.scope.id);
    return allowed;
  }

  /** A claim call stays open, or is made again without news. */
  ask(scope: ScopeId): void {
    this.world.called(ticketKey(scope));
  }

  /** Its connection has ended. */
  leave(): void {
    const { life, now } = this.world;
    const { connection } = this.owner;
    life.set(connection, { seen: now, called: now, ...life.get(connection), ended: now });
  }

  handle(id: ScopeId): string {
    return printHandle(this.world.scope(id), MINT);
  }

  #alive(id: ScopeId): void {
    if (isStateless(this.owner.connection)) this.world.called(scopeKey(id));
  }
}

function opening(
  units: readonly string[],
  { title, consumes, produces, parent, priority, standing, phase }: Wish,
): Opening {
  return {
    title: title ?? `Work on ${units.join(', ')}`.slice(0, 100),
    phase: phase ?? 'build',
    units,
    consumes: consumes ?? [],
    produces: (produces ?? []).map((path) => ({ path, type: 'file' })),
    priority: priority ?? 0,
    standing: standing ?? false,
    ...(parent === undefined ? {} : { parent }),
  };
}

function changed({ id, generation }: Scope, paths: readonly string[]): EventBody {
  const files = paths.map((path) => ({ path, before: null, after: 'hash' }));
  return { type: 'files.changed', scope: id, cause: 'patch', generation, files };
}

/** What was answered, where it is no refusal. */
export function got<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(`${answer.code}: ${answer.sentence}`);
  return answer;
}

/** The code of what was refused. */
export function codeOf(answer: unknown): Code {
  return refusalOf(answer).code;
}

export function refusalOf(answer: unknown): Refusal {
  if (!isRefusal(answer)) throw new Error(`not refused: ${JSON.stringify(answer)}`);
  return answer;
}
