import { expect, test } from 'vitest';
import type { Draft } from './draft.js';
import { cancel, note, pause, reopen, resume } from './operate.js';
import { raise } from './raise.js';
import { codeOf, got, refusalOf, World } from './scenario.testsuite.js';

const by = (world: World, rule: (draft: Draft) => ReturnType<typeof pause>) => world.operate(rule);

test('a paused scope is taken from its owner, frees its units, and is open again when it is resumed', () => {
  const world = new World();
  const { id, handle } = got(world.agent('u').claim(['a.ts']));
  const next = got(world.agent('v').claim(['a.ts']));
  expect(got(by(world, (draft) => pause(draft, id, 'ops', 'wait for the release'))).status).toBe('paused');
  expect(world.status(next.id)).toBe('active');
  expect(codeOf(world.agent('u').write(['a.ts'], handle))).toBe('LEASE_LOST');
  expect(codeOf(by(world, (draft) => pause(draft, id, 'ops', 'again')))).toBe('BLOCKED');
  expect(world.scope(id).handover).toMatchObject({ from: 'u', note: 'wait for the release' });
  expect(got(by(world, (draft) => resume(draft, id, 'ops'))).status).toBe('open');
  expect(codeOf(by(world, (draft) => resume(draft, id, 'ops')))).toBe('BLOCKED');
  expect(codeOf(by(world, (draft) => resume(draft, 'S099', 'ops')))).toBe('UNKNOWN_SCOPE');
});

test('a paused open scope is handed over by whoever paused it', () => {
  const world = new World();
  const id = got(world.agent('planner').open(['a.ts']));
  got(by(world, (draft) => pause(draft, id, 'ops', 'later')));
  expect(world.scope(id).handover).toMatchObject({ from: 'ops' });
});

test('a cancelled scope frees its units and tells who waits for it', () => {
  const world = new World();
  const { id } = got(world.agent('u').claim(['a.ts']));
  const next = got(world.agent('v').claim(['a.ts']));
  const user = got(world.agent('w').claim(['b.ts'], { consumes: [id] }));
  expect(got(by(world, (draft) => cancel(draft, id, 'ops', 'not wanted'))).status).toBe('cancelled');
  expect(world.status(next.id)).toBe('active');
  expect(world.scope(user.id)).toMatchObject({ status: 'waiting', pending: [id] });
  expect(world.scope(user.id).notes[0]?.text).toContain('not wanted');
  expect(codeOf(by(world, (draft) => cancel(draft, id, 'ops', 'twice')))).toBe('UNKNOWN_SCOPE');
});

test('only what has failed or was cancelled is opened again, with its inputs looked up anew', () => {
  const world = new World({ maxLiveScopes: 3 });
  const planner = world.agent('planner');
  const source = got(planner.open(['a.ts']));
  const user = got(planner.open(['b.ts'], { consumes: [source] }));
  got(by(world, (draft) => cancel(draft, user, 'ops', 'not now')));
  const agent = world.agent('u');
  got(agent.next());
  got(agent.publish());
  expect(got(by(world, (draft) => reopen(draft, user, 'ops', 'now')))).toMatchObject({ status: 'open', pending: [] });
  expect(codeOf(by(world, (draft) => reopen(draft, user, 'ops', 'now')))).toBe('BLOCKED');
  expect(codeOf(by(world, (draft) => reopen(draft, source, 'ops', 'now')))).toBe('BLOCKED');
  expect(codeOf(by(world, (draft) => reopen(draft, 'S099', 'ops', 'now')))).toBe('UNKNOWN_SCOPE');
  got(by(world, (draft) => cancel(draft, user, 'ops', 'not now')));
  for (const path of ['c.ts', 'd.ts', 'e.ts']) got(planner.open([path]));
  expect(codeOf(by(world, (draft) => reopen(draft, user, 'ops', 'now')))).toBe('LIMIT');
});

test('notes wait for the owner, the latest twenty of them', () => {
  const world = new World();
  const { id } = got(world.agent('u').claim(['a.ts']));
  for (let count = 0; count < 25; count++) got(by(world, (draft) => note(draft, id, 'ops', `note ${count}`)));
  const { notes } = world.scope(id);
  expect(notes.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, at) => `note ${at + 5}`));
  world.record([{ type: 'scope.told', scope: id, until: notes.at(-2)?.seq ?? 0 }]);
  expect(world.scope(id).notes.map(({ text }) => text)).toEqual(['note 24']);
  expect(codeOf(by(world, (draft) => note(draft, 'S099', 'ops', 'nobody')))).toBe('UNKNOWN_SCOPE');
});

test('Signalbox raises one scope for one cause, and those whose work collided hear of the end', () => {
  const world = new World();
  const { id } = got(world.agent('u').claim(['a.ts']));
  const gone = got(world.agent('w').claim(['w.ts'])).id;
  got(world.agent('w').publish());
  const conflict = { between: [id, gone], paths: ['b.ts'], sides: ['h1', 'h2'] };
  const occasion = {
    cause: 'x',
    title: 'Conflict in b.ts',
    note: '',
    phase: 'iterate' as const,
    units: ['b.ts'],
    conflict,
  };
  const raised = world.operate((draft) => raise(draft, occasion));
  expect(world.operate((draft) => raise(draft, occasion))).toBeUndefined();
  const solver = world.agent('v');
  expect(got(solver.next('iterate'))).toBe(raised);
  got(solver.publish());
  expect(world.scope(id).notes.map(({ text }) => text)).toEqual(['the conflict in b.ts is resolved: as asked']);
  expect(world.operate((draft) => raise(draft, occasion))).toBe('S004');
});

test('a refusal names what was asked for', () => {
  const world = new World();
  expect(refusalOf(by(world, (draft) => pause(draft, 'nonsense', 'ops', 'why')))).toMatchObject({
    code: 'UNKNOWN_SCOPE',
  });
});
