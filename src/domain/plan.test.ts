import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Opening } from './open.js';
import { openPlan, type PlanEntry } from './plan.js';
import { got, refusalOf, World } from './scenario.testsuite.js';

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
  expect(ids).toEqual(['S004', 'S003', 'S002']);
  expect(ids.map((id) => world.scope(id).contract.title)).toEqual(['test', 'build', 'design']);
  expect(ids.map((id) => world.scope(id).pending)).toEqual([['S003'], ['S002', 'S001'], []]);
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

test('promise 4: a cycle is refused and named, and nothing is opened', () => {
  const world = new World();
  const refusal = refusalOf(open(world, [entry('x'), entry('a', ['b']), entry('b', ['c', 'x']), entry('c', ['a'])]));
  expect(refusal).toMatchObject({ code: 'DEADLOCK', facts: { cycle: ['a', 'b', 'c'] } });
  expect(refusal.facts.argument).toBe('scopes[1].consumes[0]');
  expect(refusal.sentence).toContain('a waits for b waits for c waits for a');
  expect(refusalOf(open(world, [entry('self', ['x', 'self'])]))).toMatchObject({
    code: 'DEADLOCK',
    facts: { argument: 'scopes[0].consumes[1]' },
  });
  const parents = [entry('a', ['b']), entry('b', [], { parent: 'a' })];
  const links = [parents, parents.toReversed()].map((plan) => refusalOf(open(world, plan)).facts.argument);
  expect(links).toEqual(['scopes[0].consumes[0]', 'scopes[0].parent']);
  expect(world.state.scopeCount).toBe(0);
});

test.each([
  ['a double key', [entry('a'), entry('a')], 'INVALID', 'scopes[1].key'],
  ['an unknown scope', [entry('a'), entry('b', ['S099'])], 'UNKNOWN_SCOPE', 'scopes[1].consumes[0]'],
  ['an unknown parent', [entry('a', [], { parent: 'nobody' })], 'UNKNOWN_SCOPE', 'scopes[0].parent'],
  ['a long title', [entry('a'), entry('b', [], { title: 'x'.repeat(201) })], 'LIMIT', 'scopes[1].title'],
])('all or nothing: %s', (_, entries, code, argument) => {
  const world = new World();
  expect(refusalOf(open(world, entries))).toMatchObject({ code, facts: { argument } });
  expect(world.state.scopes.size).toBe(0);
});

test('promise 12: a plan and the live scopes have their limits', () => {
  const plan = [entry('a'), entry('b')];
  expect(refusalOf(open(new World({ maxPlan: 1 }), plan))).toMatchObject({ code: 'LIMIT', facts: { limit: 1 } });
  expect(refusalOf(open(new World({ maxLiveScopes: 1 }), plan))).toMatchObject({ code: 'LIMIT', facts: { limit: 1 } });
  expect(got(open(new World({ maxPlan: 2, maxLiveScopes: 2 }), plan))).toHaveLength(2);
});

test('a chain of thousands is no recursion', () => {
  const chain = Array.from({ length: 5_000 }, (_, at) => entry(`k${at}`, at === 4_999 ? [] : [`k${at + 1}`]));
  expect(got(open(new World({}, { checked: false }), chain))).toHaveLength(5_000);
});

test('any plan without a cycle opens, each entry after what it names', () => {
  const plans = fc.array(fc.array(fc.nat(30), { maxLength: 4 }), { minLength: 1, maxLength: 30 }).chain((links) =>
    // Links lead to earlier entries only; then the entries are shuffled.
    fc.shuffledSubarray(
      links.map((to, at) =>
        entry(
          `k${at}`,
          to.filter((other) => other < at).map((other) => `k${other}`),
        ),
      ),
      { minLength: links.length },
    ),
  );
  fc.assert(
    fc.property(plans, (entries) => {
      const world = new World();
      const ids = got(open(world, entries));
      for (const [at, id] of ids.entries()) {
        const { consumes, title } = world.scope(id).contract;
        expect(title).toBe(entries[at]?.key);
        expect(consumes.every((other) => Number(other.slice(1)) < Number(id.slice(1)))).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});
