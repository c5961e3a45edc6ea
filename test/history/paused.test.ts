import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.js';
import { type Agent, type Answer, stdioAgent } from '../support/agents.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';
import { judge } from './checker.js';
import { applyingSince, nextApplying, until } from './moments.js';

const SHORT_LEASE = 'lease_seconds: 6\npublish:\n  commit: none\n';
/** So many that preparing and renaming them takes long enough to be met in the middle, in a few tries at most. */
const PATHS = Array.from({ length: 400 }, (_, at) => `src/${at}.txt`);
const TRIES = 30;

function manyFiles(): TestWorkspace {
  const files = Object.fromEntries(PATHS.map((path) => [path, 'v0\n']));
  return newWorkspace({ ...files, 'ben.txt': 'old\n', 'signalbox.yaml': SHORT_LEASE });
}

function temporaryFiles(root: string): string[] {
  return readdirSync(join(root, 'src')).filter((name) => name.startsWith('.signalbox-'));
}

interface Stopped {
  /** What was in all files before the patch that is under way, and what it puts there. */
  readonly before: string;
  readonly after: string;
  readonly answer: Promise<Answer>;
}

/**
 * Has a patch of all files begun, and its server stopped at a moment of it.
 *
 * @param moment resolves when that moment has come.
 * @param isThere whether the server was really stopped in it. Where it was too late, the next patch is for the next try.
 */
async function stoppedAt(
  ada: Agent,
  scope: string,
  moment: (answer: Promise<Answer>) => Promise<void>,
  isThere: () => boolean,
): Promise<Stopped> {
  for (let version = 0; version < TRIES; version++) {
    const before = `v${version}`;
    const after = `v${version + 1}`;
    const edits = PATHS.map((path) => ({ path, old_string: before, new_string: after }));
    const answer = ada.call('patch', { scope, edits });
    await moment(answer);
    ada.signal('SIGSTOP');
    if (isThere()) return { before, after, answer };
    ada.signal('SIGCONT');
    expect((await answer).isError).toBe(false);
  }
  throw new Error('the server was never stopped at that moment');
}

/** Between the first checks of the patch and its transaction: some of the new contents lie ready. */
function stoppedBeforeTransaction(root: string, ada: Agent, scope: string): Promise<Stopped> {
  let former: bigint | undefined;
  const moment = (answer: Promise<Answer>) => {
    former = applyingSince(root);
    return until(() => temporaryFiles(root).length > 0, answer);
  };
  const isPreparing = () => {
    const ready = temporaryFiles(root).length;
    return ready > 0 && ready < PATHS.length && [undefined, former].includes(applyingSince(root));
  };
  return stoppedAt(ada, scope, moment, isPreparing);
}

/** Among its renames. */
function stoppedInTransaction(root: string, ada: Agent, scope: string, ledger: SqliteStore): Promise<Stopped> {
  return stoppedAt(
    ada,
    scope,
    (answer) => nextApplying(root, answer),
    () => ledger.applying().length > 0,
  );
}

test('promise 2: a server that was stopped past its lease, with a patch under way, writes nothing', async () => {
  const { root, text, events } = manyFiles();
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben', 'modern')]);
  const { scope, id } = await ada.ok('claim_scope', { title: 'All of it', units: ['src/'] });

  const { before, after, answer } = await stoppedBeforeTransaction(root, ada, scope);
  const edit = (path: string, new_string: string) => ({ path, old_string: before, new_string });
  const sentSince = ada.call('patch', { scope, edits: [edit('src/1.txt', after)] });

  const taken = await ben.ok('claim_scope', { title: 'Mine now', units: ['src/'] });
  expect(taken.status).toBe('active');
  await ben.ok('patch', { scope: taken.scope, edits: [edit('src/0.txt', 'ben')] });
  ada.signal('SIGCONT');

  for (const { text } of await Promise.all([answer, sentSince])) expect(text).toMatch(/^LEASE_LOST: /);
  expect(text('src/0.txt')).toBe('ben\n');
  expect(PATHS.slice(1).filter((path) => text(path) !== `${before}\n`)).toEqual([]);
  expect(temporaryFiles(root)).toEqual([]);
  const ledger = await events();
  expect(judge(ledger).faults).toEqual([]);
  const ends = ledger.filter(({ body }) => body.type === 'scope.expired');
  expect(ends.map(({ body }) => body)).toMatchObject([{ scope: id, from: 'ada' }]);
  await ada.refused('LEASE_LOST', 'patch', { scope, edits: [edit('src/2.txt', after)] });
});

test('promise 7: while a server is stopped inside its transaction, nothing is granted and no lease runs out', async () => {
  const { root, text, store, events } = manyFiles();
  const start = (name: string) => stdioAgent(root, name);
  const [ada, ben, cleo] = await Promise.all([start('ada'), start('ben'), start('cleo')]);
  const adas = await ada.ok('claim_scope', { title: 'All of it', units: ['src/'] });
  const bens = await ben.ok('claim_scope', { title: 'One file', units: ['ben.txt'] });
  const bensPatch = { scope: bens.scope, edits: [{ path: 'ben.txt', old_string: 'old', new_string: 'ben' }] };

  const { after, answer } = await stoppedInTransaction(root, ada, adas.scope, await store());
  // Each of these calls tries for longer than the lease before it gives up.
  const meanwhile = await Promise.all([
    ben.call('patch', bensPatch),
    cleo.call('claim_scope', { title: 'Free', units: ['free.txt'] }),
    cleo.call('claim_scope', { title: 'Held', units: ['src/0.txt'], agent: 'another' }),
  ]);
  for (const { text } of meanwhile) expect(text).toMatch(/^BUSY: /);
  const { files } = await cleo.ok('read', { paths: ['ben.txt'] });
  expect(files[0].text, 'reading what is not being patched goes on').toBe('old\n');
  ada.signal('SIGCONT');

  expect((await answer).isError).toBe(false);
  expect(PATHS.filter((path) => text(path) !== `${after}\n`)).toEqual([]);
  await ben.ok('patch', bensPatch);
  const edits = [{ path: 'src/0.txt', old_string: after, new_string: 'again' }];
  await ada.ok('patch', { scope: adas.scope, edits });
  expect((await cleo.ok('claim_scope', { title: 'Free', units: ['free.txt'] })).status).toBe('active');
  const ledger = await events();
  expect(ledger.filter(({ body }) => body.type === 'scope.expired')).toEqual([]);
  expect(judge(ledger)).toMatchObject({ faults: [], grants: 3 });
});
