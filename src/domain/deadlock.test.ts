import { describe, expect, test } from 'vitest';
import type { Refusal } from './refusal.js';
import { type Agent, codeOf, got, refusalOf, World } from './scenario.testsuite.js';

function cycleOf(answer: unknown): unknown {
  const refusal: Refusal = refusalOf(answer);
  expect(refusal.code).toBe('DEADLOCK');
  return refusal.facts.cycle;
}

describe('promise 4: what would close a cycle is refused, and the refusal names the cycle', () => {
  test('two scopes that each want what the other holds', () => {
    const world = new World();
    const [alice, bob] = [world.agent('alice'), world.agent('bob')];
    const a = got(alice.claim(['a.ts']));
    const b = got(bob.claim(['b.ts']));
    got(alice.claim(['b.ts'], { scope: a.handle }));
    const refusal = refusalOf(bob.claim(['a.ts'], { scope: b.handle }));
    expect(cycleOf(refusal)).toEqual([b.id, a.id]);
    expect(refusal.sentence).toBe('Waiting would never end: your claim waits for S001 (alice) waits for your claim.');
    expect(world.scope(b.id).ticket).toBeUndefined();
    got(bob.publish());
    expect([...world.scope(a.id).locks.keys()].sort()).toEqual(['a.ts', 'b.ts']);
  });

  test('three scopes in a ring', () => {
    const world = new World();
    const agents = ['alice', 'bob', 'carol'].map((name) => world.agent(name));
    const files = ['a.ts', 'b.ts', 'c.ts'];
    const scopes = agents.map((agent, at) => got(agent.claim([files[at] ?? ''])));
    const next = (at: number) => agents[at]?.claim([files[(at + 1) % 3] ?? ''], { scope: scopes[at]?.handle ?? '' });
    got(next(0) ?? []);
    got(next(1) ?? []);
    expect(cycleOf(next(2))).toEqual(['S003', 'S001', 'S002']);
  });

  test('two readers who both want to write', () => {
    const world = new World();
    const [alice, bob] = [world.agent('alice'), world.agent('bob')];
    const a = got(alice.claim(['a.ts'], { mode: 'read' }));
    const b = got(bob.claim(['a.ts'], { mode: 'read' }));
    got(alice.claim(['a.ts'], { scope: a.handle }));
    expect(cycleOf(bob.claim(['a.ts'], { scope: b.handle }))).toEqual([b.id, a.id]);
    got(bob.release());
    expect(world.scope(a.id).locks.get('a.ts')?.mode).toBe('write');
  });

  test('through an earlier ticket of a third', () => {
    const world = new World();
    const [alice, bob] = [world.agent('alice'), world.agent('bob')];
    const a = got(alice.claim(['a.ts']));
    got(bob.claim(['b.ts']));
    const wide = got(world.agent('carol').claim(['b.ts', 'c.ts']));
    got(bob.claim(['a.ts'], { scope: 'S002' }));
    // Alice would wait for Carol's ticket, Carol for Bob, Bob for Alice.
    expect(cycleOf(alice.claim(['c.ts'], { scope: a.handle }))).toEqual([a.id, wide.id, 'S002']);
  });

  test.each([
    ['with a connection', (world: World) => world.agent('urgent')],
    ['without one', (world: World) => world.stateless('urgent')],
  ])('through tickets that a claim of higher priority would go before, %s', (_, newcomer) => {
    const world = new World();
    const [x, holder, urgent] = [world.agent('x'), world.agent('holder'), newcomer(world)];
    got(world.agent('d').claim(['z.ts']));
    const mine = got(x.claim(['t.ts']));
    const other = got(holder.claim(['u.ts']));
    got(x.claim(['z.ts'], { scope: mine.handle }));
    got(holder.claim(['t.ts'], { scope: other.handle }));
    expect(cycleOf(urgent.claim(['z.ts', 'u.ts'], { priority: 1 }))).toEqual(['S004', other.id, mine.id]);
    expect(got(urgent.claim(['z.ts', 'u.ts'])).status).toBe('waiting');
  });

  test('through one agent that holds in one scope and queues in another', () => {
    const world = new World();
    const [alice, bob] = [world.agent('alice'), world.agent('bob')];
    const a = got(alice.claim(['a.ts']));
    const b = got(bob.claim(['b.ts']));
    const second = got(alice.claim(['b.ts']));
    expect(cycleOf(bob.claim(['a.ts']))).toEqual(['S004', a.id, second.id, b.id]);
    expect(world.state.scopes.size).toBe(3);
  });

  test.each([
    ['takes', (alice: Agent, scope: string) => alice.write(['free.ts'], scope)],
    ['claims', (alice: Agent, scope: string) => alice.claim(['free.ts'], { scope })],
  ])('through the ticket of an agent that %s what is free', (_, get) => {
    const world = new World();
    const [alice, bob, low] = [world.agent('alice'), world.agent('bob'), world.agent('low')];
    const a = got(alice.claim(['a.ts']));
    got(bob.claim(['b.ts'], { priority: -2 }));
    got(world.agent('d').claim(['d.ts']));
    const waiting = got(low.claim(['d.ts', 'free.ts', 'low.ts'], { priority: -1 }));
    got(bob.claim(['low.ts'], { scope: 'S002' }));
    got(alice.claim(['b.ts'], { scope: a.handle }));
    expect(world.status(waiting.id)).toBe('waiting');
    expect(cycleOf(get(alice, a.handle))).toEqual([a.id, 'S002', waiting.id]);
    expect(world.scope(a.id).locks.has('free.ts')).toBe(false);
  });

  test('agents of one name on different connections, or without any, are not one agent', () => {
    const world = new World();
    for (const two of [
      [world.agent('same', 'c1'), world.agent('same', 'c2')] as const,
      [world.stateless('same'), world.stateless('same')] as const,
    ]) {
      const unit = `x${world.state.seq}`;
      const other = world.agent(`other${unit}`);
      got(two[0].claim([unit]));
      got(other.claim([`${unit}-held`]));
      got(two[1].claim([`${unit}-held`]));
      expect(got(other.claim([unit])).status).toBe('waiting');
    }
  });
});

test('promise 4: a process may have a name that every object has', () => {
  const world = new World();
  const [alice, bob] = [world.agent('alice'), world.agent('bob')];
  const mine = got(alice.claim(['process:constructor']));
  const its = got(bob.claim(['b.ts']));
  got(bob.claim(['process:constructor'], { scope: its.handle }));
  expect(codeOf(alice.claim(['b.ts'], { scope: mine.handle }))).toBe('DEADLOCK');
});

describe('promise 4: through consumes', () => {
  test('an agent that only waits for outputs is not stuck: no false alarm', () => {
    const world = new World();
    const [alice, bob] = [world.agent('alice'), world.agent('bob')];
    const a = got(alice.claim(['a.ts']));
    const b = got(bob.claim(['b.ts']));
    got(bob.claim(['c.ts'], { consumes: [a.id] }));
    expect(got(alice.claim(['b.ts'], { scope: a.handle })).behind).toEqual([b.id]);
    got(bob.publish('done', b.handle));
    expect(got(alice.publish())).toEqual(['S003']);
    expect(world.status('S003')).toBe('active');
  });

  test('when the outputs have come and its queueing would close a cycle, its ticket lapses and says why', () => {
    const world = new World();
    const [alice, bob] = [world.agent('alice'), world.agent('bob')];
    const source = got(world.agent('source').claim(['s.ts']));
    const a = got(alice.claim(['a.ts']));
    const b = got(bob.claim(['b.ts']));
    const next = got(alice.claim(['b.ts'], { consumes: [source.id] }));
    got(bob.claim(['a.ts'], { scope: b.handle }));
    expect(got(world.agent('source').publish())).toEqual([]);
    expect(world.scope(next.id)).toMatchObject({
      status: 'cancelled',
      summary: 'Waiting would never end: your claim waits for S003 (bob) waits for S002 (alice) waits for your claim.',
    });
    got(alice.publish('done', a.handle));
    expect([...world.scope(b.id).locks.keys()].sort()).toEqual(['a.ts', 'b.ts']);
  });

  test('outputs that have come give a place at the end of the queue, so that no wait turns around', () => {
    const world = new World();
    const [x, holder, source] = [world.agent('x'), world.agent('holder'), world.agent('source')];
    got(source.claim(['s.ts']));
    got(world.agent('d').claim(['z.ts']));
    const early = got(world.agent('early').claim(['z.ts', 'u.ts'], { consumes: ['S001'] }));
    const mine = got(x.claim(['t.ts']));
    const other = got(holder.claim(['u.ts']));
    got(x.claim(['z.ts'], { scope: mine.handle }));
    got(holder.claim(['t.ts'], { scope: other.handle }));
    expect(got(source.publish())).toEqual([early.id]);
    got(world.agent('d').release());
    expect(world.scope(mine.id).locks.has('z.ts')).toBe(true);
    got(x.publish());
    got(holder.publish());
    expect(world.status(early.id)).toBe('active');
  });
});

describe('the wait graph is told from live tickets and leases only', () => {
  test('a ticket that has lapsed closes no cycle', () => {
    const world = new World({ lease: 3_600_000 });
    const [alice, bob] = [world.agent('alice'), world.agent('bob')];
    const a = got(alice.claim(['a.ts']));
    const b = got(bob.claim(['b.ts']));
    got(alice.claim(['b.ts'], { scope: a.handle }));
    world.pass(60_001);
    expect(got(bob.claim(['a.ts'], { scope: b.handle })).behind).toEqual([a.id]);
  });

  test('many who wait for one another in a row are no cycle, however long the row', () => {
    const world = new World({}, { checked: false });
    const agents = Array.from({ length: 300 }, (_, at) => world.agent(`a${at}`));
    const scopes = agents.map((agent, at) => got(agent.claim([`f${at}`])));
    for (const [at, agent] of agents.slice(1).entries()) {
      got(agent.claim([`f${at}`], { scope: scopes[at + 1]?.handle ?? '' }));
    }
    expect(codeOf(agents[0]?.claim(['f299'], { scope: scopes[0]?.handle ?? '' }))).toBe('DEADLOCK');
  });

  test('a ticket of its agent that has lapsed keeps nobody from finishing, before any sweep has seen it', () => {
    const world = new World({ lease: 3_600_000 });
    const [me, bob] = [world.agent('me'), world.agent('bob')];
    const mine = got(me.claim(['mine.ts']));
    got(me.claim(['extra.ts'], { scope: mine.handle }));
    const other = got(bob.claim(['b.ts']));
    const stale = got(bob.claim(['extra.ts']));
    world.pass(60_001);
    expect(got(me.claim(['b.ts'], { scope: mine.handle })).behind).toEqual([other.id]);
    expect(world.status(stale.id)).toBe('waiting');
  });

  test.each([
    ['the earlier ticket first', ['x.ts', 'y.ts']],
    ['the later ticket first', ['y.ts', 'x.ts']],
  ])('of two ways through one queue that are found, %s, the one that leads back counts', (_, wanted) => {
    const world = new World();
    const [early, middle, late] = ['early', 'middle', 'late'].map((name) => world.agent(name));
    got(world.agent('h').claim(['hot.ts']));
    const mine = got(world.agent('me').claim(['mine.ts']));
    got(early?.claim(['x.ts']) ?? []);
    got(late?.claim(['y.ts']) ?? []);
    for (const agent of [early, middle, late]) got(agent?.claim(['hot.ts']) ?? []);
    got(middle?.claim(['mine.ts']) ?? []);
    expect(cycleOf(world.agent('me').claim(wanted, { scope: mine.handle }))).toContain('S006');
  });

  test('behind a reader stand writers, and behind those other readers', () => {
    const world = new World();
    const [first, last] = [world.agent('first'), world.agent('last')];
    got(world.agent('h').claim(['hot.ts']));
    const mine = got(world.agent('me').claim(['mine.ts']));
    got(last.claim(['x.ts']));
    got(first.claim(['hot.ts'], { mode: 'read' }));
    got(world.agent('writer').claim(['hot.ts']));
    got(last.claim(['hot.ts'], { mode: 'read' }));
    got(first.claim(['mine.ts']));
    const cycle = cycleOf(world.agent('me').claim(['x.ts'], { scope: mine.handle }));
    expect(cycle).toEqual([mine.id, 'S003', 'S006', 'S005', 'S004', 'S007']);
  });

  test('who waits for a place in a process waits for whom it is full of', () => {
    const world = new World({ capacity: new Map([['test', 2]]) });
    const agents = ['a', 'b', 'c', 'd'].map((name) => world.agent(name));
    for (const agent of agents) got(agent.claim(['process:test']));
    const mine = got(world.agent('me').claim(['mine.ts']));
    got(world.agent('other').claim(['mine.ts']));
    got(world.agent('me').claim(['process:test'], { scope: mine.handle }));
    expect(cycleOf(agents[0]?.claim(['mine.ts']))).toEqual(['S007', 'S005', 'S001']);
  });

  test('readers wait for writers only', () => {
    const world = new World();
    got(world.agent('w').claim(['hot.ts']));
    for (const name of ['r1', 'r2']) got(world.agent(name).claim(['hot.ts'], { mode: 'read' }));
    const mine = got(world.agent('me').claim(['mine.ts']));
    got(world.agent('other').claim(['mine.ts']));
    const claimed = world.agent('me').claim(['hot.ts'], { scope: mine.handle });
    expect(got(claimed).behind).toEqual(['S001', 'S002', 'S003']);
  });

  test('of several tickets for the same unit the one that closes the cycle is found, wherever it stands', () => {
    for (const closing of [0, 1, 2]) {
      const world = new World();
      got(world.agent('h').claim(['hot.ts']));
      const mine = got(world.agent('me').claim(['mine.ts']));
      const waiters = [0, 1, 2].map((at) => world.agent(`w${at}`));
      const queued = waiters.map((agent) => got(agent.claim(['hot.ts'])));
      const held = got(waiters[closing]?.claim(['w.ts']) ?? []);
      expect(held).toMatchObject({ status: 'active' });
      got(waiters[closing]?.claim(['mine.ts']) ?? []);
      const cycle = cycleOf(world.agent('me').claim(['hot.ts'], { scope: mine.handle }));
      expect(cycle).toContain(queued[closing]?.id);
    }
  });
});
