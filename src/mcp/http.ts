import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server';
import { type Provider, type Rights, statelessDoor } from './connection.js';
import { createServer } from './server.js';
import { Sessions } from './sessions.js';

export interface HttpOptions {
  readonly provider: Provider;
  readonly version: string;
  /** Told of what should not have happened. */
  readonly onerror: (error: unknown) => void;
  readonly maxSessions: number;
  /** How long a session may have no request and no stream open before it ends, in milliseconds. */
  readonly idle: number;
}

/** Who sent a request, by its token. */
export interface Sender extends Rights {
  readonly name: string;
}

/** One HTTP exchange, after its sender was authenticated. */
export interface Exchange {
  readonly sender: Sender;
  /** The parsed JSON body; undefined where the method has none. */
  readonly body: unknown;
  /** Resolves when the response was sent or the client hung up. */
  readonly ended: Promise<void>;
}

export interface HttpEndpoint {
  fetch(request: Request, exchange: Exchange): Promise<Response>;
  /** Ends the sessions of the sender of this name. */
  end(name: string): Promise<void>;
  /** Ends all sessions. The coordinator stays open. */
  close(): Promise<void>;
}

const MINUTE = 60_000;
const MAX_SUBSCRIPTIONS = 256;

/** MCP over Streamable HTTP for both protocol eras: sessions for the older, requests that stand alone for the newer. */
export function mcpOverHttp(
  options: Pick<HttpOptions, 'provider' | 'version' | 'onerror'> & Partial<HttpOptions>,
): HttpEndpoint {
  const { provider, version, onerror } = options;
  const sessions = new Sessions({ maxSessions: 256, idle: 10 * MINUTE, ...options });
  const senders = new WeakMap<object, Sender>();
  const modern = createMcpHandler(
    ({ authInfo }) => createServer({ door: statelessDoor(known(senders, authInfo), provider), version, onerror }),
    { legacy: 'reject', onerror, maxSubscriptions: MAX_SUBSCRIPTIONS },
  );
  return {
    fetch: async (request, exchange) => {
      if (await isLegacyRequest(request, exchange.body)) return sessions.fetch(request, exchange);
      const authInfo = { token: '', clientId: exchange.sender.name, scopes: [] };
      senders.set(authInfo, exchange.sender);
      return modern.fetch(request, { authInfo, parsedBody: exchange.body });
    },
    end: (name) => sessions.end(name),
    close: async () => {
      await Promise.all([sessions.close(), modern.close()]);
    },
  };
}

function known(senders: WeakMap<object, Sender>, authInfo: object | undefined): Sender {
  const sender = authInfo === undefined ? undefined : senders.get(authInfo);
  if (sender === undefined) throw new Error('a request came without its sender');
  return sender;
}
