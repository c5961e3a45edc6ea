import { describe, expect, test } from 'vitest';
import { blockers, knownUnit, liveScope, ownerOf, queuedScope } from './blockers.js';
import { compareTickets } from './queue-order.js';
import { type Agent, type Answer, codeOf, got, World } from './scenario.testsuite.js';
import type { Ticket } from './scope.js';
import { DEFAULTS } from './settings.js';

const MINUTE = 60_000;

/** Agents who queue for one file, in the order in which they come; the holder gives it up at the end. */
function queueOf(world: World, wishes: readonly { readonly priority: number; readonly at: number }[]): Answer[] {
  const holder = world.agent('holder');
  got(holder.claim(['a.ts']));
  const start = world.now;
  return wishes.map(({ priority, at }, number) => {
    world.pass(start + at - world.now);
    return got(world.agent(`agent${number}`).claim(['a.ts'], { priority }));
  });
}

/** The order in which those who wait are granted when each one finishes at once. */
function granted(world: World, waiting: readonly Answer[], agents: readonly Agent[]): number[] {
  const order: number[] = [];
  const isActive = (answer: Answer) => world.state.scopes.get(answer.id)?.status === 'active';
  for (let at = waiting.findIndex(isActive); at >= 0; at = waiting.findIndex(isActive)) {
    order.push(at);
    got(agents[at]?.publish('done', waiting[at]?.handle) ?? []);
  }
  return order;
}

function inTurn(wishes: readonly { readonly priority: number; readonly at: number }[]): number[] {
  const world = new World({
    ticket: Number.POSITIVE_INFINITY,
    lease: Number.POSITIVE_INFINITY,
    idle: Number.POSITIVE_INFINITY,
  });
  const waiting = queueOf(world, wishes);
  const agents = wishes.map((_, number) => world.agent(`agent${number}`));
  got(world.agent('holder').release());
  return granted(world, waiting, agents);
}

describe('promise 3: ticket order', () => {
  test('by arrival', () => {
    expect(
      inTurn([
        { priority: 0, at: 0 },
        { priority: 0, at: 0 },
        { priority: 0, at: 1 },
      ]),
    ).toEqual([0, 1, 2]);
  });

  test('by priority before arrival', () => {
    expect(
      inTurn([
        { priority: 0, at: 0 },
        { priority: 2, at: 0 },
        { priority: 1, at: 0 },
      ]),
    ).toEqual([1, 2, 0]);
  });

  test.each([
    ['just under one step of waiting', 5 * MINUTE - 1, [1, 0]],
    ['one step of waiting', 5 * MINUTE, [0, 1]],
  ])('a newcomer one step higher against %s', (_, at, order) => {
    expect(
      inTurn([
        { priority: 0, at: 0 },
        { priority: 1, at },
      ]),
    ).toEqual(order);
  });

  test('nobody starves: after two steps of waiting nobody two steps higher passes any more', () => {
    const late = Array.from({ length: 5 }, (_, number) => ({ priority: 2, at: (number + 8) * MINUTE }));
    expect(inTurn([{ priority: 0, at: 0 }, ...late])).toEqual([1, 2, 0, 3, 4, 5]);
  });

  test('the order of two tickets never changes while they wait, so that no cycle of waits comes about by itself', () => {
    const ticket = (since: number, priority: number, arrival: number): Ticket => {
      return { units: [], mode: 'write', since, priority, arrival };
    };
    const early = ticket(0, 0, 1);
    expect(compareTickets(early, ticket(MINUTE, 1, 2), DEFAULTS)).toBeGreaterThan(0);
    expect(compareTickets(early, ticket(6 * MINUTE, 1, 2), DEFAULTS)).toBeLessThan(0);
    expect(compareTickets(early, ticket(0, 0, 2), DEFAULTS)).toBeLessThan(0);
  });
});

describe('promise 3: nobody overtakes an earlier conflicting ticket', () => {
  test('a reader does not pass a writer that waits for readers', () => {
    const world = new World();
    const reader = got(world.agent('r1').claim(['a.ts'], { mode: 'read' }));
    const writer = got(world.agent('w').claim(['a.ts']));
    const late = got(world.agent('r2').claim(['a.ts'], { mode: 'read' }));
    expect(late).toMatchObject({ status: 'waiting', behind: [writer.id] });
    got(world.agent('r1').release(reader.handle));
    expect(world.status(writer.id)).toBe('active');
    expect(world.status(late.id)).toBe('waiting');
  });

  test('readers that queue behind one writer are granted together', () => {
    const world = new World();
    got(world.agent('w').claim(['a.ts']));
    const readers = ['r1', 'r2'].map((name) => got(world.agent(name).claim(['a.ts'], { mode: 'read' })));
    expect(readers[1]?.behind).toEqual(['S001']);
    got(world.agent('w').release());
    expect(readers.map(({ id }) => world.status(id))).toEqual(['active', 'active']);
  });

  test('a wide claim that waits for one file holds back later ones beneath it, and the queue says so', () => {
    const world = new World();
    const holder = got(world.agent('alice').claim(['src/a.ts']));
    const wide = got(world.agent('bob').claim(['src/']));
    const beneath = got(world.agent('carol').claim(['src/b.ts']));
    expect(wide.behind).toEqual([holder.id]);
    expect(beneath).toMatchObject({ status: 'waiting', behind: [wide.id] });
    const { ticket } = queuedScope(world.view(), beneath.id);
    expect(blockers(world.view(), { scope: beneath.id, units: ['src/b.ts'], mode: 'write', ticket })).toMatchObject([
      { why: 'queued', units: ['src/'], scope: { id: wide.id } },
    ]);
    got(world.agent('alice').release());
    expect([world.status(wide.id), world.status(beneath.id)]).toEqual(['active', 'waiting']);
    got(world.agent('bob').release());
    expect(world.status(beneath.id)).toBe('active');
  });

  test('holders come first in the list, then tickets in their order, each once with all its units', () => {
    const world = new World();
    const queued = ['q1', 'q2'].map((name) => world.agent(name));
    got(world.agent('h').claim(['b', 'x']));
    const waiting = queued.map((agent) => got(agent.claim(['a', 'b'])));
    const held = got(world.agent('q1').claim(['c', 'd']));
    const last = got(world.agent('last').claim(['a', 'b', 'c', 'd']));
    expect(last.behind).toEqual(['S001', held.id, ...waiting.map(({ id }) => id)]);
    const { ticket } = queuedScope(world.view(), last.id);
    const found = blockers(world.view(), { scope: last.id, units: ticket.units, mode: 'write', ticket });
    expect(found.map(({ why, units }) => [why, [...units].sort()])).toEqual([
      ['held', ['b']],
      ['held', ['c', 'd']],
      ['queued', ['a', 'b']],
      ['queued', ['a', 'b']],
    ]);
  });

  test('who both holds and queues for more counts as a holder', () => {
    const world = new World();
    const alice = world.agent('alice');
    got(world.agent('bob').claim(['b']));
    const mine = got(alice.claim(['a']));
    got(alice.claim(['b'], { scope: mine.handle }));
    const carol = got(world.agent('carol').claim(['b', 'a']));
    const { ticket } = queuedScope(world.view(), carol.id);
    expect(blockers(world.view(), { scope: 'S003', units: ['b', 'a'], mode: 'write', ticket })).toMatchObject([
      { why: 'held', scope: { id: 'S001' }, units: ['b'] },
      { why: 'held', scope: { id: mine.id }, units: ['b', 'a'] },
    ]);
  });

  test('a ticket that waits for units of the claimer is not ahead of its further claim', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['src/a.ts']));
    const wide = got(world.agent('bob').claim(['src/']));
    expect(wide.behind).toEqual([mine.id]);
    expect(got(alice.claim(['src/b.ts'], { scope: mine.handle })).behind).toEqual([]);
    expect(got(world.agent('carol').claim(['src/c.ts'])).behind).toEqual([wide.id]);
  });

  test('a ticket that could read along with the claimer does not wait for it, so it stays ahead', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a'], { mode: 'read' }));
    got(world.agent('bob').claim(['q']));
    const waiting = got(world.agent('carol').claim(['a', 'q', 'z'], { mode: 'read' }));
    expect(got(alice.claim(['z'], { scope: mine.handle })).behind).toEqual([waiting.id]);
  });

  test('a reader that waits for something else does not hold back other readers', () => {
    const world = new World();
    got(world.agent('w').claim(['a']));
    got(world.agent('x').claim(['x']));
    const wide = got(world.agent('r1').claim(['a', 'x'], { mode: 'read' }));
    const narrow = got(world.agent('r2').claim(['a'], { mode: 'read' }));
    got(world.agent('w').release());
    expect([world.status(wide.id), world.status(narrow.id)]).toEqual(['waiting', 'active']);
  });

  test('promise 4: a ticket for a process with several places, of which the claimer has one, could wait for it: so it is refused', () => {
    const world = new World({ capacity: new Map([['build', 2]]) });
    const alice = world.agent('alice');
    const mine = got(alice.claim(['process:build']));
    got(world.agent('bob').claim(['q']));
    got(world.agent('carol').claim(['process:build', 'q', 'z']));
    expect(codeOf(alice.claim(['z'], { scope: mine.handle }))).toBe('DEADLOCK');
  });
});

describe('capacity of named processes', () => {
  test('one, where it is not configured', () => {
    const world = new World();
    got(world.agent('a').claim(['process:test']));
    expect(got(world.agent('b').claim(['process:test'])).status).toBe('waiting');
  });

  test('as many as configured, then in ticket order, one for each that ends', () => {
    const world = new World({ capacity: new Map([['test', 2]]) });
    const all = ['a', 'b', 'c', 'd'].map((name) => got(world.agent(name).claim(['process:test'])));
    const statuses = () => all.map(({ id }) => world.status(id));
    expect(statuses()).toEqual(['active', 'active', 'waiting', 'waiting']);
    got(world.agent('b').publish());
    expect(statuses()).toEqual(['active', 'done', 'active', 'waiting']);
    got(world.agent('a').publish());
    expect(statuses()).toEqual(['done', 'done', 'active', 'active']);
  });

  test('a place that an earlier ticket will take is kept free for it', () => {
    const world = new World({ capacity: new Map([['test', 2]]) });
    got(world.agent('a').claim(['process:test', 'a.ts']));
    const wide = got(world.agent('b').claim(['process:test', 'a.ts']));
    expect(got(world.agent('c').claim(['process:test'])).behind).toEqual([wide.id]);
  });

  test('promise 3: with places left, too, nobody overtakes who waits for something else; then both go on', () => {
    const world = new World({ capacity: new Map([['test', 2]]) });
    const held = got(world.agent('x').claim(['x']));
    const wide = got(world.agent('b').claim(['process:test', 'x']));
    const narrow = got(world.agent('c').claim(['process:test']));
    const statuses = () => [wide, narrow].map(({ id }) => world.status(id));
    expect(statuses()).toEqual(['waiting', 'waiting']);
    got(world.agent('x').release(held.handle));
    expect(statuses()).toEqual(['active', 'active']);
  });

  test('reading makes no difference: each holder runs it', () => {
    const world = new World();
    got(world.agent('a').claim(['process:test', 'src/'], { mode: 'read' }));
    expect(got(world.agent('b').claim(['process:test', 'src/'], { mode: 'read' })).status).toBe('waiting');
  });
});

describe('broken invariants throw', () => {
  test('an index that names a scope that is not there, or not queueing', () => {
    const world = new World();
    const { id } = got(world.agent('a').claim(['a.ts']));
    expect(() => liveScope(world.view(), 'S999')).toThrow('S999 is not alive');
    expect(() => queuedScope(world.view(), id)).toThrow('S001 has no ticket');
  });

  test('a scope without an owner that is said to hold something, a unit that is none', () => {
    const world = new World();
    const id = got(world.agent('a').open());
    expect(() => ownerOf(world.scope(id))).toThrow('S001 has no owner');
    expect(() => knownUnit('../a.ts')).toThrow('not a unit: ../a.ts');
  });
});
