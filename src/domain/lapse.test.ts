import { describe, expect, test } from 'vitest';
import { lapsed, lost, ticketKey } from './leases.js';
import { got, refusalOf, World } from './scenario.testsuite.js';
import type { Mode } from './unit.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

describe('promise 3: a ticket that nobody asks after lapses', () => {
  function waiting(): { world: World; id: string; handle: string } {
    const world = new World({ lease: 60 * MINUTE });
    got(world.agent('alice').claim(['a.ts']));
    return { world, ...got(world.agent('bob').claim(['a.ts'])) };
  }

  test('60 s after the last claim call, to the millisecond', () => {
    const { world, id } = waiting();
    world.pass(60 * SECOND);
    world.sweep();
    expect(world.status(id)).toBe('waiting');
    world.pass(1);
    expect(lapsed(world.view(), world.scope(id))).toBe('no claim call for 60 s');
    world.sweep();
    expect(world.scope(id)).toMatchObject({ status: 'cancelled', summary: 'no claim call for 60 s' });
  });

  test('not while a claim call is open or made again', () => {
    const { world, id } = waiting();
    const bob = world.agent('bob');
    for (let minute = 0; minute < 5; minute++) {
      world.pass(MINUTE);
      bob.ask(id);
    }
    world.sweep();
    expect(world.status(id)).toBe('waiting');
  });

  test('one that has lapsed is not renewed by a call that comes too late, and holds nobody back', () => {
    const { world, id, handle } = waiting();
    world.pass(60 * SECOND + 1);
    expect(refusalOf(world.agent('bob').claim([], { scope: handle }))).toMatchObject({
      code: 'UNKNOWN_SCOPE',
      facts: { scope: id, status: 'cancelled' },
    });
  });

  test('an active scope keeps what it holds, and whoever goes on waiting is told what to claim again', () => {
    const world = new World({ lease: 60 * MINUTE });
    const carol = world.agent('carol');
    const { handle } = got(carol.claim(['b.ts', 'c.ts']));
    const dave = world.agent('dave');
    const own = got(dave.claim());
    const lose = (mode: Mode) => {
      got(dave.claim(['b.ts', 'c.ts'], { scope: own.handle, mode }));
      world.pass(60 * SECOND + 1);
      return refusalOf(dave.claim([], { scope: own.handle }));
    };
    const lost = `${own.id} has lost its place in the queue for b.ts, c.ts (no claim call for 60 s).`;
    expect(lose('write')).toMatchObject({ code: 'NOT_CLAIMED', sentence: lost });
    // Further units, claimed by hand or with a patch, do not make it forgotten.
    expect(got(dave.claim(['d.ts'], { scope: own.handle })).status).toBe('active');
    expect(refusalOf(dave.claim([], { scope: own.handle })).facts.units).toEqual(['b.ts', 'c.ts']);
    const refusal = lose('read');
    expect(refusal.sentence).toBe(`${lost} It still holds d.ts.`);
    expect(refusal.next).toContain(`claim_scope {"scope":"${own.handle}","units":["b.ts","c.ts"],"mode":"read"}`);
    got(carol.release(handle));
    got(dave.claim(['b.ts'], { scope: own.handle }));
    expect(refusalOf(dave.claim([], { scope: own.handle })).facts.units).toEqual(['c.ts']);
    got(dave.claim(['c.ts'], { scope: own.handle }));
    expect(got(dave.claim([], { scope: own.handle })).status).toBe('active');
  });

  test('it is passed over before any sweep has seen it', () => {
    const { world, id } = waiting();
    world.pass(60 * SECOND + 1);
    const late = got(world.agent('carol').claim(['a.ts']));
    expect(late.behind).toEqual(['S001']);
    expect(world.status(id)).toBe('cancelled');
    got(world.agent('alice').release());
    expect(world.status(late.id)).toBe('active');
  });

  test('when it is found on the way to the next one, what it held back is granted too', () => {
    const world = new World({ lease: 60 * MINUTE });
    got(world.agent('alice').claim(['a.ts']));
    const wide = got(world.agent('bob').claim(['a.ts', 'b.ts']));
    const behind = got(world.agent('carol').claim(['b.ts']));
    world.pass(60 * SECOND + 1);
    world.agent('carol').ask(behind.id);
    got(world.agent('alice').release());
    expect([world.status(wide.id), world.status(behind.id)]).toEqual(['cancelled', 'active']);
  });

  test('it is passed over also by who is granted something else that it does not wait for', () => {
    const world = new World({ lease: 60 * MINUTE });
    got(world.agent('alice').claim(['a.ts']));
    got(world.agent('holder').claim(['c.ts']));
    const stale = got(world.agent('bob').claim(['b.ts', 'c.ts']));
    const next = got(world.agent('carol').claim(['a.ts', 'b.ts']));
    expect(next.behind).toEqual(['S001', stale.id]);
    world.pass(60 * SECOND + 1);
    world.agent('carol').ask(next.id);
    got(world.agent('alice').release());
    expect(world.status(next.id)).toBe('active');
  });

  test('an open scope that it was for is open again', () => {
    const world = new World();
    const scope = got(world.agent('planner').open(['a.ts']));
    got(world.agent('alice').claim(['a.ts']));
    const bob = world.agent('bob');
    got(bob.claim([], { scope }));
    world.pass(60 * SECOND);
    world.beat([bob]);
    world.pass(1);
    world.sweep();
    expect(world.scope(scope)).toMatchObject({ status: 'open', tenure: 0 });
    expect(world.scope(scope).owner).toBeUndefined();
  });

  test('an active scope keeps what it holds, and those behind its ticket go on', () => {
    const world = new World({ lease: 60 * MINUTE });
    const alice = world.agent('alice');
    const bob = world.agent('bob');
    got(bob.claim(['b.ts']));
    const mine = got(alice.claim(['a.ts']));
    got(alice.claim(['b.ts', 'c.ts'], { scope: mine.handle }));
    const behind = got(world.agent('carol').claim(['c.ts']));
    expect(behind.behind).toEqual([mine.id]);
    world.pass(60 * SECOND + 1);
    world.agent('carol').ask(behind.id);
    world.sweep();
    expect(world.scope(mine.id).ticket).toBeUndefined();
    expect([...world.scope(mine.id).locks.keys()]).toEqual(['a.ts']);
    expect(world.status(behind.id)).toBe('active');
  });

  test('with its connection', () => {
    const world = new World();
    got(world.agent('alice').claim(['a.ts']));
    const waiter = got(world.agent('bob').claim(['a.ts']));
    world.pass(60 * SECOND + 1);
    world.agent('bob').ask(waiter.id);
    expect(lapsed(world.view(), world.scope(waiter.id))).toBe('its connection is gone');
  });

  test('not while it waits for outputs; its minute begins when they have come', () => {
    const world = new World({ lease: 60 * MINUTE });
    const alice = world.agent('alice');
    const source = got(alice.claim(['a.ts']));
    got(world.agent('holder').claim(['b.ts']));
    const user = got(world.agent('bob').claim(['b.ts'], { consumes: [source.id] }));
    world.pass(20 * MINUTE);
    world.sweep();
    expect(world.status(user.id)).toBe('waiting');
    got(alice.publish());
    world.pass(60 * SECOND);
    world.sweep();
    expect(world.status(user.id)).toBe('waiting');
    world.pass(1);
    world.sweep();
    expect(world.status(user.id)).toBe('cancelled');
  });
});

describe('a grant that arrives while the agent is away', () => {
  function grantedWhileAway(): { world: World; id: string; handle: string } {
    const world = new World({ lease: 60 * MINUTE });
    got(world.agent('alice').claim(['a.ts']));
    const waiting = got(world.agent('bob').claim(['a.ts', 'b.ts']));
    world.pass(10 * SECOND);
    got(world.agent('alice').release());
    expect(world.status(waiting.id)).toBe('active');
    return { world, ...waiting };
  }

  test('is held for two minutes, to the millisecond', () => {
    const { world, id } = grantedWhileAway();
    world.pass(2 * MINUTE);
    expect(lost(world.view(), world.scope(id))).toBeUndefined();
    world.pass(1);
    expect(lost(world.view(), world.scope(id))).toBe('its grant was not collected');
    expect(got(world.agent('carol').claim(['a.ts'])).status).toBe('active');
    expect(world.status(id)).toBe('open');
  });

  test('is collected with a claim call', () => {
    const { world, id, handle } = grantedWhileAway();
    world.pass(2 * MINUTE);
    expect(got(world.agent('bob').claim([], { scope: handle })).status).toBe('active');
    world.pass(2 * MINUTE + 1);
    expect(lost(world.view(), world.scope(id))).toBeUndefined();
  });

  test.each([
    ['patch', (world: World, handle: string) => got(world.agent('bob').write(['b.ts'], handle))],
    ['publication of progress', (world: World, handle: string) => got(world.agent('bob').publish('progress', handle))],
  ])('is collected with a %s', (_, use) => {
    const { world, id, handle } = grantedWhileAway();
    use(world, handle);
    world.pass(2 * MINUTE + 1);
    expect(lost(world.view(), world.scope(id))).toBeUndefined();
  });

  test('costs a scope that is in use nothing of what it held before', () => {
    const { world, id, handle } = grantedWhileAway();
    const bob = world.agent('bob');
    got(world.agent('carol').claim(['c.ts']));
    got(bob.claim(['c.ts'], { scope: handle }));
    got(world.agent('carol').release());
    expect([...world.scope(id).locks.keys()].sort()).toEqual(['a.ts', 'b.ts', 'c.ts']);
    world.pass(20 * MINUTE);
    expect(lost(world.view(), world.scope(id))).toBeUndefined();
  });

  test('is nothing that a claim which was granted at once has to fear', () => {
    const world = new World({ lease: 60 * MINUTE });
    const scope = got(world.agent('planner').open(['a.ts']));
    const taken = got(world.agent('bob').claim([], { scope }));
    // A former claim's signs of life may still be on record.
    world.agent('bob').ask(taken.id);
    world.pass(2 * MINUTE + 1);
    expect(lost(world.view(), world.scope(taken.id))).toBeUndefined();
  });
});

describe('sweep', () => {
  test('makes all that has come due events, and leaves the rest', () => {
    const world = new World();
    const alice = world.agent('alice');
    const gone = got(world.agent('gone').claim(['a.ts']));
    const stays = got(alice.claim(['b.ts']));
    const waiting = got(alice.claim(['a.ts']));
    world.pass(60 * SECOND);
    world.beat([alice], [waiting.id]);
    world.pass(1);
    world.sweep();
    expect(world.status(gone.id)).toBe('open');
    expect(world.status(stays.id)).toBe('active');
    expect(world.status(waiting.id)).toBe('active');
    const events = world.events.length;
    world.sweep();
    expect(world.events.length).toBe(events);
  });

  test('an active scope that is lost goes with its ticket', () => {
    const world = new World();
    const bob = world.agent('bob');
    got(bob.claim(['b.ts']));
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    got(alice.claim(['b.ts'], { scope: mine.handle }));
    world.pass(60 * SECOND);
    world.beat([bob]);
    world.pass(1);
    got(bob.release());
    expect(world.scope(mine.id)).toMatchObject({ status: 'open' });
    expect(world.state.queue.size).toBe(0);
    expect(world.state.locks.size).toBe(0);
  });
});

test.each([
  ['is open again', 3],
  ['fails for good', 0],
])('promise 3: a holder that %s in the round that grants its units takes its own ticket with it', (_, maxAttempts) => {
  const world = new World({ maxAttempts });
  const lost = world.agent('lost');
  const { handle } = got(lost.claim(['a.ts']));
  const other = got(world.agent('other').claim(['b.ts']));
  const next = got(world.agent('next').claim(['a.ts', 'b.ts']));
  got(lost.claim(['b.ts'], { scope: handle }));
  world.pass(60_000);
  world.seen(ticketKey(next.id));
  for (const name of ['other', 'next']) world.seen(`c-${name}`);
  world.pass(1);
  got(world.agent('other').release(other.id));
  expect(world.status(next.id)).toBe('active');
});
