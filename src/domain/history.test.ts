import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockers, isQueued, type Queued } from './blockers.js';
import { conflict, expectSound } from './invariants.testsuite.js';
import { isStateless, lapsed, scopeKey, ticketKey } from './leases.js';
import { compareTickets } from './queue-order.js';
import { Agent, got, World } from './scenario.testsuite.js';
import type { Scope, ScopeId, Ticket } from './scope.js';
import type { State } from './state.js';
import type { Mode } from './unit.js';

/** Units that overlap in many ways. */
const UNITS = ['a.ts', 'b.ts', 'src/a.ts', 'src/b.ts', 'src/', 'src/*.ts', '*.ts', './', 'process:one', 'process:two'];
const PATHS = ['a.ts', 'b.ts', 'src/a.ts', 'src/b.ts', 'docs/c.md'];
const SETTINGS = { capacity: new Map([['two', 2]]) };
const RUNS = 120;
const STEPS = 40;

/** Numbers are taken modulo what there is to choose from, so that every list of steps makes a history. */
type Step =
  | {
      readonly do: 'claim';
      readonly who: number;
      readonly units: string[];
      readonly mode: Mode;
      readonly consumes: number[];
      readonly priority: number;
    }
  | { readonly do: 'more'; readonly which: number; readonly units: string[]; readonly mode: Mode }
  | { readonly do: 'open'; readonly who: number; readonly units: string[]; readonly consumes: number[] }
  | { readonly do: 'take'; readonly who: number; readonly which: number }
  | { readonly do: 'write'; readonly who: number; readonly paths: string[]; readonly which: number }
  | { readonly do: 'publish'; readonly which: number; readonly status: 'done' | 'progress' | 'failed' }
  | { readonly do: 'release'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number; readonly beating: number[]; readonly asking: boolean }
  | { readonly do: 'leave'; readonly who: number }
  | { readonly do: 'sweep' };

const nat = fc.nat(60);
const units = fc.uniqueArray(fc.constantFrom(...UNITS), { minLength: 1, maxLength: 3 });
const paths = fc.uniqueArray(fc.constantFrom(...PATHS), { minLength: 1, maxLength: 2 });
const mode = fc.constantFrom<Mode>('write', 'write', 'read');
const consumes = fc.oneof({ weight: 4, arbitrary: fc.constant<number[]>([]) }, fc.array(nat, { maxLength: 2 }));
const status = fc.constantFrom('done' as const, 'done' as const, 'progress' as const, 'failed' as const);
const MINUTES = [10_000, 60_000, 60_001, 120_001, 300_000, 1_800_001];

const working: fc.Arbitrary<Step>[] = [
  fc.record({ do: fc.constant('claim'), who: nat, units, mode, consumes, priority: fc.integer({ min: -1, max: 1 }) }),
  fc.record({
    do: fc.constant('claim'),
    who: nat,
    units,
    mode,
    consumes: fc.constant<number[]>([]),
    priority: fc.constant(0),
  }),
  fc.record({ do: fc.constant('more'), which: nat, units, mode }),
  fc.record({ do: fc.constant('more'), which: nat, units, mode }),
  fc.record({ do: fc.constant('open'), who: nat, units, consumes }),
  fc.record({ do: fc.constant('take'), who: nat, which: nat }),
  fc.record({ do: fc.constant('write'), who: nat, paths, which: nat }),
  fc.record({ do: fc.constant('publish'), which: nat, status }),
  fc.record({ do: fc.constant('release'), which: nat }),
];
const dying: fc.Arbitrary<Step>[] = [
  fc.record({ do: fc.constant('pass'), ms: fc.constantFrom(...MINUTES), beating: fc.array(nat), asking: fc.boolean() }),
  fc.record({ do: fc.constant('leave'), who: nat }),
  fc.record({ do: fc.constant('sweep') }),
];

/** A crew on one world: two agents share a connection, one has none. */
class Crew {
  readonly world = new World(SETTINGS, { checked: false });
  readonly agents: readonly Agent[] = [
    this.world.agent('alice'),
    this.world.agent('bob'),
    this.world.agent('carol'),
    this.world.agent('parent', 'shared'),
    this.world.agent('child', 'shared'),
    this.world.stateless('http'),
  ];

  do(step: Step): void {
    switch (step.do) {
      case 'claim':
        this.#agent(step.who).claim(step.units, { ...step, consumes: this.#ids(step.consumes) });
        return;
      case 'more':
        this.#withOwn(step.which, (agent, { id }) =>
          agent.claim(step.units, { scope: agent.handle(id), mode: step.mode }),
        );
        return;
      case 'open':
        this.#agent(step.who).open(step.units, { consumes: this.#ids(step.consumes) });
        return;
      case 'take': {
        const open = this.scopes().filter((scope) => scope.status === 'open');
        const scope = open[step.which % open.length];
        if (scope !== undefined) this.#agent(step.who).claim([], { scope: scope.id });
        return;
      }
      case 'write':
        this.#agent(step.who).write(step.paths);
        this.#withOwn(step.which, (agent, { id }) => agent.write(step.paths, agent.handle(id)));
        return;
      case 'publish':
        this.#withOwn(
          step.which,
          (agent, { id, status: now }) => now === 'active' && agent.publish(step.status, agent.handle(id)),
        );
        return;
      case 'release':
        this.#withOwn(step.which, (agent, { id }) => agent.release(agent.handle(id)));
        return;
      case 'pass': {
        this.world.pass(step.ms);
        const beating = step.beating
          .map((who) => this.#agent(who))
          .filter(({ owner }) => !isStateless(owner.connection));
        this.world.beat(
          beating,
          step.asking
            ? this.scopes()
                .filter(isQueued)
                .map(({ id }) => id)
            : [],
        );
        return;
      }
      case 'leave':
        this.#agent(step.who).leave();
        return;
      case 'sweep':
        this.world.sweep();
    }
  }

  scopes(): Scope[] {
    return [...this.world.state.scopes.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #withOwn(which: number, use: (agent: Agent, scope: Scope) => unknown): void {
    const owned = this.scopes().filter(({ owner }) => owner !== undefined);
    const scope = owned[which % owned.length];
    if (scope?.owner !== undefined) use(new Agent(this.world, scope.owner), scope);
  }

  #agent(who: number): Agent {
    const agent = this.agents[who % this.agents.length];
    if (agent === undefined) throw new Error('there are no agents');
    return agent;
  }

  #ids(numbers: readonly number[]): ScopeId[] {
    const { scopeCount } = this.world.state;
    return scopeCount === 0 ? [] : numbers.map((number) => `S${String((number % scopeCount) + 1).padStart(3, '0')}`);
  }
}

/** Promise 3, told by comparing with every ticket there is, at the moment of each grant. */
function watchFairness({ world }: Crew): void {
  world.observe = (before, { body, at, seq }) => {
    if (body.type !== 'scope.granted') return;
    const scope = before.scopes.get(body.scope);
    if (scope === undefined) throw new Error(`${body.scope} was granted and is not there`);
    const fresh = { units: body.units, mode: body.mode, arrival: seq, since: at, priority: scope.contract.priority };
    const ticket = body.queued && scope.ticket !== undefined ? scope.ticket : fresh;
    for (const unit of body.units) {
      const passed = earlier(world, before, scope, { unit, mode: body.mode }, ticket);
      if (passed.length > 0) throw new Error(`${scope.id} got ${unit} before ${passed.map(({ id }) => id)}`);
    }
  };
}

function earlier(
  world: World,
  state: State,
  granted: Scope,
  wanted: { readonly unit: string; readonly mode: Mode },
  ticket: Ticket,
): Queued[] {
  const view = { ...world.view(), state };
  const clashes = (other: Queued, with_: { readonly unit: string; readonly mode: Mode }): boolean =>
    other.ticket.units.some((unit) => conflict({ unit, mode: other.ticket.mode }, with_));
  return [...state.scopes.values()]
    .filter(isQueued)
    .filter((other) => other.id !== granted.id && other.pending.length === 0 && lapsed(view, other) === undefined)
    .filter((other) => clashes(other, wanted) && compareTickets(other.ticket, ticket, world.settings) < 0)
    .filter((other) => ![...granted.locks.values()].some((lock) => clashes(other, lock)));
}

/** Histories in which a wait once turned around when a place of a process was taken, and everybody waited for ever. */
const TURNED: readonly Step[][] = [
  [
    { do: 'claim', who: 19, units: ['a.ts'], mode: 'write', consumes: [], priority: 0 },
    { do: 'claim', who: 19, units: ['src/a.ts'], mode: 'write', consumes: [], priority: 0 },
    { do: 'more', which: 0, units: ['process:two'], mode: 'write' },
    { do: 'claim', who: 0, units: ['src/a.ts'], mode: 'write', consumes: [], priority: 0 },
    { do: 'claim', who: 0, units: ['a.ts'], mode: 'write', consumes: [], priority: 0 },
    { do: 'claim', who: 44, units: ['a.ts'], mode: 'write', consumes: [], priority: 0 },
    { do: 'open', who: 0, units: ['a.ts'], consumes: [] },
    { do: 'claim', who: 0, units: ['process:two'], mode: 'write', consumes: [], priority: 0 },
    { do: 'release', which: 38 },
    { do: 'more', which: 3, units: ['./', 'process:two'], mode: 'write' },
    { do: 'take', who: 21, which: 0 },
    { do: 'more', which: 47, units: ['src/*.ts'], mode: 'write' },
  ],
  [
    { do: 'claim', who: 0, units: ['a.ts'], mode: 'write', consumes: [], priority: 0 },
    { do: 'claim', who: 7, units: ['process:two'], mode: 'write', consumes: [], priority: 0 },
    { do: 'publish', which: 0, status: 'done' },
    { do: 'open', who: 0, units: ['a.ts'], consumes: [] },
    { do: 'take', who: 0, which: 0 },
    { do: 'more', which: 3, units: ['process:two', 'a.ts'], mode: 'write' },
    { do: 'claim', who: 45, units: ['process:two'], mode: 'write', consumes: [], priority: 0 },
    { do: 'more', which: 0, units: ['src/*.ts'], mode: 'write' },
    { do: 'claim', who: 39, units: ['a.ts'], mode: 'write', consumes: [], priority: 0 },
    { do: 'more', which: 58, units: ['src/b.ts', 'src/a.ts'], mode: 'write' },
    { do: 'more', which: 13, units: ['src/b.ts', 'a.ts'], mode: 'write' },
  ],
];

describe('random histories', () => {
  test('promises 1, 2, 3 and 8: exclusion, generations, order, and indices and replay that tell the same', () => {
    const history = fc.array(fc.oneof(...working, ...dying), { maxLength: STEPS, size: 'max' });
    fc.assert(
      fc.property(history, (steps) => {
        const crew = new Crew();
        watchFairness(crew);
        for (const step of steps) {
          crew.do(step);
          expectSound(crew.world.state, crew.world.events, crew.world.settings);
        }
      }),
      { numRuns: RUNS },
    );
  });

  test('promises 3 and 4: while all stay alive nobody waits for nothing, and in the end every ticket is granted', () => {
    const history = fc.array(fc.oneof(...working), { maxLength: STEPS, size: 'max' });
    fc.assert(
      fc.property(history, (steps) => {
        const crew = new Crew();
        watchFairness(crew);
        for (const step of steps) {
          crew.do(step);
          stayAlive(crew);
          expectNoLostWakeUp(crew.world);
        }
        finish(crew);
        expect(crew.scopes().filter(isQueued)).toEqual([]);
        expectSound(crew.world.state, crew.world.events, crew.world.settings);
      }),
      { numRuns: RUNS, examples: TURNED.map((steps) => [steps]) },
    );
  });
});

/** Everybody calls, asks after what it waits for and takes what it got. */
function stayAlive({ world }: Crew): void {
  world.pass(10_000);
  for (const { id, owner, ticket } of world.state.scopes.values()) {
    if (owner === undefined) continue;
    world.called(isStateless(owner.connection) ? scopeKey(id) : owner.connection);
    if (ticket === undefined) world.life.delete(ticketKey(id));
    else world.called(ticketKey(id));
  }
}

function expectNoLostWakeUp(world: World): void {
  const view = world.view();
  for (const scope of world.state.scopes.values()) {
    if (!isQueueing(scope)) continue;
    const { id, ticket } = scope;
    const ahead = blockers(view, { scope: id, units: ticket.units, mode: ticket.mode, ticket });
    if (ahead.length === 0) throw new Error(`${id} waits for nobody`);
  }
}

/** Waits for units, so that its agent finishes nothing else meanwhile. */
function isQueueing(scope: Scope): scope is Queued {
  return isQueued(scope) && scope.pending.length === 0;
}

/** Agents that are not stuck in a queue publish what they have; then what is open is taken up, and so on. */
function finish(crew: Crew): void {
  const given = new Set<ScopeId>();
  for (;;) {
    const scope = crew.scopes().find((own) => own.status === 'active' && !isStuck(crew, own));
    const open = crew.scopes().find(({ id, status: now }) => now === 'open' && !given.has(id));
    if (scope?.owner !== undefined) {
      const agent = new Agent(crew.world, scope.owner);
      got(agent.publish('done', agent.handle(scope.id)));
    } else if (open !== undefined) {
      crew.world.agent(`finisher of ${open.id}`).claim([], { scope: open.id });
      given.add(open.id);
    } else return;
    stayAlive(crew);
  }
}

function isStuck(crew: Crew, { id, owner }: Scope): boolean {
  return crew.scopes().some((other) => {
    if (!isQueueing(other)) return false;
    if (other.id === id) return true;
    const { agent, connection } = other.owner;
    return agent === owner?.agent && connection === owner.connection && !isStateless(connection);
  });
}
