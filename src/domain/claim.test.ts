import { describe, expect, test } from 'vitest';
import { codeOf, got, refusalOf, World } from './scenario.testsuite.js';

describe('promise 1: exclusion', () => {
  test.each([
    ['the same file', 'src/a.ts', 'src/a.ts'],
    ['a file in a held folder', 'src/', 'src/a.ts'],
    ['a folder with a held file', 'src/a.ts', 'src/'],
    ['a file that a held glob matches', 'src/**/*.sql', 'src/db/up.sql'],
    ['globs that could match the same file', '*.ts', 'a.*'],
    ['the whole tree', './', 'docs/readme.md'],
    ['a process', 'process:build', 'process:build'],
  ])('%s waits', (_, held, wanted) => {
    const world = new World();
    const first = got(world.agent('alice').claim([held]));
    const second = got(world.agent('bob').claim([wanted]));
    expect(first.status).toBe('active');
    expect(second).toMatchObject({ status: 'waiting', behind: [first.id] });
  });

  test.each([
    ['another file', 'src/a.ts', 'src/b.ts'],
    ['a file whose name begins alike', 'src/a', 'src/ab'],
    ['another process', 'process:build', 'process:test'],
    ['a file that is called like a process', 'process:build', 'build'],
  ])('%s is granted at once', (_, held, wanted) => {
    const world = new World();
    got(world.agent('alice').claim([held]));
    expect(got(world.agent('bob').claim([wanted])).status).toBe('active');
  });

  test('names that differ only in case overlap where the disk folds case', () => {
    const folding = new World({ folds: true });
    got(folding.agent('alice').claim(['src/A.ts']));
    expect(got(folding.agent('bob').claim(['src/a.ts'])).status).toBe('waiting');
    const exact = new World();
    got(exact.agent('alice').claim(['src/A.ts']));
    expect(got(exact.agent('bob').claim(['src/a.ts'])).status).toBe('active');
  });
});

describe('promise 1: shared reads', () => {
  test('many read at once; a writer waits for all of them', () => {
    const world = new World();
    const readers = ['r1', 'r2', 'r3'].map((name) => got(world.agent(name).claim(['src/'], { mode: 'read' })));
    expect(readers.map(({ status }) => status)).toEqual(['active', 'active', 'active']);
    const writer = got(world.agent('w').claim(['src/a.ts']));
    expect(writer.behind).toEqual(readers.map(({ id }) => id));
    for (const [at, reader] of readers.entries()) {
      expect(world.status(writer.id)).toBe('waiting');
      got(world.agent(`r${at + 1}`).release(reader.handle));
    }
    expect(world.status(writer.id)).toBe('active');
  });

  test('a reader waits for a writer', () => {
    const world = new World();
    const writer = got(world.agent('w').claim(['src/a.ts']));
    expect(got(world.agent('r').claim(['src/a.ts'], { mode: 'read' })).behind).toEqual([writer.id]);
  });

  test('a read that is held already, or held as a write, needs no new grant', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { handle } = got(alice.claim(['a.ts']));
    const events = world.events.length;
    expect(got(alice.claim(['a.ts'], { scope: handle, mode: 'read' })).status).toBe('active');
    expect(world.events.length).toBe(events);
  });
});

describe('promise 4: all or nothing', () => {
  test('a claim of which one unit is held gets none of the others', () => {
    const world = new World();
    const held = got(world.agent('alice').claim(['b.ts']));
    const wide = got(world.agent('bob').claim(['a.ts', 'b.ts', 'c.ts']));
    expect(wide).toMatchObject({ status: 'waiting', behind: [held.id] });
    expect(world.scope(wide.id).locks.size).toBe(0);
    got(world.agent('alice').release());
    expect([...world.scope(wide.id).locks.keys()].sort()).toEqual(['a.ts', 'b.ts', 'c.ts']);
  });

  test('what is refused leaves nothing but the refusal', () => {
    const world = new World({ maxUnits: 2 });
    expect(codeOf(world.agent('alice').claim(['a', 'b', 'c']))).toBe('LIMIT');
    expect(world.events.map(({ body }) => body.type)).toEqual(['refused']);
    expect(world.state.scopes.size).toBe(0);
  });
});

describe('claims by id', () => {
  test('an open scope is claimed with all units of its contract, and those named with the claim', () => {
    const world = new World();
    const id = got(world.agent('planner').open(['src/', 'docs/']));
    const taken = got(world.agent('alice').claim(['a.md'], { scope: id }));
    expect(taken).toMatchObject({ id, status: 'active' });
    expect([...world.scope(id).locks.keys()].sort()).toEqual(['a.md', 'docs/', 'src/']);
    expect(world.scope(id).owner).toEqual({ agent: 'alice', connection: 'c-alice' });
  });

  test('a scope without units is active with none', () => {
    const world = new World();
    expect(got(world.agent('alice').claim([]))).toMatchObject({ status: 'active', behind: [] });
    const id = got(world.agent('planner').open());
    expect(got(world.agent('bob').claim([], { scope: id })).status).toBe('active');
  });

  test('an own scope is found by its id alone, on the own connection and under the own name', () => {
    const world = new World();
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a.ts']));
    expect(got(alice.claim(['b.ts'], { scope: mine.id })).handle).toBe(mine.handle);
  });

  test('a handle that was passed on is authority; the scope stays with the connection that claimed it first', () => {
    const world = new World();
    const mine = got(world.agent('alice').claim(['a.ts']));
    got(world.agent('helper').claim(['b.ts'], { scope: mine.handle }));
    expect(world.scope(mine.id).owner?.agent).toBe('alice');
    expect([...world.scope(mine.id).locks.keys()].sort()).toEqual(['a.ts', 'b.ts']);
  });

  test.each([
    ['by its id', (handle: string) => handle.slice(0, 4)],
    ['with a guessed secret', (handle: string) => `${handle.slice(0, 5)}aaaaaa`],
  ])('an active scope of others is refused %s', (_, given) => {
    const world = new World();
    const { handle } = got(world.agent('alice').claim(['a.ts']));
    expect(refusalOf(world.agent('bob').claim(['b.ts'], { scope: given(handle) }))).toMatchObject({
      code: 'NOT_YOURS',
      facts: { scope: 'S001', agent: 'alice' },
    });
  });

  test('what is no handle, was never opened or has ended is unknown', () => {
    const world = new World();
    const alice = world.agent('alice');
    const { handle } = got(alice.claim(['a.ts']));
    got(alice.publish());
    expect(codeOf(alice.claim([], { scope: 'src/a.ts' }))).toBe('UNKNOWN_SCOPE');
    expect(codeOf(alice.claim([], { scope: 'S999' }))).toBe('UNKNOWN_SCOPE');
    expect(refusalOf(alice.claim([], { scope: handle }))).toMatchObject({
      code: 'UNKNOWN_SCOPE',
      facts: { scope: 'S001', status: 'done' },
    });
  });

  test('an agent without a connection needs the secret', () => {
    const world = new World();
    const http = world.stateless('http');
    const mine = got(http.claim(['a.ts']));
    expect(codeOf(http.claim(['b.ts'], { scope: mine.id }))).toBe('NOT_YOURS');
    expect(got(http.claim(['b.ts'], { scope: mine.handle })).status).toBe('active');
  });
});

describe('promise 12: bounded', () => {
  test('units of one scope: the limit itself is allowed, an upgrade counts once', () => {
    const world = new World({ maxUnits: 2 });
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a', 'b'], { mode: 'read' }));
    expect(got(alice.claim(['a', 'b'], { scope: mine.handle })).status).toBe('active');
    expect(refusalOf(alice.claim(['c'], { scope: mine.handle }))).toMatchObject({
      code: 'LIMIT',
      facts: { limit: 2, asked: 3 },
    });
  });

  test('units of all scopes together; an upgrade of what is held already needs no more', () => {
    const world = new World({ maxHeldUnits: 2 });
    const alice = world.agent('alice');
    const mine = got(alice.claim(['a', 'b'], { mode: 'read' }));
    expect(refusalOf(world.agent('bob').claim(['c']))).toMatchObject({ code: 'LIMIT', facts: { limit: 2, asked: 3 } });
    expect(codeOf(world.agent('bob').write(['c']))).toBe('LIMIT');
    expect(got(alice.claim(['a', 'b'], { scope: mine.handle })).status).toBe('active');
    got(alice.release());
    expect(got(world.agent('bob').claim(['c'])).status).toBe('active');
  });

  test('a sentence names twenty units and how many more', () => {
    const world = new World({ claims: 'explicit' });
    const paths = Array.from({ length: 21 }, (_, number) => `${number}.ts`);
    expect(refusalOf(world.agent('alice').write(paths)).sentence).toMatch(/^0\.ts, .* 19\.ts, 1 more is not claimed/);
  });

  test('units that are waited for; what is free is granted all the same', () => {
    const world = new World({ maxQueuedUnits: 2 });
    got(world.agent('alice').claim(['a', 'b', 'c']));
    got(world.agent('bob').claim(['a', 'b']));
    expect(codeOf(world.agent('carol').claim(['c']))).toBe('LIMIT');
    expect(got(world.agent('dave').claim(['d'])).status).toBe('active');
    expect(world.state.queue.size).toBe(2);
  });
});
