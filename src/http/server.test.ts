import { EventEmitter, once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { FixedTokens, noFeed } from './fixed-tokens.testsuite.js';
import { type Endpoint, type HttpServer, LIMITS, startHttp } from './server.js';

let server: HttpServer | undefined;
const errors: unknown[] = [];
const lines: string[] = [];

afterEach(async () => {
  await server?.close();
  server = undefined;
  expect(errors.splice(0)).toEqual([]);
});

/** Answers with what reached it. */
const echo: Endpoint = {
  fetch: async (_, { sender, body }) => Response.json({ user: sender.name, body }),
  end: async () => undefined,
  close: async () => undefined,
};

async function start(limits = LIMITS, mcp = echo, host = '127.0.0.1'): Promise<number> {
  const tokens = new FixedTokens({ 'secret-one': { name: 'ann', role: 'agent' } });
  const onerror = (error: unknown) => errors.push(error);
  const log = (sentence: string) => lines.push(sentence);
  server = await startHttp({ host, port: 0, mcp, tokens, feed: noFeed, version: '1.2.3', limits, log, onerror });
  return server.port;
}

const GOOD = { authorization: 'Bearer secret-one', 'content-type': 'application/json' };

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Not `fetch`: it would set Host and Origin by itself. */
async function send(port: number, { method = 'POST', path = '/mcp', headers = GOOD, body = '{}' }: Sent) {
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
  sent.end(method === 'POST' ? body : undefined);
  const [response] = await once(sent, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

test('a request with a valid token reaches the endpoint under the name of the token', async () => {
  const port = await start();
  const { status, text } = await send(port, { body: '{"a":1}' });
  expect([status, JSON.parse(text)]).toEqual([200, { user: 'ann', body: { a: 1 } }]);
});

test.each([
  ['no token', { headers: { 'content-type': 'application/json' } }, 401],
  ['a wrong token', { headers: { ...GOOD, authorization: 'Bearer secret-two' } }, 401],
  ['a token in the URL', { path: '/mcp?access_token=secret-one' }, 400],
  ['a foreign Host', { headers: { ...GOOD, host: 'evil.example' } }, 403],
  ['a foreign Host for the health check', { method: 'GET', path: '/healthz', headers: { host: 'evil.example' } }, 403],
  ['a foreign Origin', { headers: { ...GOOD, origin: 'https://evil.example' } }, 403],
  ['the Origin null', { headers: { ...GOOD, origin: 'null' } }, 403],
  ['a preflight from a foreign Origin', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } }, 403],
  ['text', { headers: { ...GOOD, 'content-type': 'text/plain' } }, 415],
  ['a form', { headers: { ...GOOD, 'content-type': 'application/x-www-form-urlencoded' } }, 415],
  ['no type', { headers: { authorization: GOOD.authorization } }, 415],
  ['a body that is not JSON', { body: '{' }, 400],
  ['a method that MCP does not have', { method: 'PUT' }, 405],
  ['a path where nothing is', { path: '/nothing' }, 404],
])('%s is refused without a word of the token', async (_, sent: Sent, status) => {
  const port = await start();
  const answer = await send(port, sent);
  expect(answer.status).toBe(status);
  const problem = { type: 'about:blank', status, detail: expect.any(String) };
  const error = { jsonrpc: '2.0', error: { code: expect.any(Number) } };
  expect(JSON.parse(answer.text)).toMatchObject((sent.path ?? '/mcp').startsWith('/mcp') ? error : problem);
  const said = lines.splice(0);
  expect(said).toEqual([expect.stringContaining(` refused: ${status} `)]);
  expect(answer.text + JSON.stringify(answer.headers) + said).not.toMatch(/secret|access-control/);
});

test('the address that a server was told to listen on is served, the one that stands for all of them is not', async () => {
  const given = await start(LIMITS, echo, '127.1');
  expect(server?.host).toBe('127.1');
  expect((await send(given, { headers: { ...GOOD, host: `127.1:${given}` } })).status).toBe(200);
  await server?.close();
  const every = await start(LIMITS, echo, '0.0.0.0');
  expect(server?.host).toBe('127.0.0.1');
  const answer = await send(every, { headers: { ...GOOD, host: `0.0.0.0:${every}` } });
  expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('serve.hosts in signalbox.yaml')]);
});

test('the health check needs no token and tells no secrets', async () => {
  const port = await start();
  const { status, text } = await send(port, { method: 'GET', path: '/healthz', headers: {} });
  expect([status, JSON.parse(text)]).toEqual([200, { status: 'ok', version: '1.2.3' }]);
});

test('a body over the limit is refused, whether it says its size or not', async () => {
  const port = await start({ ...LIMITS, body: 100 });
  const body = JSON.stringify('x'.repeat(100));
  expect((await send(port, { body })).status).toBe(413);
  expect((await send(port, { body, headers: { ...GOOD, 'transfer-encoding': 'chunked' } })).status).toBe(413);
  expect((await send(port, { body: JSON.stringify('x'.repeat(98)) })).status).toBe(200);
});

test('a body nested beyond all reason does not bring the server down', async () => {
  const port = await start();
  const body = '['.repeat(2_000_000) + ']'.repeat(2_000_000);
  const { status, text } = await send(port, { body });
  expect([status, text]).toEqual([400, expect.stringContaining('nested deeper')]);
  expect((await send(port, {})).status).toBe(200);
});

const BODY =
  'POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret-one\r\nContent-Type: application/json\r\n';

test.each([
  ['headers that come too slowly', 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Secret: s3cret\r\n', 408, 'no request'],
  ['a body that comes too slowly', `${BODY}Content-Length: 9\r\n\r\n"s3cret`, 408, 'POST /mcp'],
  ['a body in broken chunks', `${BODY}Transfer-Encoding: chunked\r\n\r\ns3cret\r\n`, 400, 'POST /mcp'],
  [
    'headers that are too long',
    `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'s3cret'.repeat(4_000)}`,
    431,
    'no request',
  ],
  ['what is no HTTP', 's3cret\r\n\r\n', 400, 'no request'],
  ['no Host', 'GET /healthz?s3cret HTTP/1.1\r\n\r\n', 403, 'GET /healthz'],
  ['a Host that is none', 'GET /healthz HTTP/1.1\r\nHost: s3cret bare\r\n\r\n', 400, 'no request'],
  ['a URL that is none', 'GET http://[s3cret HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'no request'],
])('%s: an answer in JSON and one line, neither with what came', async (_, sent, status, line) => {
  lines.splice(0);
  const port = await start({ ...LIMITS, headers: 100, request: 100 });
  const socket = connect(port, '127.0.0.1');
  socket.write(sent);
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
    if (/\r\n\r\n\{.*\}$/s.test(text)) socket.end();
  });
  await once(socket, 'close');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\r\ncontent-type: application/(problem\\+)?json\r\n`, 'is'));
  const problem = { type: 'about:blank', status, detail: expect.any(String) };
  expect(JSON.parse(body)).toMatchObject(head.includes('problem') ? problem : { jsonrpc: '2.0' });
  expect(lines).toEqual([expect.stringMatching(new RegExp(`${line} refused: ${status} `))]);
  expect(text + lines).not.toContain('s3cret');
});

test('the endpoint learns when the client has hung up', async () => {
  const exchange = new EventEmitter();
  const hungUp = once(exchange, 'ended');
  const port = await start(LIMITS, {
    ...echo,
    fetch: async (_, { ended }) => {
      void ended.then(() => exchange.emit('ended'));
      return new Response(new ReadableStream({ start: (stream) => stream.enqueue(Buffer.from('first')) }));
    },
  });
  const sent = request({ host: '127.0.0.1', port, path: '/mcp', headers: GOOD });
  sent.end();
  const [response] = await once(sent, 'response');
  await once(response, 'data');
  response.on('error', () => undefined);
  sent.destroy();
  await hungUp;
});

test('a bug in the endpoint is told to the operator and not to the client', async () => {
  const port = await start(LIMITS, {
    ...echo,
    fetch: async () => {
      throw new Error('inner detail');
    },
  });
  const { status, text } = await send(port, {});
  expect(status).toBe(500);
  expect(text).not.toContain('inner detail');
  expect(errors.splice(0)).toEqual([new Error('inner detail')]);
});

test('an address that is taken is an error at the start', async () => {
  const port = await start();
  const again = startHttp({
    host: '127.0.0.1',
    port,
    mcp: echo,
    tokens: new FixedTokens({}),
    feed: noFeed,
    version: '1',
    log: () => undefined,
    onerror: () => undefined,
  });
  await expect(again).rejects.toThrow('EADDRINUSE');
});
