import { describe, expect, test } from 'vitest';
import { publish, releaseByOperator } from './end.js';
import { codeOf, got, refusalOf, World } from './scenario.testsuite.js';

describe('consumes: a claim that needs outputs waits for them', () => {
  test('it waits although its units are free, holds nothing and holds nobody back', () => {
    const world = new World();
    const source = got(world.agent('alice').claim(['a.ts']));
    const user = got(world.agent('bob').claim(['b.ts'], { consumes: [source.id] }));
    expect(user).toMatchObject({ status: 'waiting', behind: [] });
    expect(world.scope(user.id).pending).toEqual([source.id]);
    expect(got(world.agent('carol').claim(['b.ts'])).status).toBe('active');
  });

  test('it is unblocked when all have been published as done, and told so to who publishes last', () => {
    const world = new World();
    const [alice, bob] = [world.agent('alice'), world.agent('bob')];
    const one = got(alice.claim(['1.ts']));
    const two = got(bob.claim(['2.ts']));
    const user = got(world.agent('carol').claim(['3.ts'], { consumes: [one.handle, two.id, one.id] }));
    const later = got(world.agent('planner').open(['4.ts'], { consumes: [two.id] }));
    expect(world.scope(user.id).contract.consumes).toEqual([one.id, two.id]);
    expect(got(alice.publish())).toEqual([]);
    expect(world.scope(user.id).pending).toEqual([two.id]);
    expect(got(bob.publish('progress'))).toEqual([]);
    expect(world.status(user.id)).toBe('waiting');
    expect([...got(bob.publish())].sort()).toEqual([user.id, later]);
    expect(world.status(user.id)).toBe('active');
    expect(world.status(later)).toBe('open');
  });

  test('outputs that are there already are not waited for', () => {
    const world = new World();
    const alice = world.agent('alice');
    const source = got(alice.claim(['a.ts']));
    got(alice.publish());
    expect(got(world.agent('bob').claim(['a.ts'], { consumes: [source.id] })).status).toBe('active');
  });

  test('with the outputs it queues at the end, in the order of its kind; nobody who waited before is passed', () => {
    const world = new World();
    const alice = world.agent('alice');
    got(alice.claim(['a.ts', 'b.ts']));
    const users = ['u1', 'u2'].map((name) => got(world.agent(name).claim(['b.ts'], { consumes: ['S001'] })));
    const other = got(world.agent('other').claim(['b.ts']));
    got(alice.publish());
    expect(world.status(other.id)).toBe('active');
    got(world.agent('other').publish());
    expect(users.map(({ id }) => world.status(id))).toEqual(['active', 'waiting']);
  });

  test('of several that are unblocked together the one that was claimed first comes first', () => {
    const world = new World();
    const alice = world.agent('alice');
    got(alice.claim(['a.ts']));
    const planner = world.agent('planner');
    const works = [1, 2].map(() => got(planner.open(['b.ts'], { consumes: ['S001'] })));
    const [second, first] = works.map((scope, at) => ({ scope, agent: world.agent(`u${at}`) }));
    for (const claimed of [first, second]) got(claimed?.agent.claim([], { scope: claimed.scope }) ?? []);
    got(alice.publish());
    expect(works.map((id) => world.status(id))).toEqual(['waiting', 'active']);
  });

  test('one that asks for no units is active as soon as the outputs are there, unless its agent is gone', () => {
    const world = new World();
    const [alice, bob] = [world.agent('alice'), world.agent('bob')];
    got(alice.claim(['a.ts']));
    const stays = got(bob.claim([], { consumes: ['S001'] }));
    const goes = got(world.agent('carol').claim([], { consumes: ['S001'] }));
    world.pass(60_000);
    world.beat([alice, bob]);
    world.pass(1);
    expect(got(alice.publish())).toEqual([stays.id]);
    expect([world.status(stays.id), world.status(goes.id)]).toEqual(['active', 'cancelled']);
  });

  test('where there is no connection, outputs that come do not renew a lease that has run out', () => {
    const world = new World({ lease: 3_600_000 });
    const alice = world.agent('alice');
    got(alice.claim(['a.ts']));
    const user = got(world.stateless('http').claim(['b.ts'], { consumes: ['S001'] }));
    world.pass(600_001);
    got(alice.publish());
    expect(world.scope(user.id)).toMatchObject({ status: 'cancelled', summary: 'no call for 10 minutes' });
  });

  test('unknown scopes are refused', () => {
    const world = new World();
    expect(codeOf(world.agent('bob').claim(['b.ts'], { consumes: ['S007'] }))).toBe('UNKNOWN_SCOPE');
    expect(codeOf(world.agent('bob').claim(['b.ts'], { consumes: ['src/a.ts'] }))).toBe('UNKNOWN_SCOPE');
  });
});

describe('consumes: outputs that will not come', () => {
  test.each([['failed' as const], ['released' as const]])('of a %s scope can not be asked for', (how) => {
    const world = new World();
    const alice = world.agent('alice');
    const source = got(alice.claim(['a.ts']));
    got<unknown>(how === 'failed' ? alice.publish('failed') : alice.release());
    const status = how === 'failed' ? 'failed' : 'cancelled';
    expect(refusalOf(world.agent('bob').claim(['b.ts'], { consumes: [source.id] }))).toMatchObject({
      code: 'BLOCKED',
      facts: { scope: source.id, status },
    });
  });

  test('whoever consumes a failed scope is told, and goes on waiting', () => {
    const world = new World({ maxAttempts: 0 });
    const alice = world.agent('alice');
    const source = got(alice.claim(['a.ts']));
    const user = got(world.agent('bob').claim(['b.ts'], { consumes: [source.id] }));
    const open = got(world.agent('planner').open(['c.ts'], { consumes: [source.id] }));
    expect(got(alice.publish('failed'))).toEqual([]);
    expect(world.status(source.id)).toBe('failed');
    for (const [id, status] of [[user.id, 'waiting'] as const, [open, 'open'] as const]) {
      expect(world.scope(id)).toMatchObject({ status, pending: [source.id] });
      expect(world.scope(id).notes.map(({ from, text }) => [from, text])).toEqual([
        [source.id, 'S001 will not give its outputs: it failed (as asked)'],
      ]);
    }
  });

  test('work that others asked for may be tried again, but not for ever', () => {
    const world = new World({ maxAttempts: 2 });
    const id = got(world.agent('planner').open(['a.ts']));
    const user = got(world.agent('bob').claim(['b.ts'], { consumes: [id] }));
    for (const name of ['u1', 'u2']) {
      const agent = world.agent(name);
      got(agent.claim([], { scope: id }));
      got(agent.publish('failed'));
      expect(world.scope(id)).toMatchObject({ status: 'open', handover: { from: name, note: 'as asked' } });
    }
    const last = world.agent('u3');
    got(last.claim([], { scope: id }));
    got(last.publish('failed'));
    expect(world.scope(id)).toMatchObject({ status: 'failed', attempts: 3 });
    expect(world.scope(user.id).notes).toHaveLength(1);
  });

  test('what an agent declared for itself and nobody waits for has failed at once', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { id } = got(alice.claim(['a.ts']));
    got(alice.publish('failed'));
    expect(world.status(id)).toBe('failed');
  });

  test('a scope that is lost again and again fails for good, and frees its units', () => {
    const world = new World({ maxAttempts: 1 });
    const id = got(world.agent('planner').open(['a.ts']));
    const user = got(world.agent('bob').open(['b.ts'], { consumes: [id] }));
    for (const name of ['u1', 'u2']) {
      got(world.agent(name).claim([], { scope: id }));
      world.pass(60_001);
      world.sweep();
    }
    expect(world.scope(id)).toMatchObject({ status: 'failed', attempts: 2 });
    expect(world.scope(id).summary).toContain('2 attempts');
    expect(world.scope(user).notes).toHaveLength(1);
    expect(world.state.locks.size).toBe(0);
  });

  test('a scope whose outputs others wait for is work that is left: given up, it is open for anybody', () => {
    const world = new World();
    const [alice, bob] = [world.agent('alice'), world.agent('bob')];
    const source = got(alice.claim(['a.ts']));
    const user = got(bob.claim(['b.ts'], { consumes: [source.id] }));
    expect(got(alice.release(undefined, true)).status).toBe('open');
    expect(world.status(user.id)).toBe('waiting');
    got(alice.claim([], { scope: source.id }));
    got(alice.publish());
    expect(world.status(user.id)).toBe('active');
  });

  test('likewise when its ticket lapses', () => {
    const world = new World({ lease: 3_600_000 });
    got(world.agent('alice').claim(['a.ts']));
    const source = got(world.agent('bob').claim(['a.ts']));
    const user = got(world.agent('carol').claim(['c.ts'], { consumes: [source.id] }));
    world.pass(60_001);
    world.sweep();
    expect([world.status(source.id), world.status(user.id)]).toEqual(['open', 'waiting']);
  });

  test('a scope that is lost and open again is still waited for', () => {
    const world = new World();
    const source = got(world.agent('alice').claim(['a.ts']));
    const bob = world.agent('bob');
    const user = got(bob.claim(['b.ts'], { consumes: [source.id] }));
    world.pass(60_000);
    world.beat([bob]);
    world.pass(1);
    world.sweep();
    expect([world.status(source.id), world.status(user.id)]).toEqual(['open', 'waiting']);
    got(bob.claim([], { scope: source.id }));
    got(bob.publish());
    expect(world.status(user.id)).toBe('active');
  });
});

describe('release', () => {
  test('a mere claim that changed nothing is no more', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    expect(got(alice.release())).toMatchObject({ id: mine.id, status: 'cancelled' });
    expect(world.scope(mine.id).summary).toBe('not needed');
    expect(got(world.agent('bob').claim(['a.ts'])).status).toBe('active');
  });

  test('changes are handed over: the scope is open for anybody', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    got(alice.write(['a.ts']));
    expect(got(alice.release()).status).toBe('open');
    expect(world.scope(mine.id)).toMatchObject({
      status: 'open',
      changes: 1,
      handover: { from: 'alice', note: 'not needed', until: world.state.seq },
    });
  });

  test('what took its changes back is no more; work that stands for anybody always stays', () => {
    const world = new World();
    const alice = world.agent('alice');
    got(alice.claim(['a.ts']));
    got(alice.write(['a.ts']));
    expect(got(alice.release(undefined, true)).status).toBe('cancelled');
    const work = got(world.agent('planner').open(['b.ts']));
    got(alice.claim([], { scope: work }));
    expect(got(alice.release(undefined, true)).status).toBe('open');
  });

  test('a waiting scope is released by its handle, and lets those behind it through', () => {
    const world = new World();
    got(world.agent('alice').claim(['a.ts']));
    const wide = got(world.agent('bob').claim(['a.ts', 'b.ts']));
    const behind = got(world.agent('carol').claim(['b.ts']));
    expect(codeOf(world.agent('bob').release())).toBe('NOT_CLAIMED');
    got(world.agent('bob').release(wide.handle));
    expect(world.status(behind.id)).toBe('active');
  });

  test('promise 2: a wrong or former handle changes nothing', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    expect(codeOf(world.agent('bob').release(`${mine.id}-aaaaaa`))).toBe('LEASE_LOST');
    expect(codeOf(world.agent('bob').release(mine.id))).toBe('NOT_YOURS');
    expect(codeOf(alice.release('nonsense'))).toBe('UNKNOWN_SCOPE');
    expect(codeOf(alice.release('S777'))).toBe('UNKNOWN_SCOPE');
    expect(world.status(mine.id)).toBe('active');
    got(alice.release());
    expect(codeOf(alice.release(mine.handle))).toBe('UNKNOWN_SCOPE');
  });

  test("an open scope is nobody's to give up", () => {
    const world = new World();
    const work = got(world.agent('planner').open(['a.ts']));
    expect(codeOf(world.agent('alice').release(work))).toBe('NOT_CLAIMED');
    expect(codeOf(world.agent('alice').release(`${work}-aaaaaa`))).toBe('LEASE_LOST');
  });
});

describe('publish', () => {
  test('progress keeps locks and owner', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    expect(got(alice.publish('progress'))).toEqual([]);
    expect(world.scope(mine.id)).toMatchObject({ status: 'active', summary: 'as asked', published: world.state.seq });
    expect(alice.handle(mine.id)).toBe(mine.handle);
  });

  test.each([['done' as const], ['failed' as const]])('%s frees the locks for the next in the queue', (status) => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    const next = got(world.agent('bob').claim(['a.ts']));
    got(alice.publish(status));
    expect(world.scope(mine.id)).toMatchObject({ status, summary: 'as asked', tenure: 0 });
    expect(world.scope(mine.id).locks.size).toBe(0);
    expect(world.status(next.id)).toBe('active');
  });

  test('commit and artifacts stand with the scope, those of progress before those of the end', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    const artifact = (number: number) => ({ id: `A00${number}`, type: 'file', path: 'a.ts', hash: `h${number}` });
    for (const [number, status] of [[1, 'progress'] as const, [2, 'done'] as const]) {
      const publication = { scope: mine.id, status, summary: 's', artifacts: [artifact(number)], commit: `c${number}` };
      world.act(alice.owner, (draft) => publish(draft, world.scope(mine.id), publication));
    }
    expect(world.scope(mine.id)).toMatchObject({ commit: 'c2', artifacts: [artifact(1), artifact(2)] });
    expect(world.state.artifactCount).toBe(2);
  });
});

describe('an operator', () => {
  const OPERATOR = { agent: 'pat', connection: 'operator' };

  test('takes a scope away from whoever has it; its handle is worthless then', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    got(alice.write(['a.ts']));
    const next = got(world.agent('bob').claim(['a.ts']));
    const taken = got(world.act(OPERATOR, (draft) => releaseByOperator(draft, mine.id, 'pat', 'stuck')));
    expect(taken).toMatchObject({ id: mine.id, status: 'open' });
    expect(world.scope(mine.id).handover).toMatchObject({ from: 'alice', note: 'stuck (by pat)' });
    expect(world.status(next.id)).toBe('active');
    expect(codeOf(alice.write(['a.ts'], mine.handle))).toBe('LEASE_LOST');
  });

  test('is refused where there is nothing to take', () => {
    const world = new World();
    const work = got(world.agent('planner').open(['a.ts']));
    const alice = world.agent('alice');
    const ended = got(alice.claim(['b.ts']));
    got(alice.publish());
    const code = (given: string) => codeOf(world.act(OPERATOR, (draft) => releaseByOperator(draft, given, 'pat', 'x')));
    expect([work, ended.id, 'S999', 'nonsense'].map(code)).toEqual([
      'NOT_CLAIMED',
      'UNKNOWN_SCOPE',
      'UNKNOWN_SCOPE',
      'UNKNOWN_SCOPE',
    ]);
  });
});
