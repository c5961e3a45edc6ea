import { describe, expect, test } from 'vitest';
import { codeOf, got, refusalOf, World } from './scenario.testsuite.js';

describe('promise 1: from read to write', () => {
  test('the only reader is upgraded at once', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { id, handle } = got(alice.claim(['a.ts'], { mode: 'read' }));
    expect(got(alice.claim(['a.ts'], { scope: handle })).status).toBe('active');
    expect(world.scope(id).locks.get('a.ts')?.mode).toBe('write');
  });

  test('one of two readers waits for the other, keeps its read meanwhile, and gets the write then', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts'], { mode: 'read' }));
    const other = got(world.agent('bob').claim(['a.ts'], { mode: 'read' }));
    expect(got(alice.claim(['a.ts'], { scope: mine.handle })).behind).toEqual([other.id]);
    expect(world.scope(mine.id).locks.get('a.ts')?.mode).toBe('read');
    got(world.agent('bob').release());
    expect(world.scope(mine.id)).toMatchObject({ status: 'active' });
    expect(world.scope(mine.id).locks.get('a.ts')?.mode).toBe('write');
  });

  test('goes before a writer that waits for the reader itself', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts'], { mode: 'read' }));
    got(world.agent('bob').claim(['a.ts']));
    expect(got(alice.claim(['a.ts'], { scope: mine.handle })).behind).toEqual([]);
  });

  test('what is written already is not made a read by a read claim that was waiting', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['x.ts']));
    got(world.agent('bob').claim(['b.ts']));
    got(alice.claim(['a.ts', 'b.ts'], { scope: mine.handle, mode: 'read' }));
    got(alice.write(['a.ts'], mine.handle));
    got(world.agent('bob').release());
    expect(world.scope(mine.id).locks.get('a.ts')?.mode).toBe('write');
    expect(world.scope(mine.id).locks.get('b.ts')?.mode).toBe('read');
    expect(got(world.agent('carol').claim(['a.ts'], { mode: 'read' })).status).toBe('waiting');
  });
});

describe('further claims', () => {
  test('own units never conflict', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { id, handle } = got(alice.claim(['src/']));
    expect(got(alice.claim(['src/a.ts', './'], { scope: handle })).status).toBe('active');
    expect([...world.scope(id).locks.keys()].sort()).toEqual(['./', 'src/', 'src/a.ts']);
  });

  test('a scope keeps what it holds while it waits for more', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    got(world.agent('bob').claim(['b.ts']));
    const more = got(alice.claim(['b.ts'], { scope: mine.handle }));
    expect(more).toMatchObject({ status: 'active', handle: mine.handle });
    expect(world.scope(mine.id).ticket?.units).toEqual(['b.ts']);
    expect(got(world.agent('carol').claim(['a.ts'])).behind).toEqual([mine.id]);
    got(world.agent('bob').release());
    expect([...world.scope(mine.id).locks.keys()].sort()).toEqual(['a.ts', 'b.ts']);
  });

  test('what is free is granted although the scope waits for something else, whose place it keeps', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    got(world.agent('bob').claim(['b.ts']));
    got(alice.claim(['b.ts'], { scope: mine.handle }));
    const place = world.scope(mine.id).ticket;
    got(alice.claim(['c.ts'], { scope: mine.handle }));
    expect([...world.scope(mine.id).locks.keys()].sort()).toEqual(['a.ts', 'c.ts']);
    expect(world.scope(mine.id).ticket).toBe(place);
  });

  test('a waiting scope that asks for more waits for all of it, at the end of the queue and in the stronger mode', () => {
    const world = new World();
    const bob = world.agent('bob');
    got(world.agent('alice').claim(['a.ts', 'b.ts']));
    const early = got(bob.claim(['a.ts'], { mode: 'read' }));
    const late = got(world.agent('carol').claim(['a.ts']));
    expect(late.behind).toContain(early.id);
    const again = got(bob.claim(['b.ts'], { scope: early.handle, mode: 'write' }));
    expect(world.scope(early.id).ticket).toMatchObject({ units: ['a.ts', 'b.ts'], mode: 'write' });
    expect(again.behind).toContain(late.id);
    expect(again.handle).toBe(early.handle);
  });

  test('a waiting writer that asks to read something else as well does not become a reader', () => {
    const world = new World();
    got(world.agent('alice').claim(['a.ts', 'b.ts']));
    const bob = world.agent('bob');
    const mine = got(bob.claim(['a.ts']));
    got(bob.claim(['b.ts'], { scope: mine.handle, mode: 'read' }));
    expect(world.scope(mine.id).ticket).toMatchObject({ units: ['a.ts', 'b.ts'], mode: 'write' });
  });

  test('promise 3: leaving a place in the queue lets through who stood behind it (no lost wake-up)', () => {
    const world = new World();
    const alice = world.agent('alice');
    const bob = world.agent('bob');
    const carol = world.agent('carol');
    got(alice.claim(['a.ts', 'x.ts']));
    const wide = got(bob.claim(['a.ts', 'b.ts']));
    const behind = got(carol.claim(['b.ts']));
    expect(behind.behind).toEqual([wide.id]);
    got(bob.claim(['x.ts'], { scope: wide.handle }));
    expect(world.status(behind.id)).toBe('active');
  });

  test('going on waiting changes nothing', () => {
    const world = new World();
    got(world.agent('alice').claim(['a.ts']));
    const bob = world.agent('bob');
    const waiting = got(bob.claim(['a.ts']));
    const events = world.events.length;
    expect(got(bob.claim([], { scope: waiting.handle }))).toEqual(waiting);
    expect(got(bob.claim(['a.ts'], { scope: waiting.handle, mode: 'read' }))).toEqual(waiting);
    expect(world.events.length).toBe(events);
  });
});

describe('promise 4: a claim that overlaps a scope of the same connection is refused at once', () => {
  test('held by the parent', () => {
    const world = new World();
    got(world.agent('parent', 'c').claim(['src/']));
    expect(refusalOf(world.agent('child', 'c').claim(['src/a.ts']))).toMatchObject({
      code: 'HELD',
      facts: { holder: 'S001', agent: 'parent', units: ['src/'] },
    });
    expect(world.state.queue.size).toBe(0);
  });

  test('held by another scope of the same agent', () => {
    const world = new World();
    const alice = world.agent('alice');
    got(alice.claim(['a.ts']));
    expect(codeOf(alice.claim(['a.ts']))).toBe('HELD');
  });

  test('next for the parent', () => {
    const world = new World();
    got(world.agent('other').claim(['src/b.ts']));
    got(world.agent('parent', 'c').claim(['src/']));
    expect(refusalOf(world.agent('child', 'c').claim(['src/a.ts'])).sentence).toContain('is next for S002 (parent)');
  });

  test('but processes are queued for: the command that holds one ends by itself', () => {
    const world = new World();
    got(world.agent('one (run)', 'c').claim(['process:test']));
    expect(got(world.agent('two (run)', 'c').claim(['process:test'])).status).toBe('waiting');
  });

  test('but not where it waits for outputs first: that claim is made in advance', () => {
    const world = new World();
    const parent = world.agent('parent', 'c');
    const first = got(parent.claim(['src/']));
    const next = got(world.agent('child', 'c').claim(['src/a.ts'], { consumes: [first.id] }));
    expect(next.status).toBe('waiting');
    got(parent.publish());
    expect(world.status(next.id)).toBe('active');
  });

  test('but not between agents without connections, who can not be told apart', () => {
    const world = new World();
    got(world.stateless('http').claim(['a.ts']));
    expect(got(world.stateless('http').claim(['a.ts'])).status).toBe('waiting');
  });
});
