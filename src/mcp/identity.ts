import { isReserved } from '../domain/agent-name.js';
import { traceOf } from '../wire/traceparent.js';

/** What a request says of its sender, beside its arguments: `_meta` as the client sent it. */
export type Meta = { readonly [key: string]: unknown };

export interface Identity {
  readonly connection: string;
  readonly agent: string;
  readonly trace?: string;
}

/** Where clients name the subagent or thread that calls: one connection may carry several. */
const AGENT_KEYS = ['claudecode/agentId', 'threadId', 'vscode.conversationId'];
const MAX_NAME = 100;

/** Who calls, as far as the client tells. `client` is the name in its clientInfo. */
export function identify(meta: Meta | undefined, client: string | undefined, connection: string): Identity {
  const name = nameOf(client);
  const part = AGENT_KEYS.map((key) => clean(meta?.[key])).find((found) => found !== undefined);
  const trace = traceOf(meta?.traceparent);
  return {
    connection,
    agent: part === undefined ? name : `${name}/${part}`,
    ...(trace === undefined ? {} : { trace }),
  };
}

/** A client's name as it can stand anywhere; `agent` where it gave none, or one that is not for agents. */
export function nameOf(client: unknown): string {
  return clean(client) ?? 'agent';
}

function clean(name: unknown): string | undefined {
  if (typeof name !== 'string') return undefined;
  const kept = name.replace(/[^\p{L}\p{N} ._@:-]/gu, '').trim();
  return kept === '' || isReserved(kept) ? undefined : kept.slice(0, MAX_NAME);
}
