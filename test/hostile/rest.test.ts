import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isRefusal } from '../../src/domain/refusal.js';
import { TokenFiles } from '../../src/http/token-files.js';
import type { Served } from '../support/agents.js';
import { type Running, startCli } from '../support/cli.js';
import { treeOf } from '../support/refusals.js';
import { expectProblem, type Sent, send } from '../support/rest.js';
import { newWorkspace } from '../support/workspace.js';

/** Stands in what is sent, and may stand nowhere else. */
const SECRET = 's3cret';
const SCOPES = '/control-plane/scopes';
const DEEP = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`;

/** A request, where it differs from a declaration with the operator's token. */
interface Wrong {
  readonly method?: string;
  readonly path?: string;
  /** Those of undefined are left out. */
  readonly headers?: { readonly [name: string]: string | undefined };
  /** Sent as JSON, where it is not text. */
  readonly body?: unknown;
}

type Row = readonly [what: string, wrong: Wrong, status: number, code?: string, field?: string];

const get = (path: string): Wrong => ({ method: 'GET', path });
const post = (path: string, body: unknown): Wrong => ({ path: `/control-plane/${path}`, body });
const patch = (path: string, body: unknown): Wrong => ({ ...post(path, body), method: 'PATCH' });
const typed = (type: string | undefined, body = `title=${SECRET}`): Wrong => ({
  headers: { 'content-type': type },
  body,
});

const DECLARATIONS: readonly Row[] = [
  ['an unknown field', { body: { titel: SECRET } }, 400, 'INVALID', 'titel'],
  [
    'an unknown field within',
    { body: { scopes: [{ title: 'a', done_by: SECRET }] } },
    400,
    'INVALID',
    'scopes[0].done_by',
  ],
  ['a field in two lines', { body: { 'a\nb': SECRET } }, 400, 'INVALID', 'a\nb'],
  ['a handle as a field', { body: { [`S001-${SECRET}`]: 1 } }, 400, 'INVALID', `S001-${SECRET}`],
  ['a number for text', { body: { title: 7, note: SECRET } }, 400, 'INVALID', 'title'],
  ['text for a list', { body: { title: 'a', units: SECRET } }, 400, 'INVALID', 'units'],
  ['text for a number', { body: { title: 'a', priority: SECRET } }, 400, 'INVALID', 'priority'],
  ['half of an output', { body: { title: 'a', produces: [{ path: SECRET }] } }, 400, 'INVALID', 'produces[0].type'],
  ['no title', { body: { note: SECRET } }, 400, 'INVALID', 'title'],
  ['no body', { body: '' }, 400, 'INVALID', 'title'],
  ['a list', { body: [SECRET] }, 400, 'INVALID', 'body'],
  ['null', { body: null }, 400, 'INVALID', 'body'],
  ['a long title', { body: { title: SECRET.repeat(40) } }, 400, 'INVALID', 'title'],
  ['NUL in a title', { body: { title: `${SECRET}\0` } }, 400, 'INVALID', 'title'],
  ['NUL in a path', { body: { title: 'a', units: [`${SECRET}\0`] } }, 400, 'INVALID', 'units[0]'],
  ['a title that is turned round', { body: { title: `\u202e${SECRET}` } }, 400, 'INVALID', 'title'],
  ['a path that leads outside', { body: { title: 'a', units: [`../${SECRET}`] } }, 403, 'OUTSIDE', 'units[0]'],
  ['an unknown input', { body: { title: 'a', consumes: ['S999'] } }, 404, 'UNKNOWN_SCOPE', 'consumes[0]'],
  ['an unknown parent', { body: { title: 'a', parent: 'S999' } }, 404, 'UNKNOWN_SCOPE', 'parent'],
  [
    'an unknown input within',
    {
      body: {
        scopes: [
          { title: 'a', key: 'a' },
          { title: 'b', consumes: ['a', 'S999'] },
        ],
      },
    },
    404,
    'UNKNOWN_SCOPE',
    'scopes[1].consumes[1]',
  ],
  [
    'a circle',
    {
      body: {
        scopes: [
          { title: 'a', key: 'a', consumes: ['b'] },
          { title: 'b', key: 'b', consumes: ['a'] },
        ],
      },
    },
    409,
    'DEADLOCK',
    'scopes[0].consumes[0]',
  ],
  [
    'a key twice',
    {
      body: {
        scopes: [
          { title: 'a', key: 'a' },
          { title: 'b', key: 'a' },
        ],
      },
    },
    400,
    'INVALID',
    'scopes[1].key',
  ],
  ['no scopes', { body: { scopes: [] } }, 400, 'INVALID', 'scopes'],
  ['100,000 scopes', { body: { scopes: Array(100_000).fill({ title: SECRET }) } }, 422, 'LIMIT', 'scopes'],
  ['a prototype', { body: `{"title":"a","__proto__":{"role":"${SECRET}"}}` }, 400, 'INVALID', '__proto__'],
  ['a name twice', { body: `{"title":"a","title":"${SECRET}"}` }, 400, 'INVALID', 'title'],
  ['deep JSON', { body: DEEP }, 400],
  ['what is no JSON', { body: `{"title":${SECRET}` }, 400],
  ['what is no UTF-8', { body: Buffer.from([...Buffer.from('{"title":"'), 0xff, 0x22, 0x7d]) }, 400],
  ['text', typed('text/plain'), 415],
  ['a form', typed('application/x-www-form-urlencoded'), 415],
  ['parts of a form', typed('multipart/form-data; boundary=x'), 415],
  ['no type', typed(undefined), 415],
  ['a body of 100 MB', { headers: { 'content-length': '100000000' }, body: SECRET.repeat(10_000) }, 413],
  ['9 MB in chunks', { headers: { 'transfer-encoding': 'chunked' }, body: SECRET.repeat(1_500_000) }, 413],
];

const OTHERS: readonly Row[] = [
  ['an unknown scope', get(`${SCOPES}/S999`), 404, 'UNKNOWN_SCOPE'],
  ['a handle in a path', get(`${SCOPES}/S001-${SECRET}`), 400, 'INVALID', 'id'],
  ['the claim of an unknown scope', patch('scopes/S999/claim', {}), 404, 'UNKNOWN_SCOPE'],
  ['a claim with a handle of another', patch('scopes/S999/claim', { scope: 'S001-abcdef' }), 400, 'INVALID', 'scope'],
  ['no change', patch('scopes/S001', {}), 400, 'INVALID', 'body'],
  ['a status that is not set so', patch('scopes/S001', { status: 'done' }), 400, 'INVALID', 'status'],
  ['an output without a summary', post('scopes/S001/output', { status: 'done' }), 400, 'INVALID', 'summary'],
  ['a release that burns', post('scopes/S001/release', { changes: SECRET }), 400, 'INVALID', 'changes'],
  ['an empty note', post('scopes/S001/notes', { text: ' ' }), 400, 'INVALID', 'text'],
  ['nothing to read', post('read', { paths: [] }), 400, 'INVALID', 'paths'],
  [
    'an edit that is none',
    post('patch', { edits: [{ path: 'a', contents: SECRET }] }),
    400,
    'INVALID',
    'edits[0].contents',
  ],
  ['edits as text', post('patch', { edits: `[{"path":"${SECRET}"}]` }), 400, 'INVALID', 'edits'],
  ['NUL in a command', post('run', { command: `${SECRET}\0` }), 400, 'INVALID', 'command'],
  ['an unknown run', get('/control-plane/runs/R999'), 404, 'NOT_FOUND'],
  ['an unknown artifact', get('/control-plane/artifacts/0123456789'), 404, 'NOT_FOUND'],
  ['an agent that is none', { headers: { 'signalbox-agent': 'a\u00e9' } }, 400, 'INVALID', 'Signalbox-Agent'],
  ['a status that there is not', get(`${SCOPES}?status=${SECRET}`), 400, 'INVALID', 'status'],
  ['a page of none', get(`${SCOPES}?limit=0`), 400, 'INVALID', 'limit'],
  ['a filter twice', get(`${SCOPES}?phase=test&phase=build`), 400, 'INVALID', 'phase'],
  ['a filter that there is not', get(`${SCOPES}?owner=${SECRET}`), 400, 'INVALID', 'owner'],
  ['a cursor that is none', get(`${SCOPES}?cursor=${SECRET}`), 400, 'INVALID', 'cursor'],
  ['a parent that is none', get(`${SCOPES}?parent=${SECRET}`), 400, 'INVALID', 'parent'],
  ['a cursor of artifacts that is none', get(`/control-plane/artifacts?cursor=${SECRET}`), 400, 'INVALID', 'cursor'],
  ['artifacts of what is no scope', get(`/control-plane/artifacts?scope=${SECRET}`), 400, 'INVALID', 'scope'],
  ['events after what is none', get(`/control-plane/events?after=${SECRET}`), 400, 'INVALID', 'after'],
  ['a post of events', { path: '/control-plane/events' }, 405],
  ['a put of scopes', { method: 'PUT' }, 405],
  ['a delete of a scope', { method: 'DELETE', path: `${SCOPES}/S001` }, 405],
  ['a get of a claim', get(`${SCOPES}/S001/claim`), 405],
  ['a post of the description', { path: '/openapi.json' }, 405],
  ['a post of the health', { path: '/healthz' }, 405],
  ['no route', get('/control-plane/nothing'), 404],
  ['a slash that is hidden', get(`${SCOPES}/..%2f..%2fmcp`), 404, 'UNKNOWN_SCOPE'],
  ['dots that are hidden', get(`${SCOPES}/%2e%2e/run`), 405],
  ['dots to the state', get('/control-plane/../.signalbox/token'), 404],
  ['NUL in a path of the URL', get(`${SCOPES}/%00`), 400, 'INVALID', 'id'],
  ['a code of the URL that is none', get(`${SCOPES}/%zz`), 404, 'UNKNOWN_SCOPE'],
];

/** Who may not call at all. */
function callers({ token }: Served, tokens: { readonly [kind: string]: string }): readonly Row[] {
  const as = (authorization: string | undefined): Wrong => ({ headers: { authorization } });
  const others = Object.entries(tokens).map(([kind, other]): Row => [`a ${kind} token`, as(`Bearer ${other}`), 401]);
  return [
    ...others,
    ['no token', as(undefined), 401],
    ['a token cut short', as(`Bearer ${token.slice(0, -1)}`), 401],
    ['another scheme', as(`Basic ${token}`), 401],
    ['a token in the URL', { ...as(undefined), path: `${SCOPES}?token=${token}` }, 400],
    ['a token in the URL besides', { path: `${SCOPES}?access_token=${token}` }, 400],
    ['a token in a path', get(`/control-plane/runs/${token}`), 404, 'NOT_FOUND'],
    ['a foreign Host', { headers: { host: 'evil.example' } }, 403],
    ['a Host with another port', { headers: { host: 'localhost:1' } }, 403],
    ['a foreign Origin', { headers: { origin: 'https://evil.example' } }, 403],
    ['the Origin null', { headers: { origin: 'null' } }, 403],
  ];
}

test('promises 8 and 12: what is wrong is refused with its field, stores nothing, and leaves one line without secrets', async () => {
  const workspace = newWorkspace({ 'src/a.txt': 'one\n' });
  const { served, running } = await logged(workspace.root);
  const slow = slowBody(newWorkspace().root);
  const tokens = await badTokens(workspace.root);
  const store = await workspace.store();
  const secrets = [SECRET, served.token, ...Object.values(tokens)];
  const tree = treeOf(workspace.root);
  let said = 0;
  for (const [at, row] of [...DECLARATIONS, ...OTHERS, ...callers(served, tokens)].entries()) {
    const [what, wrong, status, code, field] = row;
    const after = await store.view({}, ({ state }) => state.seq);
    const answer = await send(served, sentBy(served, wrong));
    expectProblem(answer, status, code);
    expect.soft([what, answer.body.facts?.argument], what).toEqual([what, field]);
    if (status === 405) expect.soft(answer.headers.allow, what).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
    const events = await store.events({ after, limit: 10 });
    expect.soft([what, events.filter(({ body }) => body.type !== 'refused')]).toEqual([what, []]);
    expect.soft(events.length, what).toBeLessThanOrEqual(1);
    const log = await logUpTo(served, running, at);
    const lines = log.slice(said).split('\n').slice(0, -2);
    said = log.length;
    const cause = [status, code, code === undefined ? undefined : field].filter((part) => part !== undefined).join(' ');
    expect.soft([what, lines]).toEqual([what, [expect.stringContaining(` refused: ${shown(cause)} (`)]]);
    expect.soft(secrets.filter((secret) => log.includes(secret))).toEqual([]);
    expect
      .soft(
        secrets.slice(1).filter((secret) => answer.text.includes(secret)),
        what,
      )
      .toEqual([]);
  }
  expect(treeOf(workspace.root)).toBe(tree);
  expect(await store.view({}, ({ state }) => state.scopes.size)).toBe(0);
  await slow;
}, 120_000);

/** As a field stands in the log: in one line, and without what may be the secret of a handle. */
function shown(cause: string): string {
  return cause.replace('\n', '?').replace(`S001-${SECRET}`, 'S001-…');
}

function sentBy({ token }: Served, { method = 'POST', path = SCOPES, headers = {}, body }: Wrong): Sent {
  const usual = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const given = Object.entries({ ...usual, ...headers }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return { method, path, headers: Object.fromEntries(given), ...(text === undefined ? {} : { body: text }) };
}

/** A server whose log is read. */
async function logged(root: string): Promise<{ served: Served; running: Running }> {
  const running = startCli(['serve', '--port', '0', '--json', '--root', root]);
  const { url, token_file } = JSON.parse(await running.shows(/\n/));
  const token = readFileSync(token_file, 'utf8').trim();
  return { served: { url, token, pid: running.pid, stop: async () => void (await running.stop()) }, running };
}

/** The log with all that came before this moment: a request of our own, of which a line is known to come, ends it. */
async function logUpTo(served: Served, running: Running, at: number): Promise<string> {
  await send(served, { method: 'GET', path: `/mark-${at}`, headers: {} });
  return running.complains(new RegExp(`/mark-${at} .*\\n`));
}

async function badTokens(root: string): Promise<{ readonly [kind: string]: string }> {
  const elsewhere = mkdtempSync(join(tmpdir(), 'signalbox-tokens-'));
  onTestFinished(() => rmSync(elsewhere, { recursive: true }));
  const files = new TokenFiles(join(root, '.signalbox'));
  const made = (name: string, expires?: number): string => {
    const token = files.create({ name, role: 'operator', ...(expires === undefined ? {} : { expires }) }, Date.now());
    if (isRefusal(token)) throw new Error(token.sentence);
    return token.token;
  };
  const [expired, revoked] = [made('old', Date.now() - 1), made('gone')];
  files.revoke('gone');
  return { foreign: new TokenFiles(elsewhere).first().token, expired, revoked, wrong: 'wrong' };
}

/** Sends a body a character at a time, for ever. The server has a limit of half a minute for all of it. */
async function slowBody(root: string): Promise<void> {
  const { served, running } = await logged(root);
  const { hostname, port } = new URL(served.url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  const head = ['POST /control-plane/scopes HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${served.token}`];
  socket.write([...head, 'Content-Type: application/json', 'Content-Length: 1000', '', '{"title":"'].join('\r\n'));
  const drip = setInterval(() => socket.write(SECRET), 500);
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  await once(socket, 'close');
  clearInterval(drip);
  expect(text).toMatch(/^HTTP\/1\.1 408 .*\r\ncontent-type: application\/problem\+json\r\n.*"status":408/is);
  const log = await logUpTo(served, running, 0);
  expect(log.split('\n').slice(0, -2)).toEqual(['signalbox: POST /control-plane/scopes refused: 408 (operator)']);
  expect(text).not.toContain(SECRET);
}
