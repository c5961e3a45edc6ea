import { describe, expect, test } from 'vitest';
import { blockers } from './blockers.js';
import { gone, lapsed, lost } from './leases.js';
import { codeOf, got, refusalOf, World } from './scenario.testsuite.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

describe('promise 7: a lease stands to the millisecond, and expiry is computed on read', () => {
  test.each([['60 s without a beat', 60 * SECOND, 'its connection is gone']])('%s', (_, limit, reason) => {
    const world = new World();
    const { id } = got(world.agent('alice').claim(['a.ts']));
    const events = world.events.length;
    world.pass(limit);
    expect(lost(world.view(), world.scope(id))).toBeUndefined();
    world.pass(1);
    expect(lost(world.view(), world.scope(id))).toBe(reason);
    expect(world.events.length).toBe(events);
  });

  test('60 s after the connection said that it ended, not after its last beat', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { id } = got(alice.claim(['a.ts']));
    world.pass(9 * SECOND);
    alice.leave();
    world.pass(60 * SECOND);
    expect(lost(world.view(), world.scope(id))).toBeUndefined();
    world.pass(1);
    expect(lost(world.view(), world.scope(id))).toBe('its connection ended');
  });

  test('30 min without a call, although the connection beats; thinking for less costs nothing', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { id } = got(alice.claim(['a.ts']));
    const start = world.now;
    while (world.now < start + 30 * MINUTE) {
      world.pass(10 * SECOND);
      world.beat([alice]);
    }
    expect(lost(world.view(), world.scope(id))).toBeUndefined();
    world.pass(1);
    expect(lost(world.view(), world.scope(id))).toBe('no call for 30 minutes');
  });

  test('10 min without a use of the scope, where there is no connection; each scope for itself', () => {
    const world = new World();
    const http = world.stateless('http');
    const used = got(http.claim(['a.ts']));
    const unused = got(http.claim(['b.ts']));
    world.pass(1);
    got(http.write(['a.ts'], used.handle));
    world.pass(10 * MINUTE - 1);
    expect(lost(world.view(), world.scope(unused.id))).toBeUndefined();
    world.pass(1);
    expect(lost(world.view(), world.scope(unused.id))).toBe('no call for 10 minutes');
    expect(lost(world.view(), world.scope(used.id))).toBeUndefined();
  });

  test('a scope that nobody owns has no lease, and a connection that was never seen is gone', () => {
    const world = new World();
    const id = got(world.agent('alice').open(['a.ts']));
    expect(lost(world.view(), world.scope(id))).toBeUndefined();
    expect(lapsed(world.view(), world.scope(id))).toBeUndefined();
    expect(gone(world.view(), 'c-never')).toBe('its connection is gone');
  });
});

describe('promise 7: what is lost goes to who claims it next', () => {
  test('a look without a write sees it free, to the millisecond', () => {
    const world = new World();
    got(world.agent('alice').claim(['a.ts']));
    const id = got(world.agent('bob').open(['a.ts']));
    const ticket = { units: ['a.ts'], mode: 'write', arrival: 99, since: world.now, priority: 0 } as const;
    const ahead = () => blockers(world.view(), { scope: id, units: ['a.ts'], mode: 'write', ticket });
    world.pass(60 * SECOND);
    expect(ahead().length).toBe(1);
    world.pass(1);
    expect(ahead()).toEqual([]);
  });

  test('at 60 s it is still held; at 60 s and 1 ms it is taken over, and the takeover is an event first', () => {
    const world = new World();
    const { id } = got(world.agent('alice').claim(['a.ts']));
    world.pass(60 * SECOND);
    expect(codeOf(world.agent('bob').write(['a.ts']))).toBe('HELD');
    world.pass(1);
    got(world.agent('bob').write(['a.ts']));
    const types = world.events.map(({ body }) => body.type);
    expect(types.indexOf('scope.expired')).toBeLessThan(types.lastIndexOf('scope.granted'));
    expect(world.scope(id)).toMatchObject({
      status: 'open',
      attempts: 1,
      handover: { from: 'alice', note: 'its connection is gone' },
    });
  });

  test('to the first in the queue, not to the newcomer whose claim finds it lost', () => {
    const world = new World();
    got(world.agent('alice').claim(['a.ts']));
    const first = got(world.agent('bob').claim(['a.ts']));
    world.pass(60 * SECOND);
    world.beat([world.agent('bob')], [first.id]);
    world.pass(1);
    const late = got(world.agent('carol').claim(['a.ts']));
    expect(world.status(first.id)).toBe('active');
    expect(late).toMatchObject({ status: 'waiting', behind: [first.id] });
  });

  test('a ticket is not granted over a lost lock before that is expired, also where another unit was freed', () => {
    const world = new World();
    got(world.agent('lost').claim(['b.ts']));
    const bob = world.agent('bob');
    const carol = world.agent('carol');
    got(carol.claim(['a.ts']));
    const waiting = got(bob.claim(['a.ts', 'b.ts']));
    world.pass(60 * SECOND);
    world.beat([bob, carol], [waiting.id]);
    world.pass(1);
    got(carol.release());
    expect(world.status(waiting.id)).toBe('active');
    expect(world.status('S001')).toBe('open');
  });
});

describe('promise 7: what has expired is never renewed', () => {
  test('a call that comes too late finds its scope gone', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { id, handle } = got(alice.claim(['a.ts']));
    got(alice.write(['a.ts'], handle));
    world.pass(60 * SECOND + 1);
    expect(refusalOf(alice.write(['a.ts'], handle))).toMatchObject({
      code: 'LEASE_LOST',
      facts: { scope: id, reason: 'its connection is gone' },
    });
    expect(world.status(id)).toBe('open');
  });

  test('a beat that comes too late does not help either', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { id } = got(alice.claim(['a.ts']));
    world.pass(60 * SECOND + 1);
    world.beat([alice]);
    expect(world.status(id)).toBe('open');
  });

  test('a call in time renews all that the connection owns', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { id } = got(alice.claim(['a.ts']));
    world.pass(60 * SECOND);
    got(alice.claim(['b.ts']));
    world.pass(60 * SECOND);
    expect(lost(world.view(), world.scope(id))).toBeUndefined();
  });

  test('a connection that ended and came back within its lease goes on', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { id, handle } = got(alice.claim(['a.ts']));
    alice.leave();
    world.pass(60 * SECOND);
    got(alice.write(['a.ts'], handle));
    world.pass(60 * SECOND);
    expect(lost(world.view(), world.scope(id))).toBeUndefined();
  });

  test('without a connection: a scope that was not used for too long is lost to its own handle', () => {
    const world = new World();
    const http = world.stateless('http');
    const { handle } = got(http.claim(['a.ts']));
    got(http.write(['a.ts'], handle));
    world.pass(10 * MINUTE + 1);
    expect(codeOf(http.write(['a.ts'], handle))).toBe('LEASE_LOST');
  });
});

describe('promise 2: generations and handles', () => {
  test('every grant has a new generation, also after releases and for the same unit again', () => {
    const world = new World();
    const alice = world.agent('alice');
    for (let round = 0; round < 3; round++) got(alice.release(got(alice.claim(['a.ts'])).handle));
    const generations = world.told('scope.granted').map(({ generation }) => generation);
    expect(generations).toEqual([1, 2, 3]);
  });

  test('an old handle is worthless after a new tenure, also for the same agent', () => {
    const world = new World();
    const alice = world.agent('alice');
    const id = got(world.agent('planner').open(['a.ts']));
    const former = got(alice.claim([], { scope: id }));
    got(alice.release(former.handle));
    expect(codeOf(alice.write(['a.ts'], former.handle))).toBe('LEASE_LOST');
    const present = got(alice.claim([], { scope: id }));
    expect(present.handle).not.toBe(former.handle);
    expect(refusalOf(alice.write(['a.ts'], former.handle))).toMatchObject({
      code: 'LEASE_LOST',
      facts: { scope: id, agent: 'alice' },
    });
    got(alice.write(['a.ts'], present.handle));
  });

  test('a handle stays the same from the ticket to the grant, and over further claims', () => {
    const world = new World();
    got(world.agent('bob').claim(['a.ts']));
    const alice = world.agent('alice');
    const waiting = got(alice.claim(['a.ts']));
    got(world.agent('bob').release());
    got(alice.claim(['b.ts'], { scope: waiting.handle }));
    expect(alice.handle(waiting.id)).toBe(waiting.handle);
  });
});
