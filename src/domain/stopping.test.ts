import { describe, expect, test } from 'vitest';
import { draft } from './draft.js';
import { notWhileRunning, releaseByOperator } from './end.js';
import { cancel, pause } from './operate.js';
import { type Agent, codeOf, got, refusalOf, World } from './scenario.testsuite.js';
import { endRun } from './stopping.js';

function start(world: World, scope: string, more: { readonly run?: string; readonly turn?: string } = {}): void {
  const { tenure } = world.scope(scope);
  const { run = 'R001', turn } = more;
  const whose = turn === undefined ? { scope, tenure } : { turn };
  world.record([{ type: 'run.started', run, command: 'make', cwd: '.', containment: 'confined', ...whose }]);
}

/** Whether the end was put on record by this call. */
function end(world: World, run = 'R001'): boolean {
  const decision = draft(world.view());
  const isFirst = endRun(decision, { run, ending: 'lease_lost', exit: null, output: 0, rejected: 0 });
  world.record(decision.events);
  return isFirst;
}

function takeAway({ world, owner }: Agent, scope: string): unknown {
  return world.act(owner, (decision) => releaseByOperator(decision, scope, 'olga', 'enough'));
}

function busy() {
  const world = new World();
  const [ada, ben] = [world.agent('ada'), world.agent('ben')];
  const { id, handle } = got(ada.claim(['src/'], { standing: true }));
  start(world, id);
  return { world, ada, ben, id, handle };
}

describe('promise 2: units are free when the commands of their scope are known to be dead', () => {
  test('a scope that the operator takes away keeps them until then, and then the next in the queue has them', () => {
    const { world, ben, id } = busy();
    const next = got(ben.claim(['src/a.ts']));
    takeAway(ben, id);
    expect([world.status(id), world.status(next.id)]).toEqual(['active', 'waiting']);
    expect(world.scope(id)).toMatchObject({ stopping: { how: 'released', from: 'ada' }, tenure: 0 });
    expect(end(world)).toBe(true);
    expect([world.status(id), world.status(next.id)]).toEqual(['open', 'active']);
    expect(world.told('scope.released')).toMatchObject([{ scope: id, from: 'ada', reason: 'enough (by olga)' }]);
  });

  test('so does one whose lease has run out, and its work is handed over', () => {
    const { world, ada, ben, id, handle } = busy();
    ada.write(['src/a.ts'], handle);
    world.pass(world.settings.lease + 1);
    const held = refusalOf(ben.write(['src/b.ts']));
    expect([held.code, held.facts.runs]).toEqual(['HELD', ['R001']]);
    expect(held.sentence).toMatch(/until R001 has ended\.$/);
    expect(world.told('scope.stopping')).toMatchObject([{ scope: id, how: 'expired', from: 'ada' }]);
    end(world);
    expect(world.scope(id)).toMatchObject({ status: 'open', attempts: 1, handover: { from: 'ada' } });
    expect(got(ben.write(['src/b.ts'])).claimed).toEqual(['src/b.ts']);
  });

  test('so does one that the operator pauses or cancels', () => {
    for (const [act, status] of [[pause, 'paused'] as const, [cancel, 'cancelled'] as const]) {
      const { world, ben, id } = busy();
      got(world.act(ben.owner, (decision) => act(decision, id, 'olga', 'enough')));
      expect([world.status(id), codeOf(ben.write(['src/a.ts']))]).toEqual(['active', 'HELD']);
      end(world);
      expect(world.status(id)).toBe(status);
      got(ben.write(['src/a.ts']));
    }
  });

  test('with two commands the last one counts', () => {
    const { world, ben, id } = busy();
    start(world, id, { run: 'R002' });
    takeAway(ben, id);
    end(world);
    expect(codeOf(ben.write(['src/a.ts']))).toBe('HELD');
    end(world, 'R002');
    got(ben.write(['src/a.ts']));
  });

  test('so does the scope that holds a process for a command', () => {
    const world = new World();
    const [ada, ben] = [world.agent('ada (run)'), world.agent('ben (run)')];
    const { id } = got(ada.claim(['process:build']));
    start(world, id, { turn: id });
    world.pass(world.settings.lease + 1);
    const next = got(ben.claim(['process:build']));
    expect([next.status, next.behind]).toEqual(['waiting', [id]]);
    end(world);
    expect(world.status(next.id)).toBe('active');
  });
});

test('promise 2: nobody acts under a scope that is stopping, and its former owner queues for its units', () => {
  const { world, ada, ben, id, handle } = busy();
  takeAway(ben, id);
  expect(codeOf(ada.write(['src/a.ts'], handle))).toBe('LEASE_LOST');
  expect(codeOf(ada.claim([], { scope: handle }))).toBe('BUSY');
  expect(codeOf(takeAway(ben, id))).toBe('BUSY');
  const again = got(ada.claim(['src/']));
  expect([again.status, again.behind]).toEqual(['waiting', [id]]);
  end(world);
  expect(world.status(again.id)).toBe('active');
});

test('promise 8: the end of a command is recorded once, whoever else finds it', () => {
  const { world } = busy();
  expect([end(world), end(world)]).toEqual([true, false]);
  expect(world.told('run.ended')).toHaveLength(1);
  expect(world.state.runs.isEmpty()).toBe(true);
});

test('a scope is not finished while a command of it is under way', () => {
  const { world, id } = busy();
  const refused = () => notWhileRunning(draft(world.view()), world.scope(id));
  expect(refused()).toMatchObject({ code: 'BUSY', facts: { run: 'R001' } });
  end(world);
  expect(refused()).toBeUndefined();
});
