import { describe, expect, test } from 'vitest';
import { type Amendment, amend } from './amend.js';
import { reopen } from './operate.js';
import { codeOf, got, refusalOf, World } from './scenario.testsuite.js';

const change = (world: World, id: string, amendment: Amendment) =>
  world.operate((draft) => amend(draft, id, amendment, 'ops'));

describe('amend: people change what a scope is about', () => {
  test('words, phase, priority and units of open work', () => {
    const world = new World();
    const planner = world.agent('planner');
    const [first, second] = [got(planner.open(['a.ts'])), got(planner.open(['b.ts']))];
    got(change(world, second, { priority: 5, title: 'Urgent', units: ['c.ts'], checks: ['npm test'] }));
    expect(world.scope(second).contract).toMatchObject({ title: 'Urgent', units: ['c.ts'], checks: ['npm test'] });
    expect(['u', 'v'].map((name) => got(world.agent(name).next()))).toEqual([second, first]);
  });

  test('a new priority moves a ticket, and grants what becomes possible', () => {
    const world = new World();
    got(world.agent('holder').claim(['a.ts']));
    const first = got(world.agent('u').claim(['a.ts']));
    const second = got(world.agent('v').claim(['a.ts']));
    expect(second.behind).toContain(first.id);
    got(change(world, second.id, { priority: 1 }));
    got(world.agent('holder').release());
    expect([world.status(first.id), world.status(second.id)]).toEqual(['waiting', 'active']);
  });

  test('a priority that would close a cycle is refused', () => {
    const world = new World();
    const [p, q] = [world.agent('p'), world.agent('q')];
    const holder = got(p.claim(['x']));
    got(world.agent('h').claim(['z']));
    const other = got(q.claim(['k']));
    got(p.claim(['z'], { scope: holder.handle }));
    got(q.claim(['x'], { scope: other.handle }));
    const { id } = got(world.agent('r').claim(['z', 'k']));
    const refusal = refusalOf(change(world, id, { priority: 1 }));
    expect(refusal).toMatchObject({ code: 'DEADLOCK', facts: { cycle: [id, other.id, holder.id] } });
    expect(world.scope(id).contract.priority).toBe(0);
  });

  test('the units of a scope at work stay its own', () => {
    const world = new World();
    const { id } = got(world.agent('u').claim(['a.ts']));
    expect(refusalOf(change(world, id, { units: ['b.ts'] }))).toMatchObject({
      code: 'BLOCKED',
      facts: { argument: 'units' },
    });
  });

  test('inputs are added before the work begins, and a circle of them is refused and named', () => {
    const world = new World();
    const planner = world.agent('planner');
    const [a, b, c] = ['a', 'b', 'c'].map((name) => got(planner.open([name]))) as [string, string, string];
    got(change(world, b, { consumes: [a] }));
    got(change(world, c, { consumes: [b] }));
    expect(world.scope(c).pending).toEqual([b]);
    expect(refusalOf(change(world, a, { consumes: [c] }))).toMatchObject({
      code: 'DEADLOCK',
      facts: { cycle: [a, c, b] },
    });
    expect(codeOf(change(world, a, { consumes: [a] }))).toBe('DEADLOCK');
    expect(refusalOf(change(world, b, { consumes: [a, 'S099'] }))).toMatchObject({
      code: 'UNKNOWN_SCOPE',
      facts: { argument: 'consumes[1]' },
    });
    got(change(world, c, { consumes: [a, b] }));
    expect(world.scope(c).pending).toEqual([a, b]);
    got(change(world, c, { consumes: [b] }));
    got(world.agent('u').next());
    expect(refusalOf(change(world, a, { consumes: [c] }))).toMatchObject({ code: 'BLOCKED' });
  });

  test('what has ended or does not exist can not be amended', () => {
    const world = new World();
    const agent = world.agent('u');
    const { id } = got(agent.claim(['a.ts']));
    got(agent.publish());
    expect([codeOf(change(world, id, {})), codeOf(change(world, 'S099', {}))]).toEqual([
      'UNKNOWN_SCOPE',
      'UNKNOWN_SCOPE',
    ]);
    const open = got(agent.open(['b.ts']));
    expect(codeOf(change(world, open, { title: 'x'.repeat(201) }))).toBe('LIMIT');
  });

  test('a ticket that lapsed long ago goes, and is no error', () => {
    const world = new World();
    got(world.agent('a').claim(['a.ts']));
    const { id } = got(world.agent('b').claim(['a.ts']));
    world.pass(60_000);
    world.beat([world.agent('a'), world.agent('b')]);
    world.pass(1);
    expect(got(change(world, id, { priority: 3 })).status).toBe('cancelled');
  });

  test('a further input beside one that has failed', () => {
    const world = new World({ maxAttempts: 0 });
    const alice = world.agent('alice');
    const source = got(alice.claim(['a.ts'])).id;
    const planner = world.agent('planner');
    const user = got(planner.open(['b.ts'], { consumes: [source] }));
    got(alice.publish('failed'));
    const other = got(planner.open(['c.ts'], { consumes: [user] }));
    const last = got(planner.open(['d.ts']));
    got(change(world, other, { consumes: [user, last] }));
    expect(world.scope(other).pending).toEqual([user, last]);
    expect(codeOf(change(world, last, { consumes: [source] }))).toBe('BLOCKED');
  });

  test('a scope that waited for an input only is granted when that is taken out', () => {
    const world = new World();
    const source = got(world.agent('a').claim(['a.ts'])).id;
    const user = got(world.agent('b').claim(['b.ts'], { consumes: [source] }));
    got(change(world, user.id, { consumes: [] }));
    expect(world.status(user.id)).toBe('active');
    const unitless = got(world.agent('c').claim([], { consumes: [source] }));
    got(change(world, unitless.id, { consumes: [] }));
    expect(world.status(unitless.id)).toBe('active');
  });
});

describe('an input that has failed', () => {
  function failedInput() {
    const world = new World({ maxAttempts: 0 });
    const alice = world.agent('alice');
    const [failed, alive] = [got(alice.claim(['a.ts'])).id, got(world.agent('eve').claim(['e.ts'])).id];
    const bob = world.agent('bob');
    const user = got(bob.claim(['b.ts'], { consumes: [failed, alive] }));
    got(alice.publish('failed', alice.handle(failed)));
    return { world, bob, failed, alive, user: user.id, handle: user.handle };
  }

  test('is gone on without, by its owner', () => {
    const { world, bob, alive, user, handle } = failedInput();
    expect(got(bob.without(handle, [alive]))).toMatchObject({ status: 'waiting', pending: [alive] });
    got(world.agent('eve').publish());
    expect(world.status(user)).toBe('active');
  });

  test('is all that can be left out: not what still comes, nor is anything added', () => {
    const { world, bob, alive, failed, handle } = failedInput();
    expect(refusalOf(bob.without(handle, []))).toMatchObject({ code: 'BLOCKED', facts: { blocked_on: [alive] } });
    expect(codeOf(bob.without(handle, [alive, 'S099']))).toBe('INVALID');
    const other = got(world.agent('z').open(['z.ts']));
    expect(refusalOf(bob.without(handle, [failed, alive, other]))).toMatchObject({
      code: 'INVALID',
      facts: { argument: 'consumes' },
    });
  });

  test('is given up with', () => {
    const { world, bob, user, handle } = failedInput();
    got(bob.release(handle));
    expect(world.status(user)).toBe('cancelled');
  });

  test('comes after all where it is opened again and done', () => {
    const { world, failed, alive, user } = failedInput();
    got(world.operate((draft) => reopen(draft, failed, 'ops', 'the server is back')));
    const carol = world.agent('carol');
    expect(got(carol.next())).toBe(failed);
    expect(world.scope(failed)).toMatchObject({ attempts: 0, handover: { from: 'ops', note: 'the server is back' } });
    got(carol.publish());
    expect(world.scope(user).pending).toEqual([alive]);
  });
});
