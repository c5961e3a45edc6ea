import { describe, expect, test } from 'vitest';
import { draft } from './draft.js';
import type { Event, EventBody } from './event.js';
import { scopeOf } from './event.js';
import { evolve } from './evolve.js';
import { evolveScope } from './evolve-scope.js';
import { parseHandle, printHandle, scopeId } from './handle.js';
import { refuse } from './refusal.js';
import { got, MINT, World } from './scenario.testsuite.js';
import { EMPTY_STATE, type State } from './state.js';

const OWNER = { agent: 'alice', connection: 'c' };
const CONTRACT = {
  title: 't',
  phase: 'build',
  units: ['a'],
  consumes: [],
  produces: [],
  priority: 0,
  standing: true,
} as const;

function event(seq: number, body: EventBody): Event {
  return { seq, at: seq, wall: 0, agent: '', connection: '', hash: '', body };
}

function fold(...bodies: readonly EventBody[]): State {
  return bodies.reduce((state, body) => evolve(state, event(state.seq + 1, body)), EMPTY_STATE);
}

const opened: EventBody = { type: 'scope.opened', scope: 'S001', contract: CONTRACT, by: 'alice', pending: [] };
const granted = (generation: number): EventBody => {
  return { type: 'scope.granted', scope: 'S001', units: ['a'], mode: 'write', owner: OWNER, generation, queued: false };
};

describe('the fold', () => {
  test('leaves the former state as it was', () => {
    const before = fold(opened);
    const after = evolve(before, event(2, granted(1)));
    expect(before.scopes.get('S001')?.status).toBe('open');
    expect(before.locks.size).toBe(0);
    expect(after.locks.size).toBe(1);
  });

  test('promise 8: events follow each other without a gap', () => {
    expect(() => evolve(EMPTY_STATE, event(2, opened))).toThrow('event 2 does not follow 0');
    expect(() => evolve(fold(opened), event(1, opened))).toThrow('event 1 does not follow 1');
  });

  test('promise 2: a generation is never given out twice', () => {
    expect(() => fold(opened, granted(1), granted(1))).toThrow('generation 1 was given out before');
  });

  test('throws where an event is about a scope that is not there', () => {
    expect(() => fold(granted(1))).toThrow('event 1 (scope.granted) is about a scope that is not there');
  });

  test('counts scopes, runs and artifacts, whose numbers never come again', () => {
    const artifacts = [
      { id: 'A001', type: 'file', hash: 'h' },
      { id: 'A002', type: 'file', hash: 'h' },
    ];
    const state = fold(
      opened,
      { type: 'run.started', run: 'R007', command: 'true', cwd: '.', containment: 'none' },
      { type: 'scope.progressed', scope: 'S001', summary: '', artifacts },
      { type: 'scope.progressed', scope: 'S001', summary: '', artifacts: [] },
      { type: 'scope.failed', scope: 'S001', summary: '', artifacts: artifacts.slice(0, 1), to: 'failed' },
    );
    expect(state).toMatchObject({ seq: 5, scopeCount: 1, runCount: 7, artifactCount: 2 });
  });

  test('what came after the changes of a publication is not published with it, though it is recorded later', () => {
    const progressed = { type: 'scope.progressed', scope: 'S001', summary: '', artifacts: [] } as const;
    expect(fold(opened, granted(1), progressed).scopes.get('S001')).toMatchObject({ published: 3 });
    expect(fold(opened, granted(1), { ...progressed, through: 1 }).scopes.get('S001')).toMatchObject({ published: 1 });
  });

  test('what is only history changes nothing but the sequence number', () => {
    const before = fold(opened);
    const after = fold(
      opened,
      { type: 'files.outside', files: [] },
      { type: 'refused', tool: 'patch', code: 'HELD', scope: 'S001', sentence: '', facts: {} },
      { type: 'run.ended', run: 'R001', scope: 'S001', ending: 'exited', exit: 0, output: 0, rejected: 0 },
      { type: 'files.changed', scope: 'S999', cause: 'revert', generation: 1, files: [] },
    );
    expect(after).toEqual({ ...before, seq: 5 });
    const refused: EventBody = { type: 'refused', tool: 'patch', code: 'HELD', sentence: '', facts: {} };
    const scope = before.scopes.get('S001');
    expect(evolveScope(scope, event(2, refused))).toBe(scope);
  });

  test('a scope that waits for outputs of two leaves the one that is done behind', () => {
    const second = { ...opened, scope: 'S002' } as const;
    const third = { ...opened, scope: 'S003', pending: ['S001', 'S002'] } as const;
    const state = fold(opened, second, third, { type: 'scope.done', scope: 'S001', summary: '', artifacts: [] });
    expect(state.scopes.get('S003')?.pending).toEqual(['S002']);
    expect([...state.consumers.keys()]).toEqual(['S002']);
  });
});

describe('events', () => {
  test('say which scope they are about', () => {
    expect(scopeOf(opened)).toBe('S001');
    expect(scopeOf({ type: 'files.outside', files: [] })).toBeUndefined();
  });
});

describe('handles', () => {
  test('what is printed is read again', () => {
    const world = new World();
    const { id, handle } = got(world.agent('alice').claim(['a']));
    expect(handle).toBe(printHandle(world.scope(id), MINT));
    expect(parseHandle(` ${handle} `)).toEqual({ id, secret: handle.slice(-6) });
  });

  test.each([
    ['S012', { id: 'S012' }],
    ['S0012', { id: 'S012' }],
    ['S1234567', { id: 'S1234567' }],
    ['S012-abcdef', { id: 'S012', secret: 'abcdef' }],
    ['S012-ABCDEF', undefined],
    ['S012-abc', undefined],
    ['S12', undefined],
    ['s012', undefined],
    ['', undefined],
    ['S012 and more', undefined],
  ])('%s', (text, handle) => {
    expect(parseHandle(text)).toEqual(handle);
  });

  test('numbers have at least three digits', () => {
    expect([7, 4711].map(scopeId)).toEqual(['S007', 'S4711']);
  });
});

describe('a draft', () => {
  test('shows the state as it would be, and ended scopes as they ended', () => {
    const world = new World();
    const mine = got(world.agent('alice').claim(['a.ts']));
    const decision = draft(world.view());
    decision.emit({ type: 'scope.released', scope: mine.id, to: 'cancelled', reason: 'over', from: 'alice' });
    expect(decision.view.state.scopes.has(mine.id)).toBe(false);
    expect(decision.view.scope(mine.id)).toMatchObject({ status: 'cancelled', summary: 'over' });
    expect(world.status(mine.id)).toBe('active');
  });

  test('a part that is refused leaves nothing; one that is not leaves its events', () => {
    const world = new World();
    const mine = got(world.agent('alice').claim(['a.ts']));
    const decision = draft(world.view());
    const end = (): void => {
      decision.emit({ type: 'scope.released', scope: mine.id, to: 'cancelled', reason: 'over', from: 'alice' });
    };
    const refused = decision.attempt(() => {
      end();
      return refuse('HELD', 'no', 'wait');
    });
    expect(refused).toMatchObject({ code: 'HELD' });
    expect(decision.events).toEqual([]);
    expect(decision.view.scope(mine.id)?.status).toBe('active');
    decision.attempt(() => {
      decision.emit({ ...opened, scope: 'S002' });
      decision.emit({ type: 'scope.released', scope: 'S002', to: 'cancelled', reason: 'over', from: 'alice' });
      return refused;
    });
    expect(decision.view.scope('S002')).toBeUndefined();
    expect(decision.attempt(end)).toBeUndefined();
    expect(decision.events.length).toBe(1);
  });

  test('asks for each sign of life once, and takes its own caller for alive', () => {
    const world = new World();
    let reads = 0;
    const base = world.view();
    const decision = draft({
      ...base,
      life: (key) => {
        reads++;
        return base.life(key);
      },
      file: (path) => ({ path, hash: null, mode: 0o644, seq: 1 }),
    });
    expect([decision.view.life('c'), decision.view.life('c'), reads]).toEqual([undefined, undefined, 1]);
    decision.touch('c');
    expect(decision.view.life('c')).toEqual({ seen: world.now, called: world.now });
    expect(decision.view.file('a.ts')?.path).toBe('a.ts');
  });
});
