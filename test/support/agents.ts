import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as LegacyStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { onTestFinished } from 'vitest';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** What a tool answered. `data` is the structured content, which these clients get in full. */
export interface Answer {
  readonly isError: boolean;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at many shapes, and a wrong look fails the test.
  readonly data: any;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** The `_meta` of the call, in which clients name their subagents. */
  readonly meta?: { readonly [key: string]: unknown };
}

/** An agent on a real MCP client. */
export interface Agent {
  readonly name: string;
  call(tool: string, args?: object, options?: CallOptions): Promise<Answer>;
  /** The same, and throws unless the answer is a success. Returns the structured content. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  ok(tool: string, args?: object): Promise<any>;
  /** The same, and throws unless the answer is this refusal. */
  refused(code: string, tool: string, args?: object): Promise<Answer>;
  /** The names of the tools that its server offers. */
  tools(): Promise<string[]>;
  close(): Promise<void>;
  /** Resolves when the connection is closed, by whichever side. */
  readonly closed: Promise<void>;
  /** The server process of a stdio agent. */
  readonly pid: number | null;
  /** Sends a signal to that process. */
  signal(signal: NodeJS.Signals): void;
}

export type Era = 'legacy' | 'modern';

/** An agent with a server process of its own, as clients start them: `signalbox mcp` over stdio. */
export function stdioAgent(
  root: string,
  name: string,
  era: Era = 'legacy',
  env: { readonly [name: string]: string } = {},
  /** A program that starts the server, with its arguments. */
  through: readonly string[] = [],
): Promise<Agent> {
  return overStdio(root, name, era, env, [...through, process.execPath, MAIN, 'mcp']);
}

/** The same with a server that runs as another user, to whom the root and the home folder belong. Only root can do this. */
export function agentOfUser(root: string, name: string, { uid, home }: { uid: number; home: string }): Promise<Agent> {
  const as = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', process.execPath, MAIN, 'mcp'];
  return overStdio(root, name, 'legacy', { HOME: home }, as);
}

async function overStdio(
  root: string,
  name: string,
  era: Era,
  env: { readonly [name: string]: string },
  [command = '', ...args]: readonly string[],
): Promise<Agent> {
  const parameters = { command, args, cwd: root, env: { ...inherited(), ...env }, stderr: 'pipe' as const };
  if (era === 'modern') {
    const transport = new ModernStdio(parameters);
    const client = new ModernClient({ name, version: '1.0.0' }, MODERN);
    await client.connect(transport);
    return agent(name, client, transport.pid);
  }
  const transport = new LegacyStdio(parameters);
  const client = new LegacyClient({ name, version: '1.0.0' });
  await client.connect(transport);
  return agent(name, client, transport.pid);
}

export async function httpAgent(server: Served, name: string, era: Era = 'legacy'): Promise<Agent> {
  const requestInit = { headers: { authorization: `Bearer ${server.token}` } };
  if (era === 'modern') {
    const client = new ModernClient({ name, version: '1.0.0' }, MODERN);
    await client.connect(new ModernHttp(new URL(server.url), { requestInit }));
    return agent(name, client, null);
  }
  const client = new LegacyClient({ name, version: '1.0.0' });
  const transport = new LegacyHttp(new URL(server.url), { requestInit });
  // The two packages disagree on whether sessionId may be undefined; at run time they do not.
  await client.connect(transport as Parameters<LegacyClient['connect']>[0]);
  return agent(name, client, null);
}

/** Without this the 2.x client speaks the older era even to servers that know the newer one. */
const MODERN = { versionNegotiation: { mode: 'auto' as const } };

function agent(name: string, client: ModernClient | LegacyClient, pid: number | null): Agent {
  onTestFinished(() => client.close().catch(() => undefined));
  const closed = new Promise<void>((resolve) => {
    client.onclose = resolve;
  });
  const call: Agent['call'] = async (tool, args = {}, { meta, ...options } = {}) => {
    const request = { name: tool, arguments: { ...args }, ...(meta === undefined ? {} : { _meta: meta }) };
    const limits = { timeout: 300_000, ...options };
    const result =
      client instanceof ModernClient
        ? await client.callTool(request, limits)
        : await client.callTool(request, undefined, limits);
    return answerOf(result);
  };
  return {
    name,
    pid,
    call,
    async ok(tool, args) {
      const answer = await call(tool, args);
      if (answer.isError) throw new Error(`${name}: ${tool} was refused: ${answer.text}`);
      return answer.data;
    },
    async refused(code, tool, args) {
      const answer = await call(tool, args);
      if (!answer.isError || !answer.text.startsWith(`${code}: `))
        throw new Error(`${name}: ${tool} should be ${code}, but: ${answer.text}`);
      return answer;
    },
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    close: () => client.close(),
    closed,
    signal(signal) {
      if (pid === null) throw new Error(`${name} has no server process of its own`);
      process.kill(pid, signal);
    },
  };
}

function answerOf(result: unknown): Answer {
  const { content, structuredContent, isError } = result as {
    content: { type: string; text?: string }[];
    structuredContent?: unknown;
    isError?: boolean;
  };
  return {
    isError: isError === true,
    text: content.map((block) => block.text ?? '').join('\n'),
    data: structuredContent,
  };
}

function inherited(): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

/** A running `signalbox serve`. */
export interface Served {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export async function serve(root: string): Promise<Served> {
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--json', '--root', root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => ended(child, 'SIGKILL'));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
  const { url, token_file } = JSON.parse(line) as { url: string; token_file: string };
  return {
    url,
    token: readFileSync(token_file, 'utf8').trim(),
    pid: child.pid ?? 0,
    stop: (signal = 'SIGTERM') => ended(child, signal),
  };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}
