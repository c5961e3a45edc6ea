import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { type Agent, httpAgent, serve, stdioAgent } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';
import { judge } from './checker.js';

const WITHOUT_COMMITS = 'publish:\n  commit: none\n';
const PAGE = 4096;
/** With room for so many pages, a small patch gets through. */
const MOST_PAGES = 30;

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
  const disk = smallDisk(context);
  const { root, text, events } = newWorkspace({ 'a.txt': 'old\n', 'b.txt': 'old\n' }, disk.folder);
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben', 'modern')]);
  const { scope } = await ada.ok('claim_scope', { title: 'Change both', units: ['a.txt', 'b.txt'] });
  const edits = ['a.txt', 'b.txt'].map((path) => ({ path, old_string: 'old', new_string: 'new'.repeat(5_000) }));
  disk.fill(0);

  await ada.refused('UNAVAILABLE', 'patch', { scope, edits });
  await ben.refused('UNAVAILABLE', 'claim_scope', { title: 'Free', units: ['c.txt'] });
  await ada.refused('UNAVAILABLE', 'publish_output', { scope, summary: 'Done' });
  await ada.refused('UNAVAILABLE', 'release_scope', { scope });
  expect([text('a.txt'), text('b.txt')]).toEqual(['old\n', 'old\n']);
  expect(temporaryFiles(root)).toEqual([]);
  expect((await ben.ok('read', { paths: ['a.txt'] })).files[0].text).toBe('old\n');

  disk.makeRoom();
  await ada.ok('patch', { scope, edits });
  expect((await ben.ok('claim_scope', { title: 'Free', units: ['c.txt'] })).id).toBe('S002');
  expect((await ada.ok('publish_output', { scope, summary: 'Done' })).status).toBe('done');
  expect(text('b.txt')).toMatch(/^(new)+\n$/);
  expect(judge(await events())).toMatchObject({ faults: [], grants: 2 });
});

test('promises 6 and 11: at whatever point of a patch the disk runs full, both files are changed or none', async (context) => {
  const disk = smallDisk(context);
  const { root, text, events } = newWorkspace({ 'a.txt': '0\n', 'b.txt': '0\n' }, disk.folder);
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Count', units: ['a.txt', 'b.txt'] });
  const outcomes = new Set<string>();
  let count = 0;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    disk.fill(pages);
    const edits = ['a.txt', 'b.txt'].map((path) => ({ path, old_string: `${count}`, new_string: `${count + 1}` }));
    const answer = await ada.call('patch', { scope, edits });
    outcomes.add(answer.isError ? answer.text.slice(0, answer.text.indexOf(':')) : 'done');
    if (!answer.isError) count += 1;
    expect([text('a.txt'), text('b.txt')]).toEqual([`${count}\n`, `${count}\n`]);
  }
  expect([...outcomes].toSorted()).toEqual(['UNAVAILABLE', 'done']);
  disk.makeRoom();
  await ada.ok('publish_output', { scope, summary: 'Counted' });
  const changes = (await events()).filter(({ body }) => body.type === 'files.changed');
  expect(changes).toHaveLength(count);
});

function temporaryFiles(root: string): string[] {
  return readdirSync(root).filter((name) => name.startsWith('.signalbox-'));
}

interface SmallDisk {
  readonly folder: string;
  /** Leaves room for so many pages of 4 kB, and not a byte more. */
  fill(pages: number): void;
  makeRoom(): void;
}

/** A file system of a few megabytes in memory. Where there can be none, the test is skipped and says why. */
function smallDisk(context: TestContext): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-disk-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    const reason = `no small file system can be mounted here: ${error instanceof Error ? error.message.trim() : error}`;
    console.warn(`skipped, because ${reason}`);
    context.skip(reason);
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill(pages) {
      for (const size of [1 << 20, PAGE]) while (append(ballast, size));
      truncateSync(ballast, statSync(ballast).size - pages * PAGE);
    },
    makeRoom: () => rmSync(ballast),
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
