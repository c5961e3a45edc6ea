import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type Agent, stdioAgent } from '../support/agents.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';
import { until } from './moments.js';
import { random } from './random.js';

const SEED = 20_261_121;
const RANDOM_KILLS = 4;

let folder: string;
let armed: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-git-'));
  armed = join(folder, 'armed');
  writeFileSync(join(folder, 'git'), killingGit(execFileSync('which', ['git'], { encoding: 'utf8' }).trim()));
  chmodSync(join(folder, 'git'), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A git that kills the server which called it, once, at the command that it is armed for. */
function killingGit(git: string): string {
  return `#!/bin/sh
when=; word=
[ -f '${armed}' ] && read -r when word < '${armed}'
hit=no
for each in "$@"; do [ "$each" = "$word" ] && hit=yes; done
[ $hit = no ] && exec '${git}' "$@"
rm '${armed}'
[ $when = after ] || kill -9 $PPID
[ $when = instead ] && exit 1
'${git}' "$@"
code=$?
[ $when = after ] && kill -9 $PPID
exit $code
`;
}

type Moment = `${'instead' | 'before' | 'after'} ${string}`;

/** A repository in which a person has something staged, and a scope that has a change to publish. */
async function begun(): Promise<{ workspace: TestWorkspace; ada: Agent; scope: string }> {
  const workspace = newWorkspace({ 'src/a.txt': 'one\n', 'src/b.txt': 'b\n' });
  workspace.write('src/b.txt', 'staged\n');
  workspace.git('add', 'src/b.txt');
  const ada = await agentOf(workspace);
  const { scope } = await ada.ok('claim_scope', { title: 'Translate', units: ['src/a.txt'] });
  await ada.ok('patch', { scope, edits: [{ path: 'src/a.txt', old_string: 'one', new_string: 'eins' }] });
  return { workspace, ada, scope };
}

function agentOf({ root }: TestWorkspace): Promise<Agent> {
  return stdioAgent(root, 'ada', 'legacy', { PATH: `${folder}${delimiter}${process.env.PATH}` });
}

/** Publishes, as an agent does that is told to call again. */
async function publish(agent: Agent, args: object): Promise<void> {
  for (;;) {
    const { isError, text } = await agent.call('publish_output', args);
    if (!isError) return;
    if (!text.startsWith('BLOCKED: ')) throw new Error(text);
  }
}

function ours({ root }: TestWorkspace): string[] {
  return readdirSync(join(root, '.git')).filter((name) => name.includes('signalbox') || name === 'index.lock');
}

/** Each commit of a scope is on record, once, and each on record is in HEAD; the person's staged work stands. */
async function expectWhole(workspace: TestWorkspace, text: string): Promise<void> {
  const { git } = workspace;
  const made = git('log', '--reverse', '--grep=^Scope: ', '--format=%H').trim().split('\n');
  const recorded = (await workspace.events()).flatMap(({ body }) => ('commit' in body && body.commit) || []);
  expect(recorded).toEqual(made);
  expect(git('show', 'HEAD:src/a.txt')).toBe(text);
  expect(git('show', 'HEAD:src/b.txt')).toBe('b\n');
  expect(git('status', '--porcelain')).toBe('M  src/b.txt\n');
  expect(ours(workspace)).toEqual([]);
}

test.each<Moment>([
  'after commit-tree',
  'instead --index-info',
  'after --index-info',
  'instead update-ref',
  'before update-ref',
  'after update-ref',
])('promise 6: a server killed %s leaves its publication wholly done or not done at all', async (moment) => {
  const { workspace, ada, scope } = await begun();
  writeFileSync(armed, `${moment}\n`);
  const answer = ada.call('publish_output', { scope, summary: 's', status: 'progress' });
  await expect(answer).rejects.toThrow();
  expect(existsSync(armed), 'the moment came').toBe(false);
  const again = await agentOf(workspace);
  await publish(again, { scope, summary: 's' });
  await expectWhole(workspace, 'eins\n');
  expect((await again.ok('list_scopes', { status: 'done' })).scopes).toHaveLength(1);
});

test('promise 6: the next server lets git’s index go, though nobody publishes', async () => {
  const { workspace, ada, scope } = await begun();
  writeFileSync(armed, 'after update-ref\n');
  await expect(ada.call('publish_output', { scope, summary: 's' })).rejects.toThrow();
  expect(ours(workspace)).toContain('index.lock');
  expect(() => workspace.git('commit', '--quiet', '--message', 'Would take it back')).toThrow(/index\.lock/);
  const free = new Promise<void>((resolve) => {
    const watcher = watch(join(workspace.root, '.git'), () => ours(workspace).length === 0 && resolve());
    onTestFinished(() => watcher.close());
  });
  const again = await agentOf(workspace);
  await again.ok('list_scopes');
  await free;
  await publish(again, { scope, summary: 's' });
  await expectWhole(workspace, 'eins\n');
});

test(`promise 6: servers killed at random while they publish (seed ${SEED})`, async () => {
  const { workspace, ada, scope } = await begun();
  const { next } = random(SEED);
  let agent = ada;
  let number = 0;
  for (let kills = 0; kills < RANDOM_KILLS; kills++) {
    const answer = agent.call('publish_output', { scope, summary: 's', status: 'progress' }).catch(() => undefined);
    await until(() => existsSync(join(workspace.root, '.git/index.lock')), answer);
    for (let turns = Math.floor(next() * 400); turns > 0; turns--) await until(() => true);
    agent.signal('SIGKILL');
    await agent.closed;
    agent = await agentOf(workspace);
    await publish(agent, { scope, summary: 's', status: 'progress' });
    number += 1;
    const { files } = await agent.ok('read', { paths: ['src/a.txt'] });
    await agent.ok('patch', { scope, edits: [{ path: 'src/a.txt', content: `${number}\n`, base: files[0].version }] });
  }
  await publish(agent, { scope, summary: 's' });
  await expectWhole(workspace, `${number}\n`);
}, 120_000);
