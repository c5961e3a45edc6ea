import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Agent, httpAgent, serve, stdioAgent } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';
import { judge } from './checker.js';

const WITHOUT_COMMITS = 'publish:\n  commit: none\n';

/** One call of each tool that would otherwise be granted. */
function everyTool(scope: string): [tool: string, args: object][] {
  return [
    ['read', { paths: ['a.txt'] }],
    ['patch', { scope, edits: [{ path: 'a.txt', old_string: 'old', new_string: 'new' }] }],
    ['run', { scope, command: 'echo new > a.txt' }],
    ['claim_scope', { title: 'Another', units: ['b.txt'] }],
    ['publish_output', { scope, summary: 'Done' }],
    ['open_scope', { title: 'Later' }],
    ['release_scope', { scope }],
    ['list_scopes', {}],
  ];
}

async function expectNothingWorks(agent: Agent, scope: string): Promise<void> {
  for (const [tool, args] of everyTool(scope)) {
    const { text } = await agent.refused('UNAVAILABLE', tool, args);
    expect(text).toMatch(/the database .* was (removed|replaced) under the running server: restart it/);
  }
}

test('promise 11: when git clean takes the database away, every tool refuses and nothing is written', async () => {
  const { root, text, git } = newWorkspace({ 'a.txt': 'old\n', 'signalbox.yaml': WITHOUT_COMMITS });
  const server = await serve(root);
  const [ada, ben, cleo] = await Promise.all([
    stdioAgent(root, 'ada'),
    stdioAgent(root, 'ben', 'modern'),
    httpAgent(server, 'cleo'),
  ]);
  const adas = await ada.ok('claim_scope', { title: 'Change a', units: ['a.txt'] });
  const cleos = await cleo.ok('claim_scope', { title: 'Change c', units: ['c.txt'] });
  const waiting = ben.call('claim_scope', { title: 'Wait for a', units: ['a.txt'] });
  await ben.ok('read', { paths: ['a.txt'] });

  git('clean', '-fdxq');

  expect((await waiting).text).toMatch(/^UNAVAILABLE: /);
  await expectNothingWorks(ada, adas.scope);
  await expectNothingWorks(cleo, cleos.scope);
  expect(text('a.txt')).toBe('old\n');
  expect(git('status', '--porcelain', '--ignored')).toBe('');

  const dan = await stdioAgent(root, 'dan');
  await dan.ok('patch', { edits: [{ path: 'a.txt', old_string: 'old', new_string: 'anew' }] });
  await ada.refused('UNAVAILABLE', 'patch', {
    scope: adas.scope,
    edits: [{ path: 'a.txt', old_string: 'anew', new_string: 'ada' }],
  });
  expect(text('a.txt')).toBe('anew\n');
});

test('promise 11: while another file stands in the place of the database, every tool refuses; when it is back, they work', async () => {
  const { root, text } = newWorkspace({ 'a.txt': 'old\n', 'signalbox.yaml': WITHOUT_COMMITS });
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Change a', units: ['a.txt'] });
  const database = join(root, '.signalbox/signalbox.db');
  renameSync(database, `${database}.aside`);
  copyFileSync(`${database}.aside`, database);

  await expectNothingWorks(ada, scope);
  expect(text('a.txt')).toBe('old\n');

  renameSync(`${database}.aside`, database);
  await ada.ok('patch', { scope, edits: [{ path: 'a.txt', old_string: 'old', new_string: 'new' }] });
  expect(text('a.txt')).toBe('new\n');
});

test('promise 11: on a full disk every change is refused and the old content stays; with room again all goes on', async (context) => {
  const disk = smallDisk();
  if (typeof disk === 'string') {
    console.warn(`skipped, because no small file system can be mounted here: ${disk}`);
    context.skip(disk);
    return;
  }
  const { root, text, events } = newWorkspace({ 'a.txt': 'old\n', 'b.txt': 'old\n' }, disk.folder);
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben', 'modern')]);
  const { scope } = await ada.ok('claim_scope', { title: 'Change both', units: ['a.txt', 'b.txt'] });
  const edits = ['a.txt', 'b.txt'].map((path) => ({ path, old_string: 'old', new_string: 'new'.repeat(5_000) }));
  const makeRoom = disk.fill();

  await ada.refused('UNAVAILABLE', 'patch', { scope, edits });
  await ben.refused('UNAVAILABLE', 'claim_scope', { title: 'Free', units: ['c.txt'] });
  await ada.refused('UNAVAILABLE', 'publish_output', { scope, summary: 'Done' });
  await ada.refused('UNAVAILABLE', 'release_scope', { scope });
  expect([text('a.txt'), text('b.txt')]).toEqual(['old\n', 'old\n']);
  expect(readdirSync(root).filter((name) => name.startsWith('.signalbox-'))).toEqual([]);
  expect((await ben.ok('read', { paths: ['a.txt'] })).files[0].text).toBe('old\n');

  makeRoom();
  await ada.ok('patch', { scope, edits });
  expect((await ben.ok('claim_scope', { title: 'Free', units: ['c.txt'] })).id).toBe('S002');
  expect((await ada.ok('publish_output', { scope, summary: 'Done' })).status).toBe('done');
  expect(text('b.txt')).toMatch(/^(new)+\n$/);
  expect(judge(await events())).toMatchObject({ faults: [], grants: 2 });
});

interface SmallDisk {
  readonly folder: string;
  /** Writes to it until not a byte is left; what it returns makes room again. */
  fill(): () => void;
}

/** A file system of a few megabytes in memory, or why there is none. */
function smallDisk(): SmallDisk | string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    return String(error instanceof Error ? error.message : error).trim();
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  });
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill() {
      for (const size of [1 << 20, 1 << 12, 1]) while (append(ballast, size));
      return () => rmSync(ballast);
    },
  };
}

function append(path: string, size: number): boolean {
  try {
    writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    return true;
  } catch {
    return false;
  }
}
