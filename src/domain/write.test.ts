import { describe, expect, test } from 'vitest';
import { Agent, codeOf, got, refusalOf, World } from './scenario.testsuite.js';

describe('promise 1: a write needs a unit that covers the path', () => {
  test.each([
    ['the file', 'src/a.ts', 'src/a.ts'],
    ['its folder', 'src/', 'src/deep/a.ts'],
    ['a glob', 'src/**/*.sql', 'src/db/up.sql'],
    ['a name that looks like a glob', 'app/[slug]/page.tsx', 'app/[slug]/page.tsx'],
  ])('%s', (_, unit, path) => {
    const world = new World({ claims: 'explicit' });
    const alice = world.agent('alice');
    const mine = got(alice.claim([unit]));
    expect(got(alice.write([path], mine.handle))).toMatchObject({ scope: { id: mine.id }, claimed: [] });
  });

  test.each([
    ['a lock that only overlaps', 'app/s/page.tsx', 'app/[slug]/page.tsx'],
    ['a lock for reading', 'a.ts', 'a.ts'],
    ['a lock beside it', 'src/b.ts', 'src/a.ts'],
  ])('%s is not enough', (reason, unit, path) => {
    const world = new World({ claims: 'explicit' });
    const alice = world.agent('alice');
    const mine = got(alice.claim([unit], { mode: reason.endsWith('reading') ? 'read' : 'write' }));
    expect(refusalOf(alice.write([path], mine.handle))).toMatchObject({
      code: 'NOT_CLAIMED',
      next: `Call claim_scope {"scope":"${mine.handle}","units":["${path}"]} first.`,
    });
  });

  test('case counts unless the disk folds it', () => {
    for (const folds of [true, false]) {
      const world = new World({ claims: 'explicit', folds });
      const alice = world.agent('alice');
      const mine = got(alice.claim(['src/A.ts']));
      const answer = alice.write(['src/a.ts'], mine.handle);
      if (folds) got(answer);
      else expect(codeOf(answer)).toBe('NOT_CLAIMED');
    }
  });

  test('a path that is no path, or that reads as a process, is refused', () => {
    const alice = new World().agent('alice');
    expect(codeOf(alice.write(['../a.ts']))).toBe('OUTSIDE');
    expect(codeOf(alice.write(['process:build']))).toBe('INVALID');
  });
});

describe('implicit claims', () => {
  test('what is free is claimed with the write, for a new scope', () => {
    const world = new World();
    const allowed = got(world.agent('alice').write(['a.ts', 'b.ts', 'a.ts']));
    expect(allowed.claimed).toEqual(['a.ts', 'b.ts']);
    expect(allowed.scope).toMatchObject({ status: 'active', owner: { agent: 'alice' } });
    expect(world.scope(allowed.scope.id).contract).toMatchObject({ standing: false, units: ['a.ts', 'b.ts'] });
  });

  test('and then for the only active scope of the caller', () => {
    const world = new World();
    const alice = world.agent('alice');
    const first = got(alice.write(['a.ts']));
    const second = got(alice.write(['b.ts', 'a.ts']));
    expect(second).toMatchObject({ scope: { id: first.scope.id }, claimed: ['b.ts'] });
    expect(got(alice.write(['b.ts'])).claimed).toEqual([]);
  });

  test('what others hold is refused; the refusal names them all and the call that waits', () => {
    const world = new World();
    const a = got(world.agent('alice').claim(['src/a.ts'], { title: 'Fix a' }));
    got(world.agent('bob').claim(['src/b.ts'], { title: 'Fix b' }));
    expect(refusalOf(world.agent('carol').write(['src/a.ts', 'src/b.ts']))).toMatchObject({
      code: 'HELD',
      sentence: `src/a.ts is held by ${a.id} (alice: Fix a).`,
      next: expect.stringContaining('claim_scope {"units":["src/a.ts","src/b.ts"]}'),
      facts: { units: ['src/a.ts', 'src/b.ts'], holders: [{ agent: 'alice', why: 'held' }, { agent: 'bob' }] },
    });
    expect(world.state.scopes.size).toBe(2);
  });

  test('promise 3: what others queue for is refused too', () => {
    const world = new World();
    got(world.agent('alice').claim(['src/a.ts']));
    const wide = got(world.agent('bob').claim(['src/']));
    expect(refusalOf(world.agent('carol').write(['src/b.ts']))).toMatchObject({
      code: 'HELD',
      sentence: expect.stringContaining(`src/ is next for ${wide.id} (bob`),
      facts: { holders: [{ id: wide.id, why: 'queued' }] },
    });
  });

  test('but not what is queued for only behind the writer itself', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['src/a.ts']));
    got(world.agent('bob').claim(['src/']));
    expect(got(alice.write(['src/b.ts'], mine.handle)).claimed).toEqual(['src/b.ts']);
  });

  test('with explicit claims nothing is claimed by the way', () => {
    const world = new World({ claims: 'explicit' });
    const alice = world.agent('alice');
    expect(refusalOf(alice.write(['a.ts']))).toMatchObject({
      code: 'NOT_CLAIMED',
      next: 'Call claim_scope {"units":["a.ts"]} first.',
    });
    expect(world.state.scopes.size).toBe(0);
  });

  test('limits hold: units of a scope, scopes; a long title is cut, because nobody chose it', () => {
    const world = new World({ maxUnits: 2, maxLiveScopes: 1 });
    const alice = world.agent('alice');
    expect(codeOf(alice.write(['1', '2', '3']))).toBe('LIMIT');
    const first = got(alice.write(['1', '2']));
    expect(codeOf(alice.write(['3'], alice.handle(first.scope.id)))).toBe('LIMIT');
    expect(codeOf(world.agent('bob').write(['4']))).toBe('LIMIT');
    const long = new World();
    const path = `src/${'x'.repeat(250)}`;
    expect(got(long.agent('alice').write([path])).scope.contract.title.length).toBe(200);
  });
});

describe('which scope a write is for', () => {
  test('with two active scopes the call is refused and both are named', () => {
    const world = new World();
    const alice = world.agent('alice');
    const [a, b] = [got(alice.claim(['a.ts'])), got(alice.claim(['b.ts']))];
    expect(refusalOf(alice.write(['a.ts']))).toMatchObject({
      code: 'INVALID',
      facts: { argument: 'scope', scopes: [a.id, b.id] },
    });
    got(alice.write(['a.ts'], a.handle));
  });

  test('never one of a sibling on the same connection', () => {
    const world = new World();
    const parent = got(world.agent('parent', 'c').claim(['a.ts']));
    expect(codeOf(world.agent('child', 'c').write(['a.ts']))).toBe('HELD');
    expect(got(world.agent('child', 'c').write(['b.ts'])).scope.id).not.toBe(parent.id);
  });

  test('the one that the caller claimed for an agent of its own naming, and none of others who have that name', () => {
    const world = new World();
    const [parent, child] = [world.agent('parent', 'c'), world.agent('child', 'c')];
    const fixer = new Agent(world, { agent: 'fixer', connection: 'c', namedBy: 'parent' });
    const named = got(fixer.claim(['a.ts']));
    expect(codeOf(world.agent('fixer', 'c').write(['a.ts']))).toBe('HELD');
    expect(codeOf(child.write(['a.ts'], named.id))).toBe('NOT_YOURS');
    expect(got(parent.write(['a.ts'])).scope.id).toBe(named.id);
    expect(refusalOf(parent.claim(['a.ts'])).next).toContain(`Add to it: claim_scope {"scope":"${named.id}"`);
    const asChild = new Agent(world, { agent: 'child', connection: 'c', namedBy: 'parent' });
    const own = got(child.claim(['b.ts']));
    expect(codeOf(asChild.claim([], { scope: own.id }))).toBe('NOT_YOURS');
  });

  test('of several of which only one is still alive, that one', () => {
    const world = new World({ lease: 3_600_000 });
    const alice = world.agent('alice');
    got(world.agent('bob').claim(['a.ts']));
    const uncollected = got(alice.claim(['a.ts']));
    got(world.agent('bob').release());
    expect(world.status(uncollected.id)).toBe('active');
    const other = got(alice.claim(['b.ts']));
    world.pass(120_001);
    expect(got(alice.write(['b.ts'])).scope.id).toBe(other.id);
  });

  test('a waiting scope may not write yet; what it waits for is named', () => {
    const world = new World();
    got(world.agent('alice').claim(['a.ts']));
    const bob = world.agent('bob');
    const waiting = got(bob.claim(['a.ts', 'b.ts']));
    expect(refusalOf(bob.write(['b.ts'], waiting.handle))).toMatchObject({
      code: 'WAITING',
      facts: { scope: waiting.id, units: ['a.ts', 'b.ts'], blocked_on: [] },
    });
    const next = got(bob.claim(['c.ts'], { consumes: ['S001'] }));
    expect(refusalOf(bob.write(['c.ts'], next.handle))).toMatchObject({
      code: 'WAITING',
      sentence: `${next.id} is still waiting for the outputs of S001.`,
      facts: { blocked_on: ['S001'] },
    });
  });

  test('a waiting scope does not keep its agent from writing elsewhere', () => {
    const world = new World();
    got(world.agent('alice').claim(['a.ts']));
    const bob = world.agent('bob');
    got(bob.claim(['a.ts']));
    expect(got(bob.write(['c.ts'])).claimed).toEqual(['c.ts']);
  });

  test('an agent without a connection has no only scope: each write stands alone', () => {
    const world = new World();
    const http = world.stateless('http');
    const first = got(http.write(['a.ts']));
    expect(codeOf(http.write(['a.ts']))).toBe('HELD');
    got(http.write(['a.ts'], http.handle(first.scope.id)));
  });
});
