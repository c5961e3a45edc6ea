import { execFile, spawn } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as LegacyStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
let built: string;
let child: string;

/** Node cannot run TypeScript: the child is compiled, to where it finds the packages. */
beforeAll(async () => {
  const cache = join(root, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  built = await mkdtemp(join(cache, 'stdio-child-'));
  const compilerOptions = { noEmit: false, noCheck: true, outDir: built, rootDir: join(root, 'src') };
  const files = [join(import.meta.dirname, 'stdio-child.testsuite.ts')];
  const config = join(built, 'tsconfig.json');
  await writeFile(
    config,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }),
  );
  await writeFile(join(built, 'package.json'), '{"type":"module"}');
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config]);
  child = join(built, 'mcp/stdio-child.testsuite.js');
}, 60_000);

afterAll(async () => {
  await rm(built, { recursive: true, force: true });
});

const breaker = () => join(built, `broken-${Math.trunc(performance.now() * 1_000)}`);

/** What the child told, as lines; `said` resolves when a line is there. */
class Told {
  #text = '';
  readonly #stream: EventEmitter;

  constructor(stream: EventEmitter) {
    this.#stream = stream;
    stream.on('data', (chunk) => {
      this.#text += String(chunk);
    });
  }

  get lines(): string[] {
    return this.#text.split('\n').filter((line) => line !== '');
  }

  async said(line: string): Promise<void> {
    while (!this.lines.some((each) => each.startsWith(line))) await once(this.#stream, 'data');
  }
}

async function legacy(name: string, broken = '') {
  const transport = new LegacyStdio({ command: process.execPath, args: [child, broken], stderr: 'pipe' });
  const client = new LegacyClient({ name, version: '1' });
  const told = new Told(transport.stderr ?? new PassThrough());
  await client.connect(transport);
  return { client, told };
}

async function modern(name: string) {
  const transport = new ModernStdio({ command: process.execPath, args: [child], stderr: 'pipe' });
  const client = new ModernClient({ name, version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const told = new Told(transport.stderr ?? new PassThrough());
  await client.connect(transport);
  return { client, told };
}

const eras = [
  ['2025', legacy],
  ['2026', modern],
] as const;

describe.each(eras)('a client of the %s revision', (era, connect) => {
  test('is told the same eight tools and how to use them', async () => {
    const { client } = await connect('gemini-cli-mcp-client');
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toHaveLength(8);
    expect(tools.every(({ inputSchema }) => !('$schema' in inputSchema) && inputSchema.type === 'object')).toBe(true);
    expect(client.getInstructions()).toContain('claim_scope');
    if (era === '2025') expect(client.getServerVersion()).toMatchObject({ name: 'signalbox', version: '1.2.3' });
    await client.close();
  });

  test('gets text and structured content, each complete, and is one connection', async () => {
    const { client, told } = await connect('gemini-cli-mcp-client');
    const result = await client.callTool({ name: 'read', arguments: { paths: 'a.txt', wait_for_previous: true } });
    expect(result.content).toEqual([
      { type: 'text', text: expect.stringMatching(/^=== a\.txt \(version \w{10}, lines 1-2 of 2\) ===\none\ntwo\n$/) },
      { type: 'text', text: 'Ignored, no such argument: wait_for_previous' },
    ]);
    expect(result.structuredContent).toMatchObject({
      files: [{ path: 'a.txt', text: 'one\ntwo\n' }],
      ignored_arguments: ['wait_for_previous'],
    });
    await client.callTool({ name: 'claim_scope', arguments: { title: 'Tidy', units: ['a.txt'] } });
    const edits = [{ path: 'a.txt', content: 'mine\n' }];
    expect((await client.callTool({ name: 'patch', arguments: { edits } })).isError).toBeUndefined();
    await client.close();
    await told.said('closed');
    expect(told.lines).toEqual([
      'connected',
      'read by gemini-cli-mcp-client, connected, 500 s',
      'claim by gemini-cli-mcp-client, connected, 500 s',
      'patch by gemini-cli-mcp-client, connected, 500 s',
      'disconnected',
      'closed',
    ]);
  });

  test('that shows only structured content to its model gets text only', async () => {
    const { client } = await connect('codex-mcp-client');
    const result = await client.callTool({ name: 'read', arguments: { paths: ['a.txt', 'dot.png'] } });
    expect(result.structuredContent).toBeUndefined();
    expect(result.content).toEqual([
      { type: 'text', text: expect.stringContaining('one\ntwo\n=== dot.png') },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
    ]);
    await client.close();
  });

  test('gets refusals as results, and those of its arguments are recorded', async () => {
    const { client, told } = await connect('opencode');
    const result = await client.callTool({ name: 'read', arguments: { path: 'a.txt' } });
    expect(result).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringMatching(/^INVALID: .*"path".*paths[\s\S]*\nNext: /) }],
      structuredContent: { code: 'INVALID', facts: { argument: 'path', expected: 'paths' } },
    });
    await told.said('refused read INVALID');
    const broke = await client.callTool({ name: 'run', arguments: { command: 'break' } });
    expect(broke).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/^UNAVAILABLE: .*broke/) }] });
    await told.said('error: the toy broke');
    await expect(client.callTool({ name: 'write', arguments: {} })).rejects.toThrow('There is no tool "write"');
    await client.close();
  });

  test('hears what its call waits for, and can give it up', async () => {
    const { client, told } = await connect('opencode');
    const heard: unknown[] = [];
    const giveUp = new AbortController();
    const options = { signal: giveUp.signal, onprogress: (progress: unknown) => heard.push(progress) };
    const params = { name: 'run', arguments: { command: 'await' } };
    const called =
      client instanceof LegacyClient ? client.callTool(params, undefined, options) : client.callTool(params, options);
    const rejected = expect(called).rejects.toThrow();
    await told.said('waiting');
    await told.said('run by opencode, connected, 600 s');
    // Messages come in order: with this answer, the progress before it is here.
    await client.callTool({ name: 'list_scopes', arguments: {} });
    expect(heard).toEqual([{ progress: 1, message: 'waits for the end of the test' }]);
    giveUp.abort();
    await rejected;
    await told.said('given up');
    await client.close();
  });
});

test('a server that cannot work still answers, and works as soon as it can', async () => {
  const broken = breaker();
  await writeFile(broken, '');
  const { client, told } = await legacy('claude-code', broken);
  expect((await client.listTools()).tools).toHaveLength(8);
  const arguments_ = { paths: ['a.txt'] };
  const result = await client.callTool({ name: 'read', arguments: arguments_ });
  expect(result).toEqual({
    isError: true,
    content: [{ type: 'text', text: 'UNAVAILABLE: The toy is broken.\nNext: Mend it.' }],
  });
  await rm(broken);
  expect((await client.callTool({ name: 'read', arguments: arguments_ })).isError).toBeUndefined();
  await told.said('read by');
  expect(told.lines).toEqual(['connected', 'read by claude-code, connected, 1800 s']);
  await client.close();
});

const initialize = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bare', version: '1' } },
};
const call = (id: number, command: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'run', arguments: { command } },
});

type Bare = ReturnType<typeof bare>;

/** A server process with nothing but its pipes. */
function bare() {
  const server = spawn(process.execPath, [child], { stdio: 'pipe' });
  const told = new Told(server.stderr);
  const answers = new Told(server.stdout);
  const say = (...messages: object[]) =>
    server.stdin.write(messages.map((each) => `${JSON.stringify(each)}\n`).join(''));
  return { server, told, answers, say };
}

test.each([
  ['the end of stdin', ({ server }: Bare) => server.stdin.end()],
  ['SIGTERM', ({ server }: Bare) => server.kill('SIGTERM')],
  ['SIGINT', ({ server }: Bare) => server.kill('SIGINT')],
  [
    'a broken pipe',
    ({ server, say }: Bare) => {
      server.stdout.destroy();
      say({ jsonrpc: '2.0', id: 2, method: 'ping' });
    },
  ],
])('on %s, calls are given up, the connection ends, and the process exits with 0', async (_, end) => {
  const child = bare();
  const { server, told, say } = child;
  say(initialize, call(1, 'await'));
  await told.said('waiting');
  const exited = once(server, 'exit');
  end(child);
  expect(await exited).toEqual([0, null]);
  await told.said('closed');
  expect(told.lines).toEqual(expect.arrayContaining(['given up', 'disconnected', 'closed']));
});

test('a client that is gone before its first call leaves no connection behind', async () => {
  const { server, told, answers, say } = bare();
  say(initialize);
  await answers.said('{"result"');
  const exited = once(server, 'exit');
  server.stdin.end();
  expect(await exited).toEqual([0, null]);
  expect(told.lines).toEqual([]);
});

test('a server whose parent is gone ends, even if its pipe stays open', async () => {
  const pipe = join(built, 'pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  // Open for reading too: the pipe has no end as long as the test holds it.
  const held = await open(pipe, 'r+');
  const shell = spawn('/bin/sh', ['-c', '"$0" "$1" <"$2" & wait', process.execPath, child, pipe]);
  const told = new Told(shell.stderr);
  await held.write(`${JSON.stringify(initialize)}\n${JSON.stringify(call(1, 'await'))}\n`);
  await told.said('waiting');
  shell.kill('SIGKILL');
  await told.said('closed');
  expect(told.lines).toEqual(expect.arrayContaining(['given up', 'disconnected', 'closed']));
  await held.close();
});
