import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stdioAgent } from '../support/agents.js';
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

function editsOf(paths: readonly string[], text: string): object[] {
  return paths.map((path) => ({ path, old_string: 'old', new_string: text }));
}

function temporaryFiles(root: string): string[] {
  return readdirSync(join(root, 'src')).filter((name) => name.startsWith('.signalbox-'));
}

test('promise 2: a server that was stopped past its lease, with a patch under way, writes nothing', async () => {
  const { root, text, events } = manyFiles();
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben', 'modern')]);
  const { scope, id } = await ada.ok('claim_scope', { title: 'All of it', units: ['src/'] });

  const underWay = ada.call('patch', { scope, edits: editsOf(PATHS, 'ada') });
  await until(() => temporaryFiles(root).length > 0);
  ada.signal('SIGSTOP');
  expect(existsSync(join(root, '.signalbox/applying')), 'stopped between its checks and its transaction').toBe(false);
  const sentSince = ada.call('patch', { scope, edits: editsOf(['src/1.txt'], 'ada') });

  const taken = await ben.ok('claim_scope', { title: 'Mine now', units: ['src/'] });
  expect(taken.status).toBe('active');
  await ben.ok('patch', { scope: taken.scope, edits: editsOf(['src/0.txt'], 'ben') });
  ada.signal('SIGCONT');

  for (const answer of await Promise.all([underWay, sentSince])) expect(answer.text).toMatch(/^LEASE_LOST: /);
  expect(text('src/0.txt')).toBe('ben\n');
  expect(PATHS.slice(1).filter((path) => text(path) !== 'old\n')).toEqual([]);
  expect(temporaryFiles(root)).toEqual([]);
  const ledger = await events();
  expect(judge(ledger).faults).toEqual([]);
  const ends = ledger.filter(({ body }) => body.type === 'scope.expired');
  expect(ends.map(({ body }) => body)).toMatchObject([{ scope: id, from: 'ada' }]);
  await ada.refused('LEASE_LOST', 'patch', { scope, edits: editsOf(['src/2.txt'], 'ada') });
});

test('promise 7: while a server is stopped inside its transaction, nothing is granted and no lease runs out', async () => {
  const { root, text, events } = manyFiles();
  const [ada, ben, cleo] = await Promise.all(['ada', 'ben', 'cleo'].map((name) => stdioAgent(root, name)));
  if (ada === undefined || ben === undefined || cleo === undefined) throw new Error('three were started');
  const adas = await ada.ok('claim_scope', { title: 'All of it', units: ['src/'] });
  const bens = await ben.ok('claim_scope', { title: 'One file', units: ['ben.txt'] });

  const underWay = ada.call('patch', { scope: adas.scope, edits: editsOf(PATHS, 'ada') });
  await until(() => existsSync(join(root, '.signalbox/applying')));
  ada.signal('SIGSTOP');
  const renamed = PATHS.filter((path) => text(path) === 'ada\n').length;
  expect(renamed, 'stopped among its renames').toBeLessThan(MANY);

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
  expect(PATHS.filter((path) => text(path) !== 'ada\n')).toEqual([]);
  await ben.ok('patch', { scope: bens.scope, edits: editsOf(['ben.txt'], 'ben') });
  await ada.ok('patch', { scope: adas.scope, edits: [{ path: 'src/0.txt', old_string: 'ada', new_string: 'again' }] });
  expect((await cleo.ok('claim_scope', { title: 'Free', units: ['free.txt'] })).status).toBe('active');
  const ledger = await events();
  expect(ledger.filter(({ body }) => body.type === 'scope.expired')).toEqual([]);
  expect(judge(ledger)).toMatchObject({ faults: [], grants: 3 });
});
