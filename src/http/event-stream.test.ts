import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Feed } from '../coordinator/feed.js';
import { DEFAULTS } from '../domain/settings.js';
import { openSqliteStore } from '../store/sqlite/open.js';
import type { SqliteStore } from '../store/sqlite/sqlite-store.js';
import { BOUNDS, type StreamBounds } from './event-stream.js';
import { FixedTokens } from './fixed-tokens.testsuite.js';
import { type HttpServer, startHttp } from './server.js';

const LARGE = 200_000;

let folder: string;
let store: SqliteStore;
let server: HttpServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-events-'));
  const never = () => [];
  store = await openSqliteStore({
    folder: join(folder, '.signalbox'),
    settings: DEFAULTS,
    recovery: { undo: never, redo: never },
  });
});

afterEach(async () => {
  await server.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

async function start(streams: StreamBounds): Promise<void> {
  const mcp = { fetch: async () => new Response(), end: async () => undefined, close: async () => undefined };
  const tokens = new FixedTokens({
    secret: { name: 'ann', role: 'observer' },
    bens: { name: 'ben', role: 'agent' },
    olgas: { name: 'olga', role: 'operator' },
  });
  const onerror = (error: unknown) => expect.fail(String(error));
  server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    mcp,
    tokens,
    feed: new Feed(store),
    streams,
    version: '1',
    log: () => undefined,
    onerror,
  });
}

async function record(size: number): Promise<void> {
  const refused = { type: 'refused', tool: 'read', code: 'INVALID', sentence: 'x'.repeat(size), facts: {} } as const;
  await store.transact({ agent: 'ann', connection: 'c1' }, {}, () => ({ answer: true, events: [refused] }));
}

async function open(last?: number, token = 'secret'): Promise<{ sent: ClientRequest; response: IncomingMessage }> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(last === undefined ? {} : { 'last-event-id': String(last) }),
  };
  const url = `http://127.0.0.1:${server.port}/control-plane/events?watch=true`;
  const sent = request(url, { headers, agent: false }).on('error', () => undefined);
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return { sent, response };
}

/** The ids of whole events, until the stream ends or has told so many. */
async function idsOf(response: IncomingMessage, many = Infinity): Promise<number[]> {
  const ids: number[] = [];
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      const blocks = `${text}${chunk}`.split('\n\n');
      text = blocks.pop() ?? '';
      ids.push(
        ...blocks.filter((block) => block.includes('\ndata: ')).map((block) => Number(/^id: (\d+)$/m.exec(block)?.[1])),
      );
      if (ids.length >= many) break;
    }
  } catch {
    // Cut off: what came before counts.
  }
  return ids;
}

test('promise 12: a client that does not read is dropped, makes room, and misses nothing when it comes again', async () => {
  await start({ ...BOUNDS, clients: 1, operators: 0, behind: 100_000 });
  const slow = await open();
  slow.response.pause();
  let events = 0;
  let other = await open();
  while (other.response.statusCode === 503 && events < 200) {
    other.sent.destroy();
    await record(LARGE);
    events++;
    other = await open();
  }
  expect(other.response.statusCode).toBe(200);
  other.sent.destroy();
  const before = await idsOf(slow.response);
  expect(before.length).toBeLessThan(events);
  let again = await open(before.at(-1) ?? 0);
  while (again.response.statusCode === 503) again = await open(before.at(-1) ?? 0);
  const after = await idsOf(again.response, events - before.length);
  expect([...before, ...after]).toEqual(Array.from({ length: events }, (_, at) => at + 1));
});

test('promise 12: a client that reads nothing of what went before is dropped too', async () => {
  for (let events = 0; events < 60; events++) await record(LARGE);
  await start({ ...BOUNDS, clients: 1, operators: 0, heartbeat: 20, stalled: 100 });
  const slow = await open(0);
  slow.response.pause();
  let other = await open();
  while (other.response.statusCode === 503) other = await open();
  expect((await idsOf(slow.response)).length).toBeLessThan(60);
});

test('promise 12: a token leaves room for others, and all of them leave room for operators', async () => {
  await start({ ...BOUNDS, clients: 4, operators: 1, each: 2 });
  const opened = [];
  for (const token of ['secret', 'secret', 'secret', 'bens', 'bens', 'olgas', 'olgas']) {
    const { sent, response } = await open(undefined, token);
    opened.push({ token, sent, status: response.statusCode, headers: response.headers });
  }
  expect(opened.map(({ token, status }) => `${token} ${status}`)).toEqual([
    'secret 200',
    'secret 200',
    'secret 429',
    'bens 200',
    'bens 503',
    'olgas 200',
    'olgas 503',
  ]);
  const refused = opened.filter(({ status }) => status !== 200).map(({ headers }) => headers);
  for (const headers of refused)
    expect(headers).toMatchObject({ 'content-type': 'application/problem+json', 'retry-after': '5' });
  opened[0]?.sent.destroy();
  let again = await open();
  while (again.response.statusCode === 429) again = await open();
  expect(again.response.statusCode).toBe(200);
});

test('promise 8: while a client catches up, no id that it could come again with is before what it was sent', async () => {
  for (let events = 0; events < 60; events++) await record(LARGE);
  await start({ ...BOUNDS, heartbeat: 5 });
  const slow = await open(0);
  await once(slow.response, 'readable');
  const other = await open();
  let beats = 0;
  for await (const chunk of other.response.setEncoding('utf8')) {
    beats += String(chunk).split(': still here').length - 1;
    if (beats >= 3) break;
  }
  other.sent.destroy();
  const ids: number[] = [];
  let text = '';
  for await (const chunk of slow.response.setEncoding('utf8')) {
    text += chunk;
    ids.push(...[...text.matchAll(/^id: (\d+)\n/gm)].map(([, id]) => Number(id)));
    text = text.slice(text.lastIndexOf('\n') + 1);
    if (ids.at(-1) === 60) break;
  }
  slow.sent.destroy();
  expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  expect(new Set(ids).size).toBe(61);
});

test('a quiet stream shows that it lives, and where it is', async () => {
  await record(1);
  await start({ ...BOUNDS, heartbeat: 10 });
  const { response, sent } = await open();
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('still here')) break;
  }
  sent.destroy();
  expect(text).toMatch(/^retry: 1000\nid: 1\n\n: still here\nid: 1\n\n/);
});
