import { type CallToolResult, CLIENT_INFO_META_KEY, Server, type ServerContext } from '@modelcontextprotocol/server';
import { unavailable } from '../coordinator/unavailable.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Request } from './call.js';
import type { Door } from './connection.js';
import { nameOf } from './identity.js';
import { refusalText } from './refusal.js';

/** How the tools work together. Each description suffices alone too: subagents do not get this text. */
export const INSTRUCTIONS = `Several agents work in this repository at the same time. These tools check who holds what at the moment of each effect, so use them for all changes and commands.
1. claim_scope with a title and the units that you will change. 2. read. 3. patch, passing the scope handle. 4. run the tests with it. 5. publish_output with a summary: it commits your changes and frees your locks.
HELD: another agent works there. Claim those units to wait for your turn, or do other work first.
WAITING: call claim_scope again with your handle. STALE_BASE or NO_MATCH: read the file again, then patch.
Lost your handle: list_scopes {"mine": true}. Give up: release_scope.`;

export interface ServerOptions {
  readonly door: Door;
  readonly version: string;
  /** Told of what should not have happened; never of refusals. */
  readonly onerror: (error: unknown) => void;
}

/** An MCP server of both protocol eras with the eight tools: one per connection, or per request that stands alone. */
export function createServer({ door, version, onerror }: ServerOptions): Server {
  const info = { name: 'signalbox', title: 'Signalbox', version };
  const server = new Server(info, { capabilities: { tools: {} }, instructions: INSTRUCTIONS });
  server.setRequestHandler('tools/list', async () => ({ tools: (await catalog()).toolList() }));
  server.setRequestHandler('tools/call', async ({ params }, ctx) => {
    const request = requestOf(params.arguments, ctx, clientName(server, ctx), onerror);
    const tools = await catalog().catch((error: unknown) => unavailable(error));
    return isRefusal(tools) ? unloaded(tools) : tools.callTool(params.name, door, request);
  });
  server.onerror = onerror;
  return server;
}

let loaded: Promise<typeof import('./catalog.js')> | undefined;

/** The tools are loaded when they are first asked for: the answer to `initialize` does not wait for them. */
function catalog() {
  loaded ??= import('./catalog.js').catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

/** The disk failed, or there are too many open files: a refusal like any other. */
function unloaded(refusal: Refusal): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: refusalText(refusal) }] };
}

function requestOf(args: unknown, ctx: ServerContext, client: string, onerror: ServerOptions['onerror']): Request {
  const { _meta: meta, signal, notify } = ctx.mcpReq;
  const progressToken = meta?.progressToken;
  const request = { args, meta, client, signal, onerror };
  if (progressToken === undefined) return request;
  const progress = (progress: number, message: string) => {
    notify({ method: 'notifications/progress', params: { progressToken, progress, message } }).catch(onerror);
  };
  return { ...request, progress };
}

/** Newer clients say with each request who they are, older ones once. */
function clientName(server: Server, ctx: ServerContext): string {
  const info: unknown = Reflect.get(ctx.mcpReq.envelope ?? {}, CLIENT_INFO_META_KEY) ?? server.getClientVersion();
  return nameOf(typeof info === 'object' && info !== null && 'name' in info ? info.name : undefined);
}
