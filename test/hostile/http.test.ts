import { once } from 'node:events';
import { statSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { httpAgent, type Served, serve } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: { readonly [name: string]: string | undefined };
  readonly body?: string;
}

/** Not `fetch`: it would set Host and Origin by itself. Headers of undefined are left out. */
async function send({ url, token }: Served, { method = 'POST', path = '/mcp', headers = {}, body = '{}' }: Sent) {
  const usual = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const given = Object.entries({ ...usual, ...headers }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  const { hostname, port } = new URL(url);
  const sent = request({ host: hostname, port, method, path, headers: Object.fromEntries(given), agent: false });
  sent.on('error', () => undefined);
  sent.end(method === 'POST' ? body : undefined);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode as number, text, headers: JSON.stringify(response.headers) };
}

const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });

const REFUSED: readonly (readonly [what: string, sent: (served: Served) => Sent, status: number])[] = [
  ['no token', () => ({ headers: { authorization: undefined } }), 401],
  ['a wrong token', () => ({ headers: { authorization: 'Bearer wrong' } }), 401],
  ['a token cut short', ({ token }) => ({ headers: { authorization: `Bearer ${token.slice(0, -1)}` } }), 401],
  ['another scheme', ({ token }) => ({ headers: { authorization: `Basic ${token}` } }), 401],
  ['a token in the URL', ({ token }) => ({ path: `/mcp?token=${token}`, headers: { authorization: undefined } }), 400],
  ['a token in the URL besides', ({ token }) => ({ path: `/mcp?access_token=${token}` }), 400],
  ['a foreign Host', () => ({ headers: { host: 'evil.example' } }), 403],
  ['a Host with another port', () => ({ headers: { host: 'localhost:1' } }), 403],
  ['a foreign Origin', () => ({ headers: { origin: 'https://evil.example' } }), 403],
  ['the Origin null', () => ({ headers: { origin: 'null' } }), 403],
  [
    'a preflight from a foreign Origin',
    () => ({ method: 'OPTIONS', headers: { origin: 'https://evil.example' } }),
    403,
  ],
  ['a foreign Host for the health check', () => ({ method: 'GET', path: '/healthz', headers: { host: 'evil' } }), 403],
  ['text', () => ({ headers: { 'content-type': 'text/plain' } }), 415],
  ['a form', () => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 415],
  ['no type', () => ({ headers: { 'content-type': undefined } }), 415],
  ['what is no JSON', () => ({ body: '{' }), 400],
  ['what is no message', () => ({ body: '[]' }), 400],
  ['a session that there is not', () => ({ headers: { 'mcp-session-id': 'S001' }, body: LIST }), 404],
  ['a body of 100 MB', () => ({ headers: { 'content-length': '100000000' }, body: 'x'.repeat(100_000) }), 413],
  ['another path', () => ({ path: '/control-plane/../mcp/x' }), 404],
  ['the database as a path', () => ({ method: 'GET', path: '/.signalbox/token' }), 404],
];

test('what may not call is refused without a word of the token, and the server goes on', async () => {
  const workspace = newWorkspace({ 'src/a.txt': 'a\n' });
  const served = await serve(workspace.root);
  const slow = slowSender(served);
  for (const [what, sent, status] of REFUSED) {
    const answer = await send(served, sent(served));
    expect.soft([what, answer.status]).toEqual([what, status]);
    expect.soft(answer.text + answer.headers, what).not.toMatch(/access-control/i);
    expect.soft(answer.text + answer.headers, what).not.toContain(served.token);
  }
  const ada = await httpAgent(served, 'ada');
  await ada.ok('read', { paths: ['src/a.txt'] });
  expect(await workspace.events()).toEqual([]);
  expect(await slow).toBe('cut off');
});

/** Sends a header at a time, for ever. The server has a limit of ten seconds for them all. */
async function slowSender({ url }: Served): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect(Number(port), hostname);
  socket.on('error', () => undefined).resume();
  socket.write('POST /mcp HTTP/1.1\r\nHost: localhost\r\n');
  const drip = setInterval(() => socket.write('X-More: 1\r\n'), 500);
  await once(socket, 'close');
  clearInterval(drip);
  return 'cut off';
}

test('the token is kept for this user alone, is long, and stays the same', async () => {
  const { root } = newWorkspace();
  const first = await serve(root);
  expect(first.token).toMatch(/^[\w-]{43}$/);
  expect(statSync(join(root, '.signalbox/token')).mode & 0o777).toBe(0o600);
  expect(statSync(join(root, '.signalbox')).mode & 0o777).toBe(0o700);
  await first.stop();
  expect((await serve(root)).token).toBe(first.token);
});

test('an address that is taken is said in one line', async () => {
  const { root } = newWorkspace();
  const { port } = new URL((await serve(root)).url);
  const { code, err } = await runCli(['serve', '--port', port, '--root', root]);
  expect(code).toBe(1);
  expect(err).toMatch(
    /^signalbox: UNAVAILABLE: 127\.0\.0\.1:\d+ cannot be listened on: .*EADDRINUSE.*\nPass another --port/,
  );
});
