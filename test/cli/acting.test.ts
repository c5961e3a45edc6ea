import { expect, test } from 'vitest';
import { stdioAgent } from '../support/agents.js';
import { runCli, startCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n' };
const EDITS = [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }];

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'hold keeps agents out until %s, and then lets them in',
  async (signal) => {
    const { root } = newWorkspace(FILES);
    const ada = await stdioAgent(root, 'ada');
    const hold = startCli(['hold', 'src', 'docs/'], { cwd: root });
    await hold.shows(/S001 holds src\/ docs\/\. Press Ctrl-C/);
    const { text } = await ada.refused('HELD', 'patch', { edits: EDITS });
    expect(text).toContain('Held by a person');
    const claim = ada.ok('claim_scope', { title: 'Next', units: ['src/a.txt'] });
    const status = startCli(['status', '--watch'], { cwd: root });
    await status.shows(/S002 +waiting/);
    expect(await hold.stop(signal)).toBe(0);
    await hold.shows(/S001 is released/);
    expect(await claim).toMatchObject({ status: 'active', units: ['src/a.txt'] });
    await ada.ok('patch', { edits: EDITS });
  },
);

test('hold waits for an agent, says so, and leaves the queue when it is stopped', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const early = startCli(['hold', 'src/', '--json'], { cwd: root });
  await early.complains(/place 1 in the queue, behind S001 \(ada\)/);
  expect(await early.stop()).toBe(0);
  expect((await ada.ok('list_scopes')).scopes).toHaveLength(1);
  const hold = startCli(['hold', 'src/', '--json'], { cwd: root });
  await hold.complains(/place 1 in the queue/);
  await ada.ok('release_scope', { scope });
  expect(JSON.parse(await hold.shows(/\n/))).toMatchObject({ id: 'S003', status: 'active', units: ['src/'] });
  await ada.refused('HELD', 'patch', { edits: EDITS });
  expect(await hold.stop()).toBe(0);
  await ada.ok('patch', { edits: EDITS });
});

test('hold says so and ends when its units are taken away', async () => {
  const { root } = newWorkspace(FILES);
  const hold = startCli(['hold', 'src/'], { cwd: root });
  await hold.shows(/S001 holds src/);
  expect((await runCli(['release', 'S001'], { cwd: root })).code).toBe(0);
  await hold.complains(/LEASE_LOST: S001 was taken away.*\n.*events --scope S001/);
  expect(await hold.ended).toBe(1);
});

test('release takes a scope away: its agent is told, and the next one gets what was done', async () => {
  const { root } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const ben = await stdioAgent(root, 'ben');
  const { scope, id } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  await ada.ok('patch', { scope, edits: EDITS });
  const released = await runCli(['release', id, '--json', '--reason', 'ada sleeps'], { cwd: root });
  expect([released.code, JSON.parse(released.out)]).toEqual([0, { id, status: 'open' }]);
  const edits = [{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei' }];
  expect((await ada.refused('LEASE_LOST', 'patch', { scope, edits })).text).toContain('ada sleeps');
  const next = await ben.ok('claim_scope', { scope: id });
  expect(next.handover).toMatchObject({ from: 'ada', note: expect.stringMatching(/^ada sleeps \(by \w+\)$/) });
  expect(next.handover.diff).toContain('-one\n+eins\n');
  await ben.ok('patch', { scope: next.scope, edits });
  const again = await runCli(['release', id], { cwd: root });
  expect(again).toMatchObject({ code: 0, out: `${id} is open.\n` });
  const third = await runCli(['release', id], { cwd: root });
  expect(third.code).toBe(1);
  expect(third.err).toMatch(/^signalbox: NOT_CLAIMED: S001 is open: nobody holds it\.\n`signalbox status`/);
});

test('release of a scope that has a command under way ends the command', async () => {
  const { root, text } = newWorkspace(FILES);
  const ada = await stdioAgent(root, 'ada');
  const { id } = await ada.ok('claim_scope', { title: 'Mine', units: ['src/a.txt'] });
  const run = ada.ok('run', { command: 'echo late > src/a.txt; sleep 60' });
  const events = startCli(['events', '--follow'], { cwd: root });
  await events.shows(/run\.started/);
  expect((await runCli(['release', id], { cwd: root })).code).toBe(0);
  expect(await run).toMatchObject({ state: 'lease_lost', changed: [] });
  expect(text('src/a.txt')).toBe('one\ntwo\n');
});
