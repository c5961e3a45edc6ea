import { randomUUID } from 'node:crypto';
import {
  isInitializeRequest,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { Connection } from './connection.js';
import type { Exchange, HttpOptions, Sender } from './http.js';
import { createServer } from './server.js';

interface Session {
  readonly sender: string;
  readonly server: Server;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly connection: Connection;
  /** Requests and streams that are open now. */
  open: number;
  /** Whether the client has opened a standing stream, whose end tells that it is gone. */
  standing: boolean;
  idle?: NodeJS.Timeout;
}

/** The sessions of the 2025 protocol revisions: each is one connection, which ends with it. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  async fetch(request: Request, exchange: Exchange): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    if (id === null) return this.#begin(request, exchange);
    const session = this.#sessions.get(id);
    // Another sender's session is as unknown as none.
    if (session === undefined || session.sender !== exchange.sender.name)
      return failure(404, -32_001, 'Session not found');
    return this.#serve(id, session, request, exchange);
  }

  /** Ends all sessions of a sender. */
  async end(name: string): Promise<void> {
    const own = [...this.#sessions].filter(([, { sender }]) => sender === name);
    await Promise.all(own.map(([id, session]) => this.#end(id, session)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map(([id, session]) => this.#end(id, session)));
  }

  async #begin(request: Request, exchange: Exchange): Promise<Response> {
    if (!isInitializeRequest(exchange.body)) return failure(400, -32_000, 'Mcp-Session-Id header is required');
    if (this.#sessions.size >= this.#options.maxSessions) return failure(503, -32_000, 'Too many sessions');
    const id = randomUUID();
    const session = await this.#open(id, exchange.sender);
    const response = await this.#serve(id, session, request, exchange);
    if (!response.ok) await this.#end(id, session);
    return response;
  }

  async #open(id: string, sender: Sender): Promise<Session> {
    const { provider, version, onerror } = this.#options;
    const connection = new Connection('http', id, provider, sender);
    const server = createServer({ door: connection, version, onerror });
    const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => id });
    const session: Session = { sender: sender.name, server, transport, connection, open: 0, standing: false };
    this.#sessions.set(id, session);
    await server.connect(transport);
    server.onclose = () => void this.#end(id, session);
    return session;
  }

  #serve(id: string, session: Session, request: Request, exchange: Exchange): Promise<Response> {
    session.open++;
    clearTimeout(session.idle);
    if (request.method === 'GET') {
      session.standing = true;
      session.connection.back().catch(this.#options.onerror);
    }
    void exchange.ended.then(() => {
      session.open--;
      if (session.open > 0 || !this.#sessions.has(id)) return;
      this.#unattended(session);
      session.idle = setTimeout(() => void this.#end(id, session), this.#options.idle).unref();
    });
    return session.transport.handleRequest(request, { parsedBody: exchange.body });
  }

  /**
   * Most clients end without a word, or are killed: then their stream breaks, and the lease runs from there. The session
   * stays for a while, because a stream that only broke is opened again.
   */
  #unattended(session: Session): void {
    if (!session.standing) return;
    session.standing = false;
    session.connection.leave().catch(this.#options.onerror);
  }

  async #end(id: string, session: Session): Promise<void> {
    if (!this.#sessions.delete(id)) return;
    clearTimeout(session.idle);
    try {
      await session.server.close();
      await session.connection.leave();
    } catch (error) {
      this.#options.onerror(error);
    }
  }
}

function failure(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });
}
