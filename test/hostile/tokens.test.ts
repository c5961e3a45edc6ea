import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../src/domain/refusal.js';
import { TokenFiles } from '../../src/http/token-files.js';
import { type Agent, type Era, httpAgent, type Served, serve } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

const FILES = { 'src/a.txt': 'one\n', 'lib/b.txt': 'two\n' };

/** Makes a token on the command line. */
async function tokenFor(root: string, name: string, ...options: string[]): Promise<string> {
  const { code, out, err } = await runCli(['token', 'create', name, ...options, '--json', '--root', root]);
  if (code !== 0) throw new Error(err);
  return JSON.parse(out).token;
}

function agentWith(served: Served, token: string, name: string, era: Era = 'legacy'): Promise<Agent> {
  return httpAgent({ ...served, token }, name, era);
}

async function letsIn({ url }: Served, token: string): Promise<boolean> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
  const response = await fetch(url, { method: 'POST', headers, body });
  await response.text();
  // Past the token, a request without a session is asked for one.
  return response.status === 400;
}

describe.each(['legacy', 'modern'] as const)('over MCP with a %s client', (era) => {
  test('an agent whose token is limited claims within its limits, in whatever way', async () => {
    const { root, text } = newWorkspace(FILES);
    const served = await serve(root);
    const token = await tokenFor(root, 'ada', '--role', 'agent', '--units', 'src', '--phases', 'build');
    const ada = await agentWith(served, token, 'ada', era);
    await ada.refused('DENIED', 'claim_scope', { title: 'Lib', units: ['lib/'] });
    await ada.refused('DENIED', 'claim_scope', { title: 'All', units: ['./'] });
    await ada.refused('DENIED', 'claim_scope', { title: 'Test', units: ['src/'], phase: 'test' });
    await ada.refused('DENIED', 'patch', { edits: [{ path: 'lib/b.txt', old_string: 'two', new_string: 'zwei' }] });
    const { scope } = await ada.ok('claim_scope', { title: 'Src', units: ['src/'] });
    await ada.refused('DENIED', 'claim_scope', { scope, units: ['lib/b.txt'] });
    await ada.refused('DENIED', 'patch', { scope, edits: [{ path: 'lib/new.txt', content: 'new' }] });
    const ran = await ada.ok('run', { scope, command: 'echo eins > src/a.txt; echo zwei > lib/b.txt' });
    expect(ran).toMatchObject({ changed: [{ path: 'src/a.txt' }], rejected: [{ path: 'lib/b.txt' }] });
    expect([text('src/a.txt'), text('lib/b.txt')]).toEqual(['eins\n', 'two\n']);
  });

  test('an observer looks, and does nothing else', async () => {
    const { root, events } = newWorkspace(FILES);
    const served = await serve(root);
    const eve = await agentWith(served, await tokenFor(root, 'eve', '--role', 'observer'), 'eve', era);
    await eve.ok('read', { paths: ['src/a.txt'] });
    await eve.ok('list_scopes');
    await eve.refused('DENIED', 'claim_scope', { title: 'Mine', units: ['src/'] });
    await eve.refused('DENIED', 'patch', { edits: [{ path: 'src/a.txt', content: '' }] });
    await eve.refused('DENIED', 'run', { command: 'true' });
    await eve.refused('DENIED', 'open_scope', { title: 'Work' });
    await eve.refused('DENIED', 'release_scope');
    await eve.refused('DENIED', 'publish_output', { summary: 'Done' });
    expect((await events()).map(({ body }) => body.type)).toEqual(Array(6).fill('refused'));
  });
});

test('a revoked token lets nobody in at once, and ends what is under way', async () => {
  const { root } = newWorkspace(FILES);
  const served = await serve(root);
  const [adas, bens] = [await tokenFor(root, 'ada', '--role', 'agent'), await tokenFor(root, 'ben', '--role', 'agent')];
  const [ada, ben] = [await agentWith(served, adas, 'ada', 'modern'), await agentWith(served, bens, 'ben')];
  await ben.ok('claim_scope', { title: 'First', units: ['src/'] });
  const waits = ada.call('claim_scope', { title: 'Next', units: ['src/a.txt'] }).catch(() => 'cut off');
  const { code, out } = await runCli(['token', 'revoke', 'ada', '--root', root]);
  expect([code, out]).toEqual([0, expect.stringContaining('ada is revoked')]);
  expect([await letsIn(served, adas), await letsIn(served, bens)]).toEqual([false, true]);
  expect(await waits).toBe('cut off');
  await ben.ok('list_scopes');
});

test('expired tokens, tokens of another workspace and what is kept of a token let nobody in', async () => {
  const [here, there] = [newWorkspace(FILES), newWorkspace(FILES)];
  const served = await serve(here.root);
  const files = new TokenFiles(join(here.root, '.signalbox'));
  const expired = files.create({ name: 'old', role: 'operator', expires: Date.now() - 1 }, Date.now() - 10);
  if (isRefusal(expired)) throw new Error(expired.sentence);
  const foreign = (await serve(there.root)).token;
  const answers = [expired.token, expired.kept.hash, foreign, served.token].map((token) => letsIn(served, token));
  expect(await Promise.all(answers)).toEqual([false, false, false, true]);
});

test('tokens on the command line: shown once, listed without themselves, refused with a reason', async () => {
  const { root } = newWorkspace(FILES);
  const made = await runCli([
    'token',
    'create',
    'ada',
    '--role',
    'agent',
    '--units',
    'src',
    '--expires',
    '30d',
    '--root',
    root,
  ]);
  expect([made.code, made.err]).toEqual([0, expect.stringContaining('shown this once')]);
  const token = made.out.trim();
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(statSync(join(root, '.signalbox/tokens/ada')).mode & 0o777).toBe(0o600);
  const listed = await runCli(['token', 'list', '--json', '--root', root]);
  expect(JSON.parse(listed.out).tokens).toMatchObject([{ name: 'ada', role: 'agent', limits: { units: ['src/'] } }]);
  const table = await runCli(['token', 'list', '--root', root]);
  expect(table.out).toMatch(/^ada +agent +.* src\/ +all$/m);
  expect(listed.out + table.out).not.toContain(token);
  const refused: [string[], number, RegExp][] = [
    [['create', 'ada', '--role', 'agent'], 1, /INVALID: There is a token of the name ada already/],
    [['create', '../x', '--role', 'agent'], 1, /INVALID: .* is no name for a token/],
    [['create', 'signalbox', '--role', 'agent'], 1, /INVALID: .* is no name for a token/],
    [['create', 'ben', '--role', 'agent', '--units', '../x'], 1, /OUTSIDE: /],
    [['create', 'ben', '--role', 'observer', '--units', 'src/'], 1, /INVALID: Only the token of an agent/],
    [['create', 'ben'], 2, /--role/],
    [['create', 'ben', '--role', 'god'], 2, /operator, agent, observer/],
    [['create', 'ben', '--role', 'agent', '--phases', 'party'], 2, /analyze/],
    [['create', 'ben', '--role', 'agent', '--expires', 'soon'], 2, /30d, 12h, 45m/],
    [['revoke', 'nobody'], 1, /NOT_FOUND: There is no token/],
  ];
  for (const [args, code, message] of refused) {
    const answer = await runCli(['token', ...args, '--root', root]);
    expect.soft([args, answer.code, answer.err]).toEqual([args, code, expect.stringMatching(message)]);
  }
});
