import {
  type CallToolResult,
  ProtocolError,
  ProtocolErrorCode,
  type ToolAnnotations,
  type Tool as ToolEntry,
} from '@modelcontextprotocol/server';
import { shapeOf } from '../wire/shape.js';
import { call, type Request } from './call.js';
import type { Door } from './connection.js';
import type { Effect, Tool } from './tool.js';
import { claimScope } from './tools/claim-scope.js';
import { listScopes } from './tools/list-scopes.js';
import { openScope } from './tools/open-scope.js';
import { patch } from './tools/patch.js';
import { publishOutput } from './tools/publish-output.js';
import { read } from './tools/read.js';
import { releaseScope } from './tools/release-scope.js';
import { run } from './tools/run.js';

/** The eight tools, in the order in which work needs them. The list never changes while a server runs. */
export const TOOLS: readonly Tool[] = [
  read,
  patch,
  run,
  claimScope,
  publishOutput,
  openScope,
  releaseScope,
  listScopes,
];

const ANNOTATIONS: { readonly [effect in Effect]: ToolAnnotations } = {
  look: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  change: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  lock: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  execute: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
};

/** What clients are shown of the tools. */
export function toolList(): ToolEntry[] {
  return TOOLS.map((tool) => ({
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: shapeOf(tool.schema),
    annotations: ANNOTATIONS[tool.effect],
    // Claude Code would otherwise hide the tools behind a search.
    _meta: { 'anthropic/alwaysLoad': true },
  }));
}

/** Calls a tool by name. A name that there is not is an error of the protocol, all else a result. */
export function callTool(name: string, door: Door, request: Request): Promise<CallToolResult> {
  const tool = TOOLS.find((tool) => tool.name === name);
  if (tool !== undefined) return call(tool, door, request);
  const names = TOOLS.map((tool) => tool.name).join(', ');
  const sentence = `There is no tool ${JSON.stringify(name.slice(0, 100))}; the tools are ${names}.`;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, sentence);
}
