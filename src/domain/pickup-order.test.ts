import fc from 'fast-check';
import { expect, test } from 'vitest';
import { amend } from './amend.js';
import { type Draft, draft } from './draft.js';
import { obstacles } from './grant.js';
import { denied, type Limits } from './limits.js';
import type { LockIndex } from './lock-index.js';
import { hasNoNews, isWorkOpen, nextScope, type Pickup } from './pickup.js';
import { type Agent, got, World } from './scenario.testsuite.js';
import type { Phase, Scope } from './scope.js';
import { sweep } from './sweep.js';

const ops = { agent: 'ops', connection: 'c-ops' };
const claimant = (limits: Limits | undefined) => ({ owner: ops, mint: () => '', ...(limits ? { limits } : {}) });

/** The rule in its plainest form: every open scope is compared with everything. */
function first(decision: Draft, { phase, mode }: Pickup, limits: Limits | undefined): Scope | undefined {
  const open = [...decision.view.state.scopes.values()]
    .filter(
      ({ status, pending, contract }) =>
        status === 'open' && pending.length === 0 && contract.phase === (phase ?? contract.phase),
    )
    .sort((a, b) => b.contract.priority - a.contract.priority || Number(a.id.slice(1)) - Number(b.id.slice(1)));
  return open.find((scope) => {
    const { phase, units } = scope.contract;
    if (denied(claimant(limits), decision.view, phase, units) !== undefined) return false;
    return obstacles(decision, scope, { units, mode }).length === 0;
  });
}

const unit = fc.constantFrom(
  './',
  'src/',
  'src/a/',
  'src/a/x.ts',
  'src/A/x.ts',
  'src/b.ts',
  'src',
  'src/**/*.ts',
  'src/*',
  'src/{a,c}/**',
  '**/x.ts',
  'lib/',
  'lib/a.ts',
  'lib/[ab].ts',
  'docs/x.md',
  'process:build',
  'process:test',
);
const units = fc.uniqueArray(unit, { maxLength: 3 });
const phase = fc.constantFrom('build' as const, 'test' as const);
const priority = fc.integer({ min: -1, max: 1 });
const mode = fc.constantFrom('read' as const, 'write' as const);

/** What came before: work that was opened, agents who hold or wait, time that passed, connections that ended. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('open' as const), units, phase, priority }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('claim' as const), units, mode, agent: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('take' as const), at: fc.nat(5), agent: fc.nat(3) }) },
  fc.record({ what: fc.constant('pass' as const), ms: fc.nat(400_000) }),
  fc.record({ what: fc.constant('beat' as const), agent: fc.nat(3) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function play(world: World, agents: readonly Agent[], step: Step): void {
  if (step.what === 'open') agents[0]?.open(step.units, step);
  else if (step.what === 'claim') agents[step.agent]?.claim(step.units, { mode: step.mode });
  else if (step.what === 'take')
    agents[step.agent]?.claim([], { scope: [...world.state.scopes.keys()][step.at] ?? 'S999' });
  else if (step.what === 'pass') world.pass(step.ms);
  else world.beat(agents.slice(step.agent));
}

const limits = fc.option(
  fc.record(
    { units: fc.uniqueArray(unit, { minLength: 1, maxLength: 3 }), phases: fc.constant(['build' as const]) },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);

test('the next open scope is the first of which no unit is barred, however it is found', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 14 }),
      mode,
      fc.option(phase),
      limits,
      fc.boolean(),
      (steps, mode, phase, limits, folds) => {
        const world = new World({ folds, capacity: new Map([['test', 2]]) }, { checked: false });
        const agents = ['a', 'b', 'c', 'd'].map((name) => world.agent(name));
        for (const each of steps) play(world, agents, each);
        const pickup = { mode, ...(phase === null ? {} : { phase }) };
        const decision = draft(world.view());
        const expected = first(decision, pickup, limits);
        if (expected === undefined) sweep(decision);
        const found = nextScope(draft(world.view()), claimant(limits), pickup);
        expect(found?.id).toBe((expected ?? first(decision, pickup, limits))?.id);
      },
    ),
    { numRuns: 600 },
  );
});

/** An index that counts how often it is asked. */
function counting(index: LockIndex): { index: LockIndex; asked: () => number } {
  let asked = 0;
  const overlapping: LockIndex['overlapping'] = (unit) => {
    asked += 1;
    return index.overlapping(unit);
  };
  return { index: Object.create(index, { overlapping: { value: overlapping } }), asked: () => asked };
}

test.each([
  ['beneath a folder', (at: number) => [`src/${at % 10}/${at}.ts`], ['src/']],
  ['beneath a folder with something else', (at: number) => [`lib/${at}.ts`, `src/${at}.ts`], ['src/']],
  ['within a glob', (at: number) => [`src/${at % 10}/${at}.ts`], ['src/**/*.ts']],
  ['on the same files', (at: number) => [`src/${at % 10}.ts`], Array.from({ length: 10 }, (_, at) => `src/${at}.ts`)],
  ['on one process', (at: number) => [`src/${at}.ts`, 'process:build'], ['process:build']],
])('open scopes %s that is held are passed over without a look at the locks for each', (_, unitsOf, held) => {
  const world = new World({}, { checked: false });
  const planner = world.agent('planner');
  for (let at = 0; at < 500; at++) got(planner.open(unitsOf(at)));
  const last = got(planner.open(['docs/last.md']));
  got(world.agent('holder').claim(held));
  const { index, asked } = counting(world.state.locks);
  const view = { ...world.view(), state: { ...world.state, locks: index } };
  expect(nextScope(draft(view), claimant(undefined), { mode: 'write' })?.id).toBe(last);
  expect(asked()).toBeLessThanOrEqual(25);
});

test('of very many that are held beneath one folder most are not even looked at, once it is known where they are', () => {
  const world = new World({}, { checked: false });
  for (let at = 0; at < 2_000; at++) got(world.agent('planner').open([`src/${at % 100}/${at}.ts`]));
  const last = got(world.agent('planner').open(['docs/last.md']));
  got(world.agent('holder').claim(['src/']));
  let looks = 0;
  const ready = world.state.ready.map((piece) =>
    piece.map((each) => ({
      ...each,
      get units() {
        looks += 1;
        return each.units;
      },
    })),
  );
  const pick = () => {
    looks = 0;
    const view = { ...world.view(), state: { ...world.state, ready } };
    expect(nextScope(draft(view), claimant(undefined), { mode: 'write' })?.id).toBe(last);
    return looks;
  };
  pick();
  expect(pick()).toBeLessThan(300);
});

test('nothing is looked through twice where nothing has run out meanwhile', () => {
  const world = new World();
  got(world.agent('planner').open(['a.ts']));
  got(world.agent('holder').claim(['a.ts']));
  const { index, asked } = counting(world.state.locks);
  const view = { ...world.view(), state: { ...world.state, locks: index } };
  expect(nextScope(draft(view), claimant(undefined), { mode: 'write' })).toBeUndefined();
  expect(asked()).toBe(1);
});

test('work is open for a phase as long as any of it is, though nobody could take it up', () => {
  const world = new World();
  const isOpen = (...phases: (Phase | undefined)[]) =>
    phases.map((phase) => isWorkOpen(world.state, { mode: 'write', ...(phase === undefined ? {} : { phase }) }));
  expect(isOpen(undefined, 'build')).toEqual([false, false]);
  const first = got(world.agent('planner').open(['a.ts']));
  got(world.agent('planner').open(['b.ts'], { consumes: [first], phase: 'test' }));
  expect(isOpen(undefined, 'build', 'test', 'deploy')).toEqual([true, true, true, false]);
  got(world.agent('u').next());
  expect(isOpen(undefined, 'build', 'test')).toEqual([true, false, true]);
});

test('whoever waits for work need look again only when something was opened, freed or ended', () => {
  const world = new World();
  const [planner, holder] = [world.agent('planner'), world.agent('holder')];
  const [open, other] = [got(planner.open(['a.ts'])), got(planner.open(['c.ts']))];
  const { id } = got(holder.claim(['a.ts']));
  const isNews = (happens: () => unknown): boolean => {
    const before = world.state;
    happens();
    return !hasNoNews(before, world.state);
  };
  expect(isNews(() => got(holder.write(['a.ts'])))).toBe(false);
  expect(isNews(() => got(holder.claim(['b.ts'], { scope: holder.handle(id) })))).toBe(false);
  const waiting = got(world.agent('waiting').claim(['b.ts']));
  expect(isNews(() => got(world.agent('third').claim(['b.ts'])))).toBe(false);
  expect(isNews(() => expect(world.agent('fourth').next()).toBe(other))).toBe(false);
  expect(isNews(() => got(holder.publish('progress')))).toBe(false);
  expect(isNews(() => got(world.agent('waiting').release(waiting.handle)))).toBe(true);
  expect(isNews(() => got(planner.open(['d.ts'])))).toBe(true);
  expect(isNews(() => got(world.agent('fourth').release()))).toBe(true);
  expect(isNews(() => got(world.operate((draft) => amend(draft, open, { units: ['e.ts'] }, 'ops'))))).toBe(true);
  expect(isNews(() => got(holder.publish()))).toBe(true);
});
