import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Agent, type Answer, stdioAgent } from '../support/agents.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';
import { judge } from './checker.js';
import { until } from './until.js';

const SHORT_LEASE = 'lease_seconds: 6\npublish:\n  commit: none\n';
/** So many that preparing and renaming them takes long enough to be met in the middle. */
const MANY = 400;
const PATHS = Array.from({ length: MANY }, (_, at) => `src/${at}.txt`);

function manyFiles(): TestWorkspace {
  const files = Object.fromEntries(PATHS.map((path) => [path, 'old\n']));
  return newWorkspace({ ...files, 'ben.txt': 'old\n', 'signalbox.yaml': SHORT_LEASE });
}

function editsOf(paths: readonly string[], text: string, old = 'old'): object[] {
  return paths.map((path) => ({ path, old_string: old, new_string: text }));
}

interface Stopped {
  readonly underWay: Promise<Answer>;
  /** What the files hold before the patch and after it. */
  readonly old: string;
  readonly young: string;
}

/**
 * Lets an agent patch all files and stops its server as soon as `begun`. When the machine was too busy to meet it in time,
 * the server goes on, and is met at its next patch.
 */
async function stopMidway(
  agent: Agent,
  scope: string,
  begun: (young: string) => boolean,
  met: (young: string) => boolean,
): Promise<Stopped> {
  for (let attempt = 0, old = 'old'; attempt < 30; attempt++) {
    const young = `ada${attempt}`;
    const underWay = agent.call('patch', { scope, edits: editsOf(PATHS, young, old) });
    await until(() => begun(young));
    agent.signal('SIGSTOP');
    if (met(young)) return { underWay, old, young };
    agent.signal('SIGCONT');
    const answer = await underWay;
    if (answer.isError) throw new Error(answer.text);
    old = young;
  }
  throw new Error('the server was never stopped midway');
}

function temporaryFiles(root: string): string[] {
  return readdirSync(join(root, 'src')).filter((name) => name.startsWith('.signalbox-'));
}

test('promise 2: a server that was stopped past its lease, with a patch under way, writes nothing', async () => {
  const { root, text, events } = manyFiles();
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben', 'modern')]);
  const { scope, id } = await ada.ok('claim_scope', { title: 'All of it', units: ['src/'] });

  const preparing = () => temporaryFiles(root).length;
  const { underWay, old } = await stopMidway(
    ada,
    scope,
    () => preparing() > 0,
    () => preparing() > 0 && preparing() < MANY,
  );
  const sentSince = ada.call('patch', { scope, edits: editsOf(['src/1.txt'], 'ada', old) });

  const taken = await ben.ok('claim_scope', { title: 'Mine now', units: ['src/'] });
  expect(taken.status).toBe('active');
  await ben.ok('patch', { scope: taken.scope, edits: editsOf(['src/0.txt'], 'ben', old) });
  ada.signal('SIGCONT');

  for (const answer of await Promise.all([underWay, sentSince])) expect(answer.text).toMatch(/^LEASE_LOST: /);
  expect(text('src/0.txt')).toBe('ben\n');
  expect(PATHS.slice(1).filter((path) => text(path) !== `${old}\n`)).toEqual([]);
  expect(temporaryFiles(root)).toEqual([]);
  const ledger = await events();
  expect(judge(ledger).faults).toEqual([]);
  const ends = ledger.filter(({ body }) => body.type === 'scope.expired');
  expect(ends.map(({ body }) => body)).toMatchObject([{ scope: id, from: 'ada' }]);
  await ada.refused('LEASE_LOST', 'patch', { scope, edits: editsOf(['src/2.txt'], 'ada', old) });
});

test('promise 7: while a server is stopped inside its transaction, nothing is granted and no lease runs out', async () => {
  const { root, text, events } = manyFiles();
  const [ada, ben, cleo] = await Promise.all(['ada', 'ben', 'cleo'].map((name) => stdioAgent(root, name)));
  if (ada === undefined || ben === undefined || cleo === undefined) throw new Error('three were started');
  const adas = await ada.ok('claim_scope', { title: 'All of it', units: ['src/'] });
  const bens = await ben.ok('claim_scope', { title: 'One file', units: ['ben.txt'] });

  const { underWay, young } = await stopMidway(
    ada,
    adas.scope,
    (to) => ['src/0.txt', `src/${MANY - 1}.txt`].some((path) => text(path) === `${to}\n`),
    (to) => PATHS.some((path) => text(path) !== `${to}\n`),
  );

  // Each of these calls tries for longer than the lease before it gives up.
  const meanwhile = await Promise.all([
    ben.call('patch', { scope: bens.scope, edits: editsOf(['ben.txt'], 'ben') }),
    cleo.call('claim_scope', { title: 'Free', units: ['free.txt'] }),
    cleo.call('claim_scope', { title: 'Held', units: ['src/0.txt'], agent: 'another' }),
  ]);
  for (const answer of meanwhile) expect(answer.text).toMatch(/^BUSY: /);
  const { files } = await cleo.ok('read', { paths: ['ben.txt'] });
  expect(files[0].text, 'looking goes on').toBe('old\n');
  ada.signal('SIGCONT');

  expect((await underWay).isError).toBe(false);
  expect(PATHS.filter((path) => text(path) !== `${young}\n`)).toEqual([]);
  await ben.ok('patch', { scope: bens.scope, edits: editsOf(['ben.txt'], 'ben') });
  await ada.ok('patch', { scope: adas.scope, edits: [{ path: 'src/0.txt', old_string: young, new_string: 'again' }] });
  expect((await cleo.ok('claim_scope', { title: 'Free', units: ['free.txt'] })).status).toBe('active');
  const ledger = await events();
  expect(ledger.filter(({ body }) => body.type === 'scope.expired')).toEqual([]);
  expect(judge(ledger)).toMatchObject({ faults: [], grants: 3 });
});
