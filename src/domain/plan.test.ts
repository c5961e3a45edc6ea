import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Opening } from './open.js';
import { openPlan, type PlanEntry, within } from './plan.js';
import { refuse } from './refusal.js';
import { codeOf, got, refusalOf, World } from './scenario.testsuite.js';

function entry(key: string, consumes: readonly string[] = [], rest: Partial<Opening> = {}): PlanEntry {
  return {
    key,
    opening: { title: key, phase: 'build', units: [], produces: [], priority: 0, standing: true, ...rest, consumes },
  };
}

const open = (world: World, entries: readonly PlanEntry[]) => world.operate((draft) => openPlan(draft, 'ops', entries));

test('entries name each other by key, in any order, and existing scopes by id', () => {
  const world = new World();
  const former = got(world.agent('alice').claim(['a.ts'])).id;
  const ids = got(open(world, [entry('test', ['build']), entry('build', ['design', former]), entry('design')]));
  expect(ids).toEqual(['S002', 'S003', 'S004']);
  expect(ids.map((id) => world.scope(id).contract.title)).toEqual(['test', 'build', 'design']);
  expect(ids.map((id) => world.scope(id).pending)).toEqual([['S003'], ['S004', 'S001'], []]);
});

test('an entry that nobody names needs no key', () => {
  const world = new World();
  const { opening } = entry('plain');
  expect(got(open(world, [{ opening }, { opening }]))).toEqual(['S001', 'S002']);
});

test('a parent may be named by key too', () => {
  const world = new World();
  const [child, parent] = got(open(world, [entry('child', [], { parent: 'epic' }), entry('epic')]));
  expect(world.scope(child ?? '').contract.parent).toBe(parent);
});

test('a parent may integrate what its parts have made', () => {
  const world = new World();
  const former = got(world.agent('alice').claim(['a.ts'])).id;
  const parts = ['p1', 'p2'].map((key) => entry(key, [], { parent: 'whole' }));
  const [whole, ...ids] = got(open(world, [entry('whole', ['p1', former, 'p2', 'p1']), ...parts]));
  expect(world.scope(whole ?? '')).toMatchObject({
    contract: { consumes: ['S003', former, 'S004'] },
    pending: ['S003', former, 'S004'],
  });
  expect(ids.map((id) => world.scope(id).contract.parent)).toEqual([whole, whole]);
  expect([got(world.agent('u').next()), got(world.agent('v').next())]).toEqual(ids);
});

test('promise 4: a cycle is refused and named, and nothing is opened', () => {
  const world = new World();
  const refusal = refusalOf(open(world, [entry('x'), entry('a', ['b']), entry('b', ['c', 'x']), entry('c', ['a'])]));
  expect(refusal).toMatchObject({
    code: 'DEADLOCK',
    facts: { argument: 'scopes[1].consumes[0]', cycle: ['a', 'b', 'c'] },
  });
  expect(refusal.sentence).toContain('a waits for b waits for c waits for a');
  expect(refusalOf(open(world, [entry('x'), entry('self', ['x', 'self'])]))).toMatchObject({
    code: 'DEADLOCK',
    facts: { argument: 'scopes[1].consumes[1]', cycle: ['self'] },
  });
  const behind = refusalOf(
    open(world, [entry('on', ['in']), entry('in', ['out', 'back']), entry('out'), entry('back', ['in'])]),
  );
  expect(behind).toMatchObject({ facts: { argument: 'scopes[1].consumes[1]', cycle: ['in', 'back'] } });
  expect(world.state.scopeCount).toBe(0);
});

test('a circle of parents is refused and named', () => {
  const world = new World();
  const entries = [entry('x'), entry('p', [], { parent: 'c' }), entry('c', [], { parent: 'p' })];
  const refusal = refusalOf(open(world, entries));
  expect(refusal).toMatchObject({ code: 'INVALID', facts: { argument: 'scopes[1].parent', cycle: ['p', 'c'] } });
  expect(refusal.sentence).toContain('p is a part of c is a part of p');
  expect(refusalOf(open(world, [entry('self', [], { parent: 'self' })]))).toMatchObject({ code: 'INVALID' });
  expect(world.state.scopeCount).toBe(0);
});

test('of a long circle only the beginning is named', () => {
  const ring = Array.from({ length: 100 }, (_, at) => entry(`k${at}`, [`k${(at + 1) % 100}`]));
  const { facts, sentence } = refusalOf(open(new World(), ring));
  expect(facts.cycle).toEqual([...ring.slice(0, 20).map(({ key }) => key), '80 more']);
  expect(sentence).toContain('k19 waits for 80 more waits for k0.');
});

test.each([
  ['a double key', [entry('a'), entry('a')], 'INVALID', 'scopes[1].key'],
  ['an unknown scope', [entry('a'), entry('b', ['a', 'S099'])], 'UNKNOWN_SCOPE', 'scopes[1].consumes[1]'],
  ['an unknown parent', [entry('a', [], { parent: 'nobody' })], 'UNKNOWN_SCOPE', 'scopes[0].parent'],
  ['a long title', [entry('a'), entry('b', [], { title: 'x'.repeat(201) })], 'LIMIT', 'scopes[1].title'],
])('all or nothing: %s', (_, entries, code, argument) => {
  const world = new World();
  expect(refusalOf(open(world, entries))).toMatchObject({ code, facts: { argument } });
  expect(world.state.scopes.size).toBe(0);
});

test('a refusal that is about no field is placed at its entry', () => {
  expect(within(refuse('LIMIT', 'Too many.', 'Take fewer.'), 2).facts).toEqual({ argument: 'scopes[2]' });
});

test('promise 12: a plan and the live scopes have their limits', () => {
  const plan = [entry('a'), entry('b')];
  expect(refusalOf(open(new World({ maxPlan: 1 }), plan))).toMatchObject({ code: 'LIMIT', facts: { limit: 1 } });
  expect(refusalOf(open(new World({ maxLiveScopes: 1 }), plan))).toMatchObject({ code: 'LIMIT', facts: { limit: 1 } });
  expect(got(open(new World({ maxPlan: 2, maxLiveScopes: 2 }), plan))).toHaveLength(2);
});

test('promise 12: what the scopes of a plan name is counted together', () => {
  const produces = [{ path: 'd', type: 'file' }];
  const plan = [
    entry('a', [], { units: ['a', 'b'] }),
    entry('b', ['a'], { units: ['c'], produces }),
    entry('c', ['a']),
  ];
  const over = (limit: number) => ({ code: 'LIMIT', facts: { argument: 'scopes', limit, count: limit + 1 } });
  expect(refusalOf(open(new World({ maxPlanUnits: 3 }), plan))).toMatchObject(over(3));
  expect(refusalOf(open(new World({ maxPlanConsumes: 1 }), plan))).toMatchObject(over(1));
  expect(got(open(new World({ maxPlanUnits: 4, maxPlanConsumes: 2 }), plan))).toHaveLength(3);
});

test('a chain of thousands is no recursion', () => {
  const chain = Array.from({ length: 5_000 }, (_, at) => entry(`k${at}`, at === 4_999 ? [] : [`k${at + 1}`]));
  expect(got(open(new World({}, { checked: false }), chain))).toHaveLength(5_000);
});

test('any plan without a cycle opens as it stands, and what closes one is refused', () => {
  const plans = fc.array(
    fc.record({
      consumes: fc.oneof({ weight: 2, arbitrary: fc.constant<number[]>([]) }, fc.array(fc.nat(12), { maxLength: 3 })),
      parent: fc.option(fc.nat(12)),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(plans, (plan) => {
      const names = (at: number) => `k${at % plan.length}`;
      const entries = plan.map(({ consumes, parent }, at) =>
        entry(names(at), consumes.map(names), parent === null ? {} : { parent: names(parent) }),
      );
      const world = new World();
      const opened = open(world, entries);
      const [waits, parts] = [
        endless(entries.map(({ opening }) => opening.consumes)),
        endless(entries.map(({ opening: { parent } }) => (parent === undefined ? [] : [parent]))),
      ];
      if (waits || parts) {
        expect(codeOf(opened)).toBe(waits ? 'DEADLOCK' : 'INVALID');
        return;
      }
      const ids = new Map(got(opened).map((id, at) => [names(at), id]));
      const contracts = [...ids.values()].map((id) => world.scope(id).contract);
      const idOf = (key: string | undefined) => key && ids.get(key);
      expect(contracts.map(({ title }) => title)).toEqual(entries.map(({ key }) => key));
      expect(contracts.map(({ parent }) => parent)).toEqual(entries.map(({ opening }) => idOf(opening.parent)));
      expect(contracts.map(({ consumes }) => consumes)).toEqual(
        entries.map(({ opening }) => [...new Set(opening.consumes)].map(idOf)),
      );
    }),
    { numRuns: 300 },
  );
});

/** Whether one of the entries `k0`, `k1`, … names itself by way of others: told by following all names for long enough. */
function endless(names: readonly (readonly string[])[]): boolean {
  let reached = names.map((_, at) => at);
  for (const _ of names)
    reached = [...new Set(reached.flatMap((at) => names[at] ?? []))].map((key) => Number(key.slice(1)));
  return reached.length > 0;
}
