import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server';
import { type Provider, statelessDoor } from './connection.js';
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

/** One HTTP exchange, after its sender was authenticated. */
export interface Exchange {
  /** The name of the token. */
  readonly user: string;
  /** The parsed JSON body; undefined where the method has none. */
  readonly body: unknown;
  /** Resolves when the response was sent or the client hung up. */
  readonly ended: Promise<void>;
}

export interface HttpEndpoint {
  fetch(request: Request, exchange: Exchange): Promise<Response>;
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
  const modern = createMcpHandler(
    ({ authInfo }) => createServer({ door: statelessDoor(authInfo?.clientId ?? '', provider), version, onerror }),
    { legacy: 'reject', onerror, maxSubscriptions: MAX_SUBSCRIPTIONS },
  );
  return {
    fetch: async (request, exchange) => {
      if (await isLegacyRequest(request, exchange.body)) return sessions.fetch(request, exchange);
      const authInfo = { token: '', clientId: exchange.user, scopes: [] };
      return modern.fetch(request, { authInfo, parsedBody: exchange.body });
    },
    close: async () => {
      await Promise.all([sessions.close(), modern.close()]);
    },
  };
}
