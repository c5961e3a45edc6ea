import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { percentile } from './measure.js';

/** The clients of `sse`, in a process of their own: they open when told to, and say how late each event came to each. */
const [url = '', given = '', clients = ''] = process.argv.slice(2);
const tokens = given.split(' ');
const STAMP = /"sentence":"(\d+)"/g;

let streams: ClientRequest[] = [];
let samples: number[] = [];
let expected = Infinity;

process.on('message', (message) => {
  if (message === 'open') void openAll();
  else expect(Number(message));
});

async function openAll(): Promise<void> {
  [streams, samples, expected] = [[], [], Infinity];
  await Promise.all(Array.from({ length: Number(clients) }, (_, at) => open(tokens[at % tokens.length])));
  process.send?.('open');
}

/** Resolves when the stream has begun. */
function open(token = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const sent = request(`${url}?watch=true`, { headers, agent: false }, (response) => {
      if (response.statusCode === 200) listen(response, resolve);
      else reject(new Error(`a stream was answered with ${response.statusCode}`));
    });
    sent.on('error', () => undefined).end();
    streams.push(sent);
  });
}

function listen(response: IncomingMessage, begun: () => void): void {
  let rest = '';
  response.on('error', () => undefined).setEncoding('latin1');
  response.on('data', (chunk: string) => {
    const now = process.hrtime.bigint();
    const text = rest + chunk;
    const end = text.lastIndexOf('\n\n') + 2;
    rest = text.slice(end);
    for (const [, stamp = ''] of text.slice(0, end).matchAll(STAMP)) samples.push(Number(now - BigInt(stamp)) / 1e6);
    begun();
    finish();
  });
}

function expect(events: number): void {
  expected = events * streams.length;
  finish();
}

/** When every client has heard of every event, and not before. */
function finish(): void {
  if (samples.length < expected) return;
  expected = Infinity;
  for (const stream of streams) stream.destroy();
  process.send?.({ heard: samples.length, p50: percentile(samples, 50), p99: percentile(samples, 99) });
}
