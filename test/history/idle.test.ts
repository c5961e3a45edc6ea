import { expect, test } from 'vitest';
import { httpAgent, serve, stdioAgent } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';
import { judge } from './checker.js';

const LEASE = 6_000;
const SHORT_LEASE = `lease_seconds: ${LEASE / 1000}\npublish:\n  commit: none\n`;

test('promise 7: an agent that thinks keeps its locks; after its end they pass, with what it did, to whoever waits', async () => {
  const { root, text, store } = newWorkspace({ 'a.txt': 'old\n', 'signalbox.yaml': SHORT_LEASE });
  const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben', 'modern')]);
  const ledger = await store();
  const now = () => ledger.view({}, (view) => view.now);
  const adas = await ada.ok('claim_scope', { title: 'Think about a', units: ['a.txt'] });
  await ada.ok('patch', { scope: adas.scope, edits: [{ path: 'a.txt', old_string: 'old', new_string: 'new' }] });
  const thinkingSince = await now();

  let waiting = await ben.ok('claim_scope', { title: 'Wait for a', units: ['a.txt'], wait_s: 0 });
  while ((await now()) < thinkingSince + 3 * LEASE) {
    waiting = await ben.ok('claim_scope', { scope: waiting.scope, wait_s: 3 });
    expect(waiting).toMatchObject({ status: 'waiting', queue: { ahead: [{ id: adas.id, agent: 'ada' }] } });
  }
  await ada.ok('patch', { scope: adas.scope, edits: [{ path: 'a.txt', old_string: 'new', new_string: 'newer' }] });

  const endedAt = await now();
  await ada.close();
  const bens = await ben.ok('claim_scope', { scope: waiting.scope });
  expect(bens).toMatchObject({ id: waiting.id, status: 'active', units: ['a.txt'] });
  const events = await ledger.events({ after: 0, limit: 1_000 });
  const expired = events.filter(({ body }) => body.type === 'scope.expired');
  expect(expired.map(({ body }) => body)).toMatchObject([{ scope: adas.id, from: 'ada' }]);
  expect(expired[0]?.at, 'not before the lease is over').toBeGreaterThan(endedAt + LEASE);
  expect(judge(events)).toMatchObject({ faults: [], grants: 2 });

  // The work itself is open again, for whoever wants to go on with it.
  await ben.ok('release_scope', { scope: bens.scope });
  const continued = await ben.ok('claim_scope', { scope: adas.id });
  expect(continued).toMatchObject({ status: 'active', handover: { from: 'ada' } });
  expect(continued.handover.diff).toContain('-old\n+newer\n');
  expect(text('a.txt')).toBe('newer\n');
});

test('promise 7: a client over HTTP that ends without a word is gone a lease later', async () => {
  const { root } = newWorkspace({ 'a.txt': 'old\n', 'signalbox.yaml': SHORT_LEASE });
  const ada = await httpAgent(await serve(root), 'ada');
  const ben = await stdioAgent(root, 'ben');
  await ada.ok('claim_scope', { title: 'Think about a', units: ['a.txt'] });
  // Closes its streams, as the system does for a client that is killed, and does not end its session.
  await ada.close();
  expect(await ben.ok('claim_scope', { title: 'Next', units: ['a.txt'] })).toMatchObject({ status: 'active' });
});
