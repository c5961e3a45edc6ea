import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { isRefusal } from '../../src/domain/refusal.js';
import { BOUNDS } from '../../src/http/event-stream.js';
import { TokenFiles } from '../../src/http/token-files.js';
import type { Store } from '../../src/store/store.js';
import type { Bench } from './bench.js';
import { inTurns, medians, percentile } from './measure.js';
import { MAIN } from './programs.js';
import type { Helper, Stage } from './stage.js';
import { aboveAtMost, atMost, ratioAtMost, shown } from './table.js';

const CLIENTS = 200;
const EVENTS_A_SECOND = 200;
const SPAN = 5_000;
const ROUNDS = 3;
/** Milliseconds between two calls of the agent. */
const PACE = 50;
const FORMER = 'the former line';
const LATTER = 'the latter line';

/** 200 streams at 200 events a second, and an agent that works on the same server meanwhile. */
export const sse: Bench = {
  name: 'sse',
  async run(stage) {
    const root = stage.folder({ 'src/a.txt': `${FORMER}\n` });
    const { store } = (await stage.inProcess(root)).parts;
    const served = await serve(stage, root);
    const clients = stage.helper('sse-clients.js', served.events, streamTokens(root).join(' '), String(CLIENTS));
    const patch = await agent(served);
    const heard: Heard[] = [];
    const memory = { idle: 0, busy: 0 };
    const samples = await inTurns(ROUNDS, [
      async () => {
        const took = await paced(patch);
        memory.idle ||= residentOf(served.pid);
        return took;
      },
      async () => (await Promise.all([paced(patch), record(store)]))[0],
      async () => {
        await told(clients, 'open');
        const [took, events] = await Promise.all([paced(patch), record(store)]);
        memory.busy = Math.max(memory.busy, residentOf(served.pid));
        heard.push(heardOf(await told(clients, events)));
        return took;
      },
    ]);
    const [idle = 0, alone = 0, beside = 0] = medians(samples);
    const late = heard.slice(1).map(({ p99 }) => p99);
    const call = { unit: 'ms', ours: beside };
    return [
      atMost(250, { name: `an event reaches ${CLIENTS} streams, p99`, unit: 'ms', ours: percentile(late, 50) }),
      ratioAtMost(2, { name: 'patch over HTTP beside it, against an idle server', ...call, theirs: idle }),
      shown({ name: 'the same, against as many events that nobody follows', ...call, theirs: alone }),
      aboveAtMost(128, {
        name: 'memory of the server, against idle',
        unit: 'MB',
        ours: memory.busy,
        theirs: memory.idle,
      }),
    ];
  },
};

interface Served {
  readonly mcp: string;
  readonly events: string;
  readonly token: string;
  readonly pid: number;
}

async function serve(stage: Stage, root: string): Promise<Served> {
  const command = () => [MAIN, 'serve', '--port', '0', '--json', '--root', root];
  const child = stage.start({ name: 'ours', command }, root);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { url, token_file } = JSON.parse(String(line));
  const events = new URL('/control-plane/events', url).href;
  return { mcp: url, events, token: readFileSync(token_file, 'utf8').trim(), pid: child.pid ?? 0 };
}

/** As many as so many streams need: each has a bound. */
function streamTokens(root: string): string[] {
  const files = new TokenFiles(join(root, '.signalbox'));
  return Array.from({ length: Math.ceil(CLIENTS / BOUNDS.each) }, (_, at) => {
    const made = files.create({ name: `stream-${at}`, role: 'observer' }, Date.now());
    if (isRefusal(made)) throw new Error(made.sentence);
    return made.token;
  });
}

/** → one call of an agent over HTTP. */
async function agent({ mcp, token }: Served): Promise<() => Promise<void>> {
  const client = new Client({ name: 'bench', version: '1.0.0' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(mcp), { requestInit }));
  await client.callTool({ name: 'claim_scope', arguments: { title: 'Edit', units: ['src/'] } });
  let [from, to] = [FORMER, LATTER];
  return async () => {
    const edits = [{ path: 'src/a.txt', old_string: from, new_string: to }];
    const result = await client.callTool({ name: 'patch', arguments: { edits } });
    if (result.isError === true) throw new Error(JSON.stringify(result.content));
    [from, to] = [to, from];
  };
}

/** Calls now and then, for one span. → milliseconds of each call. */
async function paced(call: () => Promise<void>): Promise<number[]> {
  const samples: number[] = [];
  for (const end = performance.now() + SPAN; performance.now() < end; ) {
    const start = performance.now();
    await call();
    samples.push(performance.now() - start);
    await setTimeout(Math.max(0, PACE - (performance.now() - start)));
  }
  return samples;
}

/** Records events as another process of the workspace does, each with the moment before its commit. → how many. */
async function record(store: Store): Promise<number> {
  const all = (SPAN / 1_000) * EVENTS_A_SECOND;
  const start = performance.now();
  for (let events = 0; events < all; events++) {
    const wait = start + (events * 1_000) / EVENTS_A_SECOND - performance.now();
    if (wait > 1) await setTimeout(wait);
    await store.transact({ agent: 'bench', connection: 'bench' }, {}, () => {
      const sentence = String(process.hrtime.bigint());
      return { answer: true, events: [{ type: 'refused', tool: 'patch', code: 'HELD', sentence, facts: {} }] };
    });
  }
  return all;
}

interface Heard {
  readonly p50: number;
  readonly p99: number;
}

async function told(clients: Helper, message: string | number): Promise<unknown> {
  clients.send(message);
  return clients.next();
}

function heardOf(message: unknown): Heard {
  const { p50, p99 } = Object(message);
  if (typeof p50 !== 'number' || typeof p99 !== 'number') throw new Error('the clients told no figures');
  return { p50, p99 };
}

/** Megabytes of memory that a process has. Linux only. */
function residentOf(pid: number): number {
  if (process.platform !== 'linux') return 0;
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
