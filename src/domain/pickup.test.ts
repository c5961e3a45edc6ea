import { expect, test } from 'vitest';
import { pause } from './operate.js';
import { codeOf, got, refusalOf, World } from './scenario.testsuite.js';

test('the next open scope is that of the highest priority, then the oldest', () => {
  const world = new World();
  const planner = world.agent('planner');
  const [low, high, later] = [0, 2, 2].map((priority, at) => got(planner.open([`${at}.ts`], { priority })));
  const taken = ['u1', 'u2', 'u3'].map((name) => got(world.agent(name).next()));
  expect(taken).toEqual([high, later, low]);
  expect(taken.map((id) => world.status(id))).toEqual(['active', 'active', 'active']);
});

test('a phase can be asked for', () => {
  const world = new World();
  const planner = world.agent('planner');
  got(planner.open(['a.ts']));
  const tested = got(planner.open(['b.ts'], { phase: 'test' }));
  expect(got(world.agent('u').next('test'))).toBe(tested);
  expect(refusalOf(world.agent('v').next('deploy'))).toMatchObject({ code: 'NOT_FOUND', facts: { open: 0 } });
});

test('what waits for outputs, is paused or whose units are held is passed over', () => {
  const world = new World();
  const planner = world.agent('planner');
  const source = got(planner.open(['a.ts'], { priority: -1 }));
  got(planner.open(['b.ts'], { consumes: [source], priority: 9 }));
  got(planner.open(['held.ts'], { priority: 9 }));
  got(world.agent('holder').claim(['held.ts']));
  expect(got(world.agent('u').next())).toBe(source);
  const refusal = refusalOf(world.agent('v').next());
  expect(refusal).toMatchObject({ code: 'WAITING', facts: { open: 2, blocked: 1 } });
});

test('what nobody could take becomes the next when its inputs have come', () => {
  const world = new World();
  const planner = world.agent('planner');
  const source = got(planner.open(['a.ts']));
  const user = got(planner.open(['b.ts'], { consumes: [source] }));
  const agent = world.agent('u');
  expect(got(agent.next())).toBe(source);
  expect(codeOf(world.agent('v').next())).toBe('WAITING');
  got(agent.publish());
  expect(got(agent.next())).toBe(user);
});

test('a scope that was lost is open work, with its hand-over, before any beat has said so', () => {
  const world = new World();
  const { id } = got(world.agent('lost').claim(['a.ts']));
  world.pass(60_001);
  expect(got(world.agent('u').next())).toBe(id);
  expect(world.scope(id).handover).toMatchObject({ from: 'lost' });
});

test("a token's units and phases limit what it takes up, claims and writes", () => {
  const world = new World();
  const planner = world.agent('planner');
  got(planner.open(['lib/a.ts'], { priority: 2 }));
  got(planner.open(['src/b.ts'], { priority: 1, phase: 'deploy' }));
  const own = got(planner.open(['src/c.ts']));
  const agent = world.agent('u');
  agent.limits = { units: ['src/'], phases: ['build'] };
  expect(got(agent.next())).toBe(own);
  expect(refusalOf(agent.claim(['lib/x.ts']))).toMatchObject({ code: 'DENIED', facts: { units: ['lib/x.ts'] } });
  expect(refusalOf(agent.claim(['src/x.ts'], { phase: 'deploy' }))).toMatchObject({ code: 'DENIED' });
  expect(codeOf(agent.write(['lib/x.ts'], agent.handle(own)))).toBe('DENIED');
  expect(got(agent.claim(['src/sub/*.ts', 'process:build'], { scope: agent.handle(own) })).status).toBe('active');
  agent.limits = { units: ['process:test'] };
  expect(codeOf(agent.claim(['process:deploy']))).toBe('DENIED');
  expect(got(agent.claim(['process:test'])).status).toBe('active');
});

test('a paused scope can not be claimed', () => {
  const world = new World();
  const id = got(world.agent('planner').open(['a.ts']));
  got(world.operate((draft) => pause(draft, id, 'ops', 'first things first')));
  expect(refusalOf(world.agent('u').claim([], { scope: id }))).toMatchObject({
    code: 'BLOCKED',
    facts: { status: 'paused' },
  });
  expect(codeOf(world.agent('u').next())).toBe('NOT_FOUND');
});
