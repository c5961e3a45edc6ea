import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DEFAULTS } from '../../src/domain/settings.js';
import { openDriver } from '../../src/store/sqlite/driver.js';
import { openSqliteStore } from '../../src/store/sqlite/open.js';
import type { Keep } from '../../src/store/store.js';
import { type Agent, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

const DAY = 86_400_000;

/** Makes all that is kept older, as if nobody had worked here for so long: what was written is long on the disk, too. */
function age(root: string, days: number): void {
  const driver = openDriver(join(root, '.signalbox/signalbox.db'));
  driver.exec('PRAGMA busy_timeout = 20000');
  driver.exec(`UPDATE contents SET at = at - ${days * DAY}; UPDATE ledger SET swept = 0; DELETE FROM intents`);
  driver.close();
}

/** What an agent reads, once it is not there any more. */
async function untilGone(agent: Agent, path: string): Promise<string> {
  for (;;) {
    const { files } = await agent.ok('read', { paths: [path] });
    if (files[0].error !== undefined) return files[0].error;
  }
}

test('what nothing needs any more expires with the start of a server, and whoever asks for it is told', async () => {
  const { root, text } = newWorkspace({
    'src/a.txt': 'one\n',
    'src/b.txt': 'b\n',
    'signalbox.yaml': 'keep: {contents_days: 2}\n',
  });
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
  await ada.ok('patch', { edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });
  const ran = await ada.ok('run', { command: 'echo said' });
  const note = { type: 'decision', content: 'We count in German.' };
  const published = await ada.ok('publish_output', { summary: 's', artifacts: [note] });
  const { scope } = await ben.ok('patch', { edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
  await ben.ok('patch', { edits: [{ path: 'src/b.txt', old_string: 'B', new_string: 'BB' }] });
  age(root, 1.9);
  const early = await stdioAgent(root, 'early');
  expect(await early.ok('run', { run: ran.run })).toMatchObject({ output: 'said\n' });
  age(root, 0.2);

  const cleo = await stdioAgent(root, 'cleo');
  const reason = /^NOT_FOUND: artifact:[0-9a-f]+, what R001 printed, has expired: .*keep\.contents_days/;
  expect(await untilGone(cleo, `artifact:${ran.log}`)).toMatch(reason);
  expect(await untilGone(cleo, `artifact:${ran.log.slice(0, 10)}`)).toMatch(reason);
  const again = await cleo.ok('run', { run: ran.run });
  expect(again).toMatchObject({ state: 'exited', output: '', advice: expect.stringContaining('has expired') });
  expect(await runCli(['log', 'R001'], { cwd: root })).toMatchObject({
    code: 1,
    err: expect.stringMatching(/NOT_FOUND: .*expired/),
  });
  const diff = (await runCli(['diff', 'S001'], { cwd: root })).out;
  expect(diff).toMatch(/# src\/a\.txt: changed from [0-9a-f]{10} to [0-9a-f]{10}, whose texts have expired/);

  // What was published, and what is still being worked on, is needed.
  const { files } = await cleo.ok('read', { paths: [`artifact:${published.artifacts[0].hash}`] });
  expect(files[0].text).toBe('We count in German.');
  await ben.ok('release_scope', { scope, changes: 'revert' });
  expect([text('src/a.txt'), text('src/b.txt')]).toEqual(['eins\n', 'b\n']);
});

test('old events are cut while agents work: what is live goes on, and what has ended is told as far as it is known', async () => {
  const { root, git, events } = newWorkspace({ 'src/a.txt': 'one\ntwo\n', 'src/b.txt': 'b\n' });
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
  const { scope: held } = await ada.ok('claim_scope', { title: 'Held', units: ['docs/'] });
  await ben.ok('patch', { edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
  const ran = await ben.ok('run', { command: 'echo more >> src/b.txt; echo said' });
  await ben.ok('publish_output', { summary: 's' });
  await ada.ok('release_scope', { scope: held });
  const last = (await events()).length;
  const { scope } = await ada.ok('claim_scope', { title: 'Count', units: ['src/a.txt'] });
  await ada.ok('patch', { edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });

  await inAYear(root, { contents: 500 * DAY, events: 300 * DAY });
  const left = await events();
  expect(left.map(({ body }) => body.type)).toEqual(['scope.granted', 'files.changed']);
  expect(left[0]?.seq).toBe(last + 2);
  await ada.ok('patch', { edits: [{ path: 'src/a.txt', old_string: 'two', new_string: 'zwei' }] });
  await ben.refused('HELD', 'patch', { edits: [{ path: 'src/a.txt', old_string: 'zwei', new_string: 'deux' }] });
  expect((await ben.ok('list_scopes', { id: 'S002' })).scopes[0]).toMatchObject({ status: 'done', summary: 's' });
  expect(await ada.ok('run', { run: ran.run })).toMatchObject({ state: 'exited', exit_code: 0, output: 'said\n' });
  expect((await runCli(['diff', 'S002'], { cwd: root })).out).toContain('-b\n+B\n+more\n');
  expect((await runCli(['diff', 'S003'], { cwd: root })).out).toContain('-one\n-two\n+eins\n+zwei\n');
  const undone = await runCli(['undo', 'S002'], { cwd: root });
  expect(undone).toMatchObject({ code: 1, err: expect.stringContaining('The events of S002 are not kept any more') });
  await ada.ok('publish_output', { scope, summary: 'Counted' });
  expect(git('show', 'HEAD:src/a.txt')).toBe('eins\nzwei\n');
});

async function inAYear(root: string, keep: Keep): Promise<void> {
  const recovery = { undo: () => [], redo: () => [] };
  const wall = () => Date.now() + 400 * DAY;
  const store = await openSqliteStore({ folder: join(root, '.signalbox'), settings: DEFAULTS, recovery, wall });
  await store.expire(keep);
  await store.close();
}
