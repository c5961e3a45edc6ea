import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { httpAgent, type Served, serve, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { newWorkspace } from '../support/workspace.js';

interface Told {
  readonly id: number;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at many shapes, and a wrong look fails the test.
  readonly data: any;
}

/** A stream of server-sent events, read as they come. */
class Stream {
  readonly told: Told[] = [];
  /** The id with which a client would come again. */
  last = '';
  readonly #sent: ClientRequest;
  readonly closed: Promise<void>;
  #text = '';

  constructor(sent: ClientRequest, response: IncomingMessage) {
    this.#sent = sent;
    this.closed = new Promise((resolve) => response.on('close', resolve));
    response.on('error', () => undefined);
    response.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
    onTestFinished(() => this.drop());
  }

  #read(chunk: string): void {
    this.#text += chunk;
    const blocks = this.#text.split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
      const id = fields.get('id');
      if (id !== undefined) this.last = id;
      const data = fields.get('data');
      if (data !== undefined)
        this.told.push({ id: Number(id), event: fields.get('event') ?? '', data: JSON.parse(data) });
    }
    this.#sent.emit('told');
  }

  async until(wanted: (told: readonly Told[]) => boolean): Promise<readonly Told[]> {
    while (!wanted(this.told)) await once(this.#sent, 'told');
    return this.told;
  }

  drop(): void {
    this.#sent.destroy();
  }
}

type Headers = { readonly [name: string]: string };

async function get({ url, token }: Served, path: string, headers: Headers = {}) {
  const sent = request(new URL(path, url), { headers: { authorization: `Bearer ${token}`, ...headers }, agent: false });
  sent.on('error', () => undefined);
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { sent, response };
}

async function watch(served: Served, query = '', headers: Headers = {}): Promise<Stream> {
  const { sent, response } = await get(served, `/control-plane/events?watch=true${query}`, headers);
  expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  return new Stream(sent, response);
}

async function look(served: Served, query = '', headers: Headers = {}) {
  const { response } = await get(served, `/control-plane/events${query}`, headers);
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, type: response.headers['content-type'], body: JSON.parse(text) };
}

const ids = (told: readonly Told[]) => told.map(({ id }) => id);
const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

test('promise 8: a stream that breaks again and again misses nothing, and tells nothing twice', async () => {
  const { root, events } = newWorkspace({ 'src/a.txt': 'a\n' });
  const served = await serve(root);
  const [ada, ben] = [await httpAgent(served, 'ada'), await stdioAgent(root, 'ben')];
  const told: number[] = [];
  let last = '0';
  let working = true;
  const work = (async () => {
    for (let round = 0; round < 30; round++)
      await Promise.all([ada, ben].map((agent) => agent.ok('open_scope', { title: `Work ${round}` })));
    working = false;
  })();
  while (working || told.length < 60) {
    const stream = await watch(served, '', { 'last-event-id': last });
    await stream.until((heard) => heard.length > 5 || told.length + heard.length >= 60);
    stream.drop();
    told.push(...ids(stream.told));
    last = stream.last;
  }
  await work;
  expect(told).toEqual(from(1, 60));
  expect(await events()).toHaveLength(60);
});

test('a stream begins with what comes, or after a place in the ledger, and carries what programs need', async () => {
  const { root } = newWorkspace({ 'src/a.txt': 'a\n' });
  const served = await serve(root);
  const ada = await httpAgent(served, 'ada');
  await ada.ok('open_scope', { title: 'Before' });
  const [later, all, accepts] = [
    await watch(served),
    await watch(served, '&after=0'),
    new Stream(...(await opened(served, { accept: 'text/event-stream' }))),
  ];
  await ada.ok('claim_scope', { title: 'After', units: ['src/'] });
  expect(ids(await later.until(({ length }) => length === 2))).toEqual([2, 3]);
  expect(ids(await accepts.until(({ length }) => length === 2))).toEqual([2, 3]);
  const told = await all.until(({ length }) => length === 3);
  expect(told[2]).toMatchObject({ id: 3, event: 'scope.granted' });
  expect(told[2]?.data).toMatchObject({
    seq: 3,
    type: 'scope.granted',
    scope: 'S002',
    agent: 'ada',
    data: { owner: 'ada' },
  });
  expect(JSON.stringify(told)).not.toContain('connection');
  const page = await look(served);
  expect(page).toMatchObject({ status: 200, body: { next: 3, more: false } });
  expect(page.body.events).toEqual(told.map(({ data }) => data));
});

async function opened(served: Served, headers: Headers): Promise<[ClientRequest, IncomingMessage]> {
  const { sent, response } = await get(served, '/control-plane/events', headers);
  return [sent, response];
}

test('pages and streams are filtered by scope, agent, phase and type, alike', async () => {
  const { root } = newWorkspace({ 'src/a.txt': 'a\n', 'src/b.txt': 'b\n' });
  const served = await serve(root);
  const [ada, ben] = [await httpAgent(served, 'ada'), await stdioAgent(root, 'ben')];
  const filters = ['scope=S001', 'agent_id=ben', 'phase=test', 'type=scope.granted', 'phase=test&type=scope.granted'];
  const streams = await Promise.all(filters.map((filter) => watch(served, `&${filter}`)));
  const every = await watch(served);
  await ada.ok('claim_scope', { title: 'One', units: ['src/a.txt'] });
  await ben.ok('claim_scope', { title: 'Two', units: ['src/b.txt'], phase: 'test' });
  await ben.ok('patch', { edits: [{ path: 'src/b.txt', old_string: 'b', new_string: 'B' }] });
  await ben.refused('HELD', 'patch', { edits: [{ path: 'src/a.txt', old_string: 'a', new_string: 'A' }] });
  await ada.ok('publish_output', { summary: 'Done' });
  const all = await every.until((told) => told.some(({ event }) => event === 'scope.done'));
  for (const [at, filter] of filters.entries()) {
    const { body } = await look(served, `?${filter}`);
    const wanted = body.events.map(({ seq }: { seq: number }) => seq);
    expect.soft([filter, wanted.length > 0, wanted.length < all.length]).toEqual([filter, true, true]);
    expect
      .soft([filter, ids(await (streams[at] ?? every).until(({ length }) => length >= wanted.length))])
      .toEqual([filter, wanted]);
  }
  const first = await look(served, '?type=scope.granted&limit=1');
  expect(first.body).toMatchObject({ events: [{ scope: 'S001' }], more: true });
  const second = await look(served, `?type=scope.granted&after=${first.body.next}`);
  expect(second.body).toMatchObject({ events: [{ scope: 'S002' }], more: false });
});

const WRONG: readonly (readonly [query: string, field: string, headers?: Headers])[] = [
  ['?after=-1', 'after'],
  ['?after=x', 'after'],
  ['?after=7', 'after'],
  ['?limit=0', 'limit'],
  ['?limit=100000', 'limit'],
  ['?scope=S001-k7f3q2', 'scope'],
  ['?phase=party', 'phase'],
  ['?type=scope.gone', 'type'],
  ['?watch=yes', 'watch'],
  ['?agent=ada', 'agent'],
  ['?agent_id=a&agent_id=b', 'agent_id'],
  ['?watch=true', 'Last-Event-ID', { 'last-event-id': 'x' }],
  ['?watch=true', 'Last-Event-ID', { 'last-event-id': '7' }],
];

test('what does not fit is refused with a problem that names the field and repeats no secret', async () => {
  const served = await serve(newWorkspace().root);
  for (const [query, field, headers] of WRONG) {
    const answer = await look(served, query, headers);
    const body = { status: 400, code: 'INVALID', facts: { argument: field, expected: expect.any(String) } };
    expect.soft(answer, query).toMatchObject({ status: 400, type: 'application/problem+json', body });
    expect.soft(JSON.stringify(answer)).not.toContain('k7f3q2');
  }
});

test('nobody without a token hears anything, and the end of a token ends its streams', async () => {
  const { root } = newWorkspace();
  const served = await serve(root);
  for (const authorization of ['', 'Bearer wrong']) {
    const answer = await look(served, '?watch=true', { authorization });
    expect(answer).toMatchObject({ status: 401, type: 'application/problem+json' });
  }
  expect((await look(served, `?watch=true&token=${served.token}`, { authorization: '' })).status).toBe(400);
  const { out } = await runCli(['token', 'create', 'eve', '--role', 'observer', '--json', '--root', root]);
  const stream = await watch({ ...served, token: JSON.parse(out).token });
  await runCli(['token', 'revoke', 'eve', '--root', root]);
  await stream.closed;
});

test('the end of the server ends its streams', async () => {
  const { root } = newWorkspace();
  const served = await serve(root);
  const stream = await watch(served);
  await served.stop();
  await stream.closed;
});
