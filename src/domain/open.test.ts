import { describe, expect, test } from 'vitest';
import { got, refusalOf, World } from './scenario.testsuite.js';

describe('opening a scope', () => {
  test('declares work for anybody; it holds nothing yet', () => {
    const world = new World();
    const id = got(world.agent('planner').open(['src/'], { title: 'Sort it' }));
    expect(world.scope(id)).toMatchObject({
      status: 'open',
      openedBy: 'planner',
      tenure: 0,
      contract: { title: 'Sort it' },
    });
    expect(world.state.locks.size).toBe(0);
    expect(got(world.agent('bob').claim(['src/a.ts'])).status).toBe('active');
  });

  test('numbers go on, also after scopes have ended', () => {
    const world = new World();
    const alice = world.agent('alice');
    got(alice.claim(['a']));
    got(alice.publish());
    expect(got(alice.open(['b']))).toBe('S002');
  });

  test.each([
    ['title', { argument: 'title', limit: 5 }, { maxTitle: 5 }],
    ['units', { argument: 'units', limit: 1 }, { maxUnits: 1 }],
    ['scopes', { limit: 0 }, { maxLiveScopes: 0 }],
  ])('promise 12: the number of %s has a limit', (_, facts, settings) => {
    const refusal = refusalOf(new World(settings).agent('alice').open(['a', 'b'], { title: 'A title' }));
    expect(refusal).toMatchObject({ code: 'LIMIT', facts });
  });

  test('an input that is not there, or will not come, is named by its place', () => {
    const world = new World({ maxAttempts: 0 });
    const alice = world.agent('alice');
    const [alive, failed] = [got(alice.open(['a'])), got(alice.claim(['b'])).id];
    got(alice.publish('failed'));
    const opened = (...consumes: string[]) => refusalOf(alice.open(['c'], { consumes }));
    expect(opened(alive, 'S099')).toMatchObject({ code: 'UNKNOWN_SCOPE', facts: { argument: 'consumes[1]' } });
    expect(opened(failed)).toMatchObject({ code: 'BLOCKED', facts: { argument: 'consumes[0]', scope: failed } });
  });

  test('each limit itself is allowed', () => {
    const world = new World({ maxTitle: 5, maxUnits: 2, maxLiveScopes: 1 });
    expect(got(world.agent('alice').open(['a', 'b'], { title: '12345' }))).toBe('S001');
  });
});
