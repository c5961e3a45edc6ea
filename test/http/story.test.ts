import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Event } from '../../src/domain/event.js';
import { type Actor, overHttp, overRest, overStdio } from '../support/actors.js';
import { MAIN, type Served, serve } from '../support/agents.js';
import { newShop } from '../support/shop.js';
import { have } from '../support/tools.js';
import type { TestWorkspace } from '../support/workspace.js';

const GUIDE = fileURLToPath(new URL('../../docs/rest.md', import.meta.url));

interface Cast {
  readonly operator: Actor;
  readonly ada: Actor;
  readonly ben: Actor;
}

/** The story of docs/rest.md. */
async function play({ operator, ada, ben }: Cast): Promise<void> {
  const cart = { title: 'Ten percent off from 50 EUR', units: ['src/cart.js'], produces: ['src/cart.js'] };
  const { id: discount } = await operator.open(cart);
  const paper = {
    title: 'Show on the receipt what was saved',
    units: ['src/receipt.js'],
    produces: ['src/receipt.js'],
  };
  const { id: receipt } = await operator.open({ ...paper, consumes: [discount] });

  const bens = await ben.claim({ scope: receipt, wait_s: 0 });
  expect(bens).toMatchObject({ status: 'waiting', blocked_on: [discount] });
  const adas = await ada.claim({ phase: 'build' });
  expect(adas).toMatchObject({ id: discount, status: 'active' });
  await ben.refused('HELD', { edits: TRIED });

  const before = await ada.read('src/cart.js');
  expect(before).toContain('return subtotal(lines);');
  await ada.patch({ scope: adas.scope, edits: CART });
  expect(await ada.run({ scope: adas.scope, command: 'npm test' })).toMatchObject({ exit_code: 0 });
  await ada.publish({ scope: adas.scope, summary: 'Take ten percent off from 50 EUR' });

  const granted = await ben.claim({ scope: bens.scope });
  expect(granted).toMatchObject({ id: receipt, status: 'active', inputs: [{ hash: expect.any(String) }] });
  expect(await ben.read(`artifact:${granted.inputs?.[0]?.hash}`)).toContain('export function discount(sum)');
  await ben.patch({ scope: bens.scope, edits: RECEIPT });
  expect(await ben.run({ scope: bens.scope, command: 'npm test' })).toMatchObject({ exit_code: 0 });
  await ben.publish({ scope: bens.scope, summary: 'Show on the receipt what was saved' });
}

/** The edits of the guide: what is read there is what is done here. */
const [TRIED = [], CART = [], RECEIPT = []] = blocks('sh')
  .flatMap((block) => [...block.matchAll(/"edits": (\[.*?\])\n\}'/gs)])
  .map((match): object[] => JSON.parse(String(match[1])));

function blocks(kind: string): string[] {
  const fenced = readFileSync(GUIDE, 'utf8').matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\`$`, 'gms'));
  return [...fenced].map((match) => String(match[1]));
}

const CASTS: { readonly [how: string]: (served: Served, root: string) => Promise<Cast> } = {
  'REST alone': async (served) => ({
    operator: overRest(served, 'operator'),
    ada: overRest(served, 'ada'),
    ben: overRest(served, 'ben'),
  }),
  'tools alone': async (served, root) => ({
    operator: await overHttp(served, 'operator'),
    ada: await overStdio(root, 'ada'),
    ben: await overHttp(served, 'ben'),
  }),
  'both at once': async (served, root) => ({
    operator: await overHttp(served, 'operator'),
    ada: overRest(served, 'ada'),
    ben: await overStdio(root, 'ben'),
  }),
};

/** What came of a story: the ledger, and the commits. */
interface Told {
  readonly ledger: readonly object[];
  readonly commits: string;
}

async function told(workspace: TestWorkspace): Promise<Told> {
  const events = await workspace.events();
  const commits = workspace.git('log', '--reverse', '--format=%an|%B', '--name-only').replace(/^Trace: .*\n/gm, '');
  return { ledger: events.map(alike), commits };
}

/** An event without what differs each time: who was connected how, when, for how long, and what hashes that. */
function alike({ agent, body }: Event): object {
  const text = JSON.stringify({ agent, ...body }, (name, value) => {
    if (name === 'connection' || name === 'commit' || name === 'log' || name === 'tree') return '…';
    return body.type === 'run.ended' && name === 'output' ? '…' : value;
  });
  return JSON.parse(text);
}

async function played(how: string): Promise<Told> {
  const workspace = newShop();
  const served = await serve(workspace.root);
  const cast = await CASTS[how]?.(served, workspace.root);
  if (cast === undefined) throw new Error(`nobody plays ${how}`);
  await play(cast);
  return told(workspace);
}

let known: Promise<Told> | undefined;

function overRestAlone(): Promise<Told> {
  known ??= played('REST alone');
  return known;
}

test('the story of the example runs over REST alone', async () => {
  const { ledger, commits } = await overRestAlone();
  expect(ledger.filter((event) => 'code' in event)).toMatchObject([{ agent: 'ben', code: 'HELD', tool: 'patch' }]);
  expect(ledger.filter((event) => 'summary' in event)).toMatchObject([
    { agent: 'ada', scope: 'S001', type: 'scope.done' },
    { agent: 'ben', scope: 'S002', type: 'scope.done' },
  ]);
  expect(commits).toMatch(/Agent: ada\n+src\/cart\.js\n(.|\n)*Agent: ben\nConsumes: S001\n+src\/receipt\.js\n$/);
});

test.each(['tools alone', 'both at once'])('the same story with %s leaves the same ledger', async (how) => {
  expect(await played(how)).toEqual(await overRestAlone());
});

test.runIf(have('curl', '--version') && have('bash', '--version'))(
  'the curl lines of the guide run as they stand, answer as it says, and leave the same ledger',
  async () => {
    const workspace = newShop();
    const served = await serve(workspace.root);
    const script = [PRELUDE, ...blocks('sh')].join('\n');
    const { code, out, err } = await bash(workspace.root, script.replaceAll(ADDRESS, new URL(served.url).origin));
    const statuses = [...err.matchAll(/^status (\d+)$/gm)].map(([, status]) => Number(status));
    expect([code, ...statuses], err).toEqual([0, 201, 202, 200, 409, ...Array(12).fill(200)]);
    const answers = [...err.matchAll(/^answer (\{.*\})$/gm)].map(([, answer]): unknown => JSON.parse(String(answer)));
    for (const block of blocks('json'))
      expect(answers).toContainEqual(expect.objectContaining(JSON.parse(block, anyWhereItDiffers)));
    for (const block of blocks('text')) expect(out).toContain(block);
    expect(await told(workspace)).toEqual(await overRestAlone());
  },
);

/** Where the guide says that the server listens. */
const ADDRESS = 'http://127.0.0.1:4747';

/** Stops at what fails; `signalbox` is ours, and each `curl` tells its status and its answer besides. */
const PRELUDE = `set -euo pipefail
signalbox() { "$NODE" "$MAIN" "$@"; }
curl() {
  local answer
  answer=$(command curl --write-out '%{stderr}status %{http_code}\n' "$@")
  printf 'answer %s\n' "$answer" >&2
  printf '%s\n' "$answer"
}
`;

/** What the guide shows may be another each time. */
function anyWhereItDiffers(name: string, value: unknown): unknown {
  if (name === 'duration_ms') return expect.any(Number);
  if (name === 'containment') return expect.any(String);
  if (typeof value !== 'string') return value;
  if (value.includes('…')) return expect.any(String);
  const [, id] = /^(S\d+)-[a-z2-7]{6}$/.exec(value) ?? [];
  return id === undefined ? value : expect.stringMatching(new RegExp(`^${id}-[a-z2-7]{6}$`));
}

async function bash(cwd: string, script: string) {
  const env = { ...process.env, NODE: process.execPath, MAIN };
  const child = spawn('bash', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}
