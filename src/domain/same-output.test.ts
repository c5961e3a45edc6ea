import { describe, expect, test } from 'vitest';
import { publish } from './end.js';
import { raise } from './raise.js';
import type { Refusal } from './refusal.js';
import { type Rival, raiseSameOutputs } from './same-output.js';
import { type Agent, got, World } from './scenario.testsuite.js';
import type { Scope } from './scope.js';
import type { Settings } from './settings.js';

const PATH = 'docs/api.md';

interface Giving {
  readonly hash?: string;
  readonly status?: 'done' | 'progress';
  readonly path?: string;
  readonly rivals?: readonly Rival[];
}

/** Publishes an output as the coordinator does. */
function give({ world, owner }: Agent, id: string, giving: Giving = {}): Refusal[] {
  const { hash = `by ${id}`, status = 'done', path = PATH, rivals = [] } = giving;
  return world.act(owner, (draft) => {
    const artifacts = [
      { id: `A${world.events.length}`, type: 'file', path, hash },
      { id: `A${world.events.length + 1}`, type: 'note', hash: 'without a place' },
    ];
    const refused = raiseSameOutputs(draft, world.scope(id), artifacts, rivals);
    publish(draft, world.scope(id), { scope: id, status, summary: 'as asked', artifacts });
    return refused;
  }) as Refusal[];
}

function conflicts(world: World): Scope[] {
  const opened = world.told('scope.opened').filter(({ contract }) => contract.cause !== undefined);
  return opened.map(({ scope }) => world.scope(scope));
}

/** Two agents at work, each with a scope of its own. */
function pair(first: object = {}, second: object = first, settings: Partial<Settings> = {}) {
  const world = new World(settings);
  const [ada, ben] = [world.agent('ada'), world.agent('ben')];
  const a = got(ada.claim(['a.ts'], first)).id;
  const b = got(ben.claim(['b.ts'], second)).id;
  return { world, ada, ben, a, b };
}

const BOTH = { produces: [PATH] };

describe('an output that two scopes at work give', () => {
  test('is a conflict when the first of them publishes it, to which the second adds its side', () => {
    const { world, ada, ben, a, b } = pair(BOTH);
    expect(give(ada, a)).toEqual([]);
    const [raised, ...more] = conflicts(world);
    expect(more).toEqual([]);
    expect(raised?.contract).toMatchObject({
      phase: 'iterate',
      units: [PATH],
      standing: true,
      conflict: { between: [a, b], paths: [PATH], sides: ['by S001'] },
    });
    expect(world.scope(b).notes).toMatchObject([{ from: 'signalbox', text: expect.stringContaining(`${raised?.id}`) }]);
    give(ben, b, { rivals: [{ path: PATH, hash: 'by S001', scope: world.scope(a) }] });
    expect(conflicts(world)).toHaveLength(1);
    expect(conflicts(world)[0]?.contract).toMatchObject({
      note: expect.stringContaining('S002 has published: artifact:by S002'),
      conflict: { between: [a, b], paths: [PATH], sides: ['by S001', 'by S002'] },
    });
  });

  test('is none any more where it was settled in between', () => {
    const { world, ada, ben, a, b } = pair(BOTH);
    give(ada, a);
    const solver = world.agent('cleo');
    const settled = got(solver.next('iterate'));
    give(solver, settled, { hash: 'both', status: 'progress' });
    give(solver, settled, { hash: 'both, better' });
    give(ben, b, { rivals: [{ path: PATH, hash: 'both, better', scope: world.scope(settled) }] });
    expect(conflicts(world)).toHaveLength(1);
  });

  test('is one where the other has published it already, though it was not agreed', () => {
    const { world, ada, ben, a, b } = pair({});
    give(ada, a);
    expect(conflicts(world)).toEqual([]);
    give(ben, b, { rivals: [{ path: PATH, hash: 'by S001', scope: world.scope(a) }] });
    expect(conflicts(world)[0]?.contract.conflict).toEqual({
      between: [b, a],
      paths: [PATH],
      sides: ['by S002', 'by S001'],
    });
  });

  test('is one where the other has published it and works on', () => {
    const { world, ada, ben, a, b } = pair({});
    give(ada, a, { status: 'progress' });
    give(ben, b);
    expect(conflicts(world)[0]?.contract.conflict).toEqual({
      between: [b, a],
      paths: [PATH],
      sides: ['by S002', 'by S001'],
    });
    give(ada, a, { hash: 'once more' });
    expect(conflicts(world)).toHaveLength(1);
  });

  test('is one conflict for a file, however many give it', () => {
    const { world, ada, ben, a, b } = pair({});
    const cleo = world.agent('cleo');
    const c = got(cleo.claim(['c.ts'])).id;
    give(ada, a, { status: 'progress' });
    give(ben, b, { status: 'progress' });
    give(cleo, c);
    expect(conflicts(world)).toHaveLength(1);
    expect(conflicts(world)[0]?.contract.conflict).toMatchObject({
      between: [b, a, c],
      sides: ['by S002', 'by S001', 'by S003'],
    });
  });

  test('goes to a conflict over that file in which one of them has a part already', () => {
    const { world, ada, a, b } = pair(BOTH);
    const conflict = { between: [a], paths: [PATH], sides: ['by hand'] };
    const occasion = {
      cause: 'run',
      title: 'Conflict',
      note: 'Of a run.',
      phase: 'iterate' as const,
      units: [PATH],
      conflict,
    };
    world.operate((draft) => raise(draft, occasion));
    give(ada, a);
    expect(conflicts(world)).toHaveLength(1);
    expect(conflicts(world)[0]?.contract.conflict).toMatchObject({ between: [a, b], sides: ['by hand', 'by S001'] });
  });

  test('is none of a third scope that gives it when they are through', () => {
    const { world, ada, ben, a, b } = pair(BOTH);
    give(ada, a);
    give(ben, b);
    const cleo = world.agent('cleo');
    give(cleo, got(cleo.claim(['c.ts'], BOTH)).id);
    expect(conflicts(world)[0]?.contract.conflict).toMatchObject({ between: [a, b] });
  });

  test('is told where no scope can be opened for it', () => {
    const { ada, a } = pair(BOTH, BOTH, { maxLiveScopes: 2 });
    expect(give(ada, a)).toMatchObject([{ code: 'LIMIT' }]);
  });
});

describe('no conflict is', () => {
  test.each<[what: string, second: object]>([
    ['another path', { produces: ['docs/other.md'] }],
    ['an output of a part', { ...BOTH, parent: 'S001' }],
  ])('%s', (_, second) => {
    const { world, ada, a } = pair(BOTH, second);
    give(ada, a);
    expect(conflicts(world)).toEqual([]);
  });

  test('the same content', () => {
    const { world, ada, ben, a, b } = pair({});
    give(ada, a, { hash: 'same', status: 'progress' });
    give(ben, b, { hash: 'same', rivals: [{ path: PATH, hash: 'same', scope: world.scope(a) }] });
    expect(conflicts(world)).toEqual([]);
  });

  test('a newer version of its own', () => {
    const { world, ada, a } = pair(BOTH, {});
    give(ada, a, { status: 'progress' });
    give(ada, a, { hash: 'newer' });
    expect(conflicts(world)).toEqual([]);
  });

  test('what comes one after the other: of a consumer, or of whoever waits for the file', () => {
    const { world, ada, a } = pair(BOTH, {});
    const [consumer, waiter] = [world.agent('cleo'), world.agent('dora')];
    const c = got(consumer.claim([], { ...BOTH, consumes: [a] })).id;
    const d = got(waiter.claim(['a.ts'], BOTH)).id;
    give(ada, a);
    expect([world.status(c), world.status(d)]).toEqual(['active', 'active']);
    expect(conflicts(world)).toEqual([]);
  });

  test('what its input publishes once more', () => {
    const { world, ada, ben, a, b } = pair({});
    const consumer = { ...world.scope(b), contract: { ...world.scope(b).contract, consumes: [a] } };
    give(ada, a, { rivals: [{ path: PATH, hash: 'by its consumer', scope: consumer }] });
    expect(conflicts(world)).toEqual([]);
    give(ben, b, { path: 'other', rivals: [{ path: PATH, hash: 'by S001', scope: world.scope(a) }] });
    expect(conflicts(world)).toEqual([]);
  });
});
