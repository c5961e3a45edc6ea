import { expect, test } from 'vitest';
import { type EndedCommand, failureOf, hasFailed } from './failure.js';
import { raise } from './raise.js';
import { got, World } from './scenario.testsuite.js';

const ended: EndedCommand = {
  run: 'R001',
  process: 'test',
  command: 'npm test',
  ending: 'exited',
  exit: 1,
  output: 'not ok 1',
};

test.each([
  ['exited', 0, false],
  ['exited', 1, true],
  ['exited', null, true],
  ['timed_out', null, true],
  ['stopped', null, false],
  ['lease_lost', null, false],
  ['output_limit', null, false],
] as const)('%s with %s has failed: %s', (ending, exit, failed) => {
  expect(hasFailed({ ending, exit })).toBe(failed);
});

test('a failing command is work for one scope, however often it is run, until that has ended', () => {
  const world = new World();
  const fail = (more: Partial<EndedCommand> = {}) =>
    world.operate((draft) => raise(draft, failureOf({ ...ended, ...more })));
  const { id } = got(world.agent('ada').claim(['a.ts']));
  const opened = fail({ scope: id });
  expect(world.scope(String(opened)).contract).toMatchObject({
    title: 'npm test failed with exit code 1',
    note: 'Found by R001 of S001. The end of its output:\nnot ok 1',
    phase: 'iterate',
    parent: id,
  });
  expect(fail({ run: 'R002' })).toBeUndefined();
  expect(fail({ run: 'R003', command: 'npm run lint' })).toBe('S003');
  const ben = world.agent('ben');
  expect(got(ben.next('iterate'))).toBe(opened);
  expect(fail({ run: 'R004' })).toBeUndefined();
  got(ben.publish());
  expect(fail({ run: 'R005', ending: 'timed_out', exit: null })).toBe('S004');
  expect(world.scope('S004').contract.title).toBe('npm test timed out');
});

test('long output is cut, and a long command too', () => {
  const world = new World();
  const occasion = failureOf({ ...ended, command: 'x'.repeat(500), output: `${'y'.repeat(5_000)}end` });
  expect(occasion.note.endsWith('end')).toBe(true);
  expect(occasion.note.length).toBeLessThan(2_100);
  expect(world.scope(String(world.operate((draft) => raise(draft, occasion)))).contract.title).toHaveLength(200);
});
