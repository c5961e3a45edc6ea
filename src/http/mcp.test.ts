import { EventEmitter, once } from 'node:events';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mcpOverHttp } from '../mcp/http.js';
import { ToyWorkspace } from '../mcp/toy-workspace.testsuite.js';
import { FixedTokens, noFeed } from './fixed-tokens.testsuite.js';
import { type HttpServer, startHttp } from './server.js';

let server: HttpServer;
let told: Told;
let tokens: FixedTokens;

/** What the workspace told, in order; `said` resolves when a line is there. */
class Told extends EventTarget {
  readonly lines: string[] = [];

  tell = (line: string): void => {
    this.lines.push(line);
    this.dispatchEvent(new Event('line'));
  };

  async said(beginning: string, times = 1): Promise<void> {
    while (this.lines.filter((line) => line.startsWith(beginning)).length < times) await once(this, 'line');
  }
}

async function start(bounds: { maxSessions?: number; idle?: number } = {}): Promise<void> {
  told = new Told();
  const toy = new ToyWorkspace(told.tell);
  const mcp = mcpOverHttp({ provider: async () => toy, version: '1.2.3', onerror: () => undefined, ...bounds });
  tokens = new FixedTokens({ one: { name: 'ann', role: 'agent' }, two: { name: 'bob', role: 'agent' } });
  server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    mcp,
    tokens,
    feed: noFeed,
    version: '1.2.3',
    log: () => undefined,
    onerror: () => undefined,
  });
}

beforeEach(() => start());
afterEach(() => server.close());

const url = () => new URL(`http://127.0.0.1:${server.port}/mcp`);
const requestInit = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

async function legacy(name: string, token = 'one') {
  const client = new LegacyClient({ name, version: '1' });
  const transport = new LegacyHttp(url(), { requestInit: requestInit(token) });
  // Its declared types predate exact optional properties.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return { client, transport };
}

async function modern(name: string, token = 'one') {
  const client = new ModernClient({ name, version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const transport = new ModernHttp(url(), { requestInit: requestInit(token) });
  await client.connect(transport);
  return { client, transport };
}

const eras = [
  ['2025', legacy],
  ['2026', modern],
] as const;

describe.each(eras)('a client of the %s revision over HTTP', (_, connect) => {
  test('finds the eight tools and uses them', async () => {
    const { client } = await connect('cursor-vscode');
    expect((await client.listTools()).tools).toHaveLength(8);
    const result = await client.callTool({ name: 'read', arguments: { paths: ['a.txt'] } });
    expect(result.content).toEqual([{ type: 'text', text: expect.stringContaining('===\none\ntwo\n') }]);
    expect(result.structuredContent).toMatchObject({ files: [{ path: 'a.txt' }] });
    await client.close();
  });

  test('hears what its call waits for, and can give it up', async () => {
    const { client } = await connect('opencode');
    const heard = new EventEmitter();
    const progress = once(heard, 'progress');
    const giveUp = new AbortController();
    const options = { signal: giveUp.signal, onprogress: (each: unknown) => heard.emit('progress', each) };
    const params = { name: 'run', arguments: { command: 'await' } };
    const called =
      client instanceof LegacyClient ? client.callTool(params, undefined, options) : client.callTool(params, options);
    const rejected = expect(called).rejects.toThrow();
    expect(await progress).toEqual([{ progress: 1, message: 'waits for the end of the test' }]);
    giveUp.abort();
    await rejected;
    await told.said('given up');
    await client.close();
  });

  test('without a valid token does not get in', async () => {
    await expect(connect('cursor-vscode', 'three')).rejects.toThrow();
    expect(told.lines).toEqual([]);
  });
});

test('a session is one connection, from its first call to its end', async () => {
  const { client, transport } = await legacy('claude-code');
  const session = transport.sessionId;
  await client.callTool({ name: 'list_scopes', arguments: {} });
  await client.callTool({ name: 'list_scopes', arguments: {} });
  await transport.terminateSession();
  await told.said('disconnected');
  expect(told.lines).toEqual([
    'connected',
    'list by claude-code, connected, 45 s',
    'list by claude-code, connected, 45 s',
    'disconnected',
  ]);
  expect(await statusIn(session, 'one')).toBe(404);
});

test('two sessions are two connections: what one holds, the other may not change', async () => {
  const one = await legacy('opencode');
  const other = await legacy('opencode');
  await one.client.callTool({ name: 'claim_scope', arguments: { title: 'Tidy', units: ['a.txt'] } });
  const edit = { name: 'patch', arguments: { edits: [{ path: 'a.txt', content: '' }] } };
  expect(await other.client.callTool(edit)).toMatchObject({ isError: true, structuredContent: { code: 'HELD' } });
  expect((await one.client.callTool(edit)).isError).toBeUndefined();
});

/** The status of a request in a session, sent by hand. */
async function statusIn(session: string | undefined, token: string): Promise<number> {
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    'Mcp-Session-Id': session ?? '',
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const response = await fetch(url(), { method: 'POST', headers, body });
  await response.text();
  return response.status;
}

test('a session is bound to its token', async () => {
  const { transport } = await legacy('opencode', 'one');
  expect(await statusIn(transport.sessionId, 'one')).toBe(200);
  expect(await statusIn(transport.sessionId, 'two')).toBe(404);
});

test("promise 7: the end of a token ends its sessions and its calls, and nobody else's", async () => {
  const [ann, bob] = [await legacy('opencode', 'one'), await legacy('opencode', 'two')];
  const alone = await modern('opencode', 'one');
  const waits = { name: 'run', arguments: { command: 'await' } };
  const calls = [ann.client.callTool(waits), alone.client.callTool(waits)].map((call) => call.catch(() => 'cut off'));
  await told.said('waiting', 2);
  tokens.revoke('one');
  await told.said('given up', 2);
  await told.said('disconnected');
  expect(await calls[1]).toBe('cut off');
  expect(await statusIn(ann.transport.sessionId, 'one')).toBe(401);
  expect(await statusIn(bob.transport.sessionId, 'two')).toBe(200);
  expect(told.lines.filter((line) => line === 'disconnected')).toHaveLength(1);
});

test('requests that stand alone are one caller per token and client', async () => {
  const ann = await modern('opencode', 'one');
  const bob = await modern('opencode', 'two');
  await ann.client.callTool({ name: 'list_scopes', arguments: {} });
  await ann.client.callTool({ name: 'list_scopes', arguments: {} });
  await bob.client.callTool({ name: 'list_scopes', arguments: {} });
  expect(told.lines).toEqual([
    'list by opencode, stateless:ann:opencode, 45 s',
    'list by opencode, stateless:ann:opencode, 45 s',
    'list by opencode, stateless:bob:opencode, 45 s',
  ]);
});

/** A session as a client opens it, by hand: its standing stream is up when this resolves. */
async function begin(): Promise<{ stream(): Promise<AbortController>; call(): Promise<void> }> {
  const headers = {
    Authorization: 'Bearer one',
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
  };
  const send = async (method: string, params: object, session = {}) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const response = await fetch(url(), { method: 'POST', headers: { ...headers, ...session }, body });
    await response.text();
    return response.headers.get('mcp-session-id') ?? '';
  };
  const clientInfo = { name: 'opencode', version: '1' };
  const id = await send('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
  const session = { 'Mcp-Session-Id': id };
  return {
    call: async () => void (await send('tools/call', { name: 'list_scopes', arguments: {} }, session)),
    async stream() {
      const hangUp = new AbortController();
      const { status } = await fetch(url(), { headers: { ...headers, ...session }, signal: hangUp.signal });
      expect(status).toBe(200);
      return hangUp;
    },
  };
}

test('promise 7: a client whose standing stream breaks is gone, until it opens another or calls', async () => {
  const session = await begin();
  const stream = await session.stream();
  await session.call();
  stream.abort();
  await told.said('disconnected');
  const again = await session.stream();
  await told.said('connected', 2);
  again.abort();
  await told.said('disconnected', 2);
  await session.call();
  await told.said('connected', 3);
  expect(told.lines.filter((line) => line === 'disconnected')).toHaveLength(2);
});

test('a session that nobody uses ends by itself', async () => {
  await server.close();
  await start({ idle: 1_000 });
  const session = await begin();
  await session.call();
  await told.said('disconnected');
});

test('there are only so many sessions, and one that ends makes room', async () => {
  await server.close();
  await start({ maxSessions: 1 });
  const { client, transport } = await legacy('opencode');
  await expect(legacy('opencode')).rejects.toThrow('Too many sessions');
  await client.callTool({ name: 'list_scopes', arguments: {} });
  await transport.terminateSession();
  await legacy('opencode');
});

test('the end of the server ends the sessions and their calls', async () => {
  const { client } = await legacy('opencode');
  const called = client.callTool({ name: 'run', arguments: { command: 'await' } }).catch(() => undefined);
  await told.said('waiting');
  await server.close();
  expect(told.lines).toEqual(expect.arrayContaining(['given up', 'disconnected']));
  await client.close();
  await called;
  await start();
});
