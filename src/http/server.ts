import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { finished } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import type { Feed } from '../coordinator/feed.js';
import { accessLog } from './access-log.js';
import { type BodyLimits, jsonBody } from './body.js';
import type { Env } from './env.js';
import { EventStreams, type StreamBounds } from './event-stream.js';
import { eventRoutes } from './events.js';
import { Gate, isDenial } from './gate.js';
import { allowedHosts, allowedOrigin, hostNames } from './guards.js';
import type { Identity } from './identity.js';
import { no, notAllowed } from './no.js';
import type { Rates } from './rate.js';
import { mountRest } from './rest.js';
import type { Planes } from './rest-handlers.js';
import type { Tokens } from './tokens.js';
import { answerUnread, unreadable } from './unread.js';

/** What is served under `/mcp`; the body is parsed JSON, `ended` resolves when the response is out or the client gone. */
export interface Endpoint {
  fetch(request: Request, exchange: { sender: Identity; body: unknown; ended: Promise<void> }): Promise<Response>;
  /** Ends what is kept for the sender of this name. */
  end(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface Limits extends BodyLimits {
  /** Milliseconds until the headers of a request must be there. */
  readonly headers: number;
  readonly connections: number;
}

export const LIMITS: Limits = { body: 8 * 1024 * 1024, headers: 10_000, request: 30_000, connections: 1_000 };

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly mcp: Endpoint;
  /** What is served under `/control-plane`; nothing where left out. */
  readonly planes?: Planes;
  readonly tokens: Tokens;
  /** The ledger, for those who follow it. */
  readonly feed: Feed;
  readonly rates?: Rates;
  readonly streams?: StreamBounds;
  readonly version: string;
  /** Names by which clients may call this server besides the loopback ones and its address; with a port where it is not the server's. */
  readonly hosts?: readonly string[];
  readonly limits?: Limits;
  /** One line for whoever runs the server. */
  readonly log: (sentence: string) => void;
  readonly onerror: (error: unknown) => void;
}

export interface HttpServer {
  readonly port: number;
  /** The name or address by which clients reach it, as it stands in a URL. */
  readonly host: string;
  close(): Promise<void>;
}

/** Listens, or throws where the address cannot be had. */
export async function startHttp(options: HttpServerOptions): Promise<HttpServer> {
  const limits = options.limits ?? LIMITS;
  const server = createServer({
    headersTimeout: limits.headers,
    // For bodies that nobody reads: whoever reads one has its own limit.
    requestTimeout: limits.headers + 2 * limits.request,
    connectionsCheckingInterval: Math.min(limits.headers, 5_000),
    // Refused by us, as any other that is not served.
    requireHostHeader: false,
  });
  server.maxConnections = limits.connections;
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { address, port } = addressOf(server);
  const names = hostNames(options.host, address);
  const streams = new EventStreams(options.feed, options.streams);
  const app = routes(options, limits, allowedHosts([...names, ...(options.hosts ?? [])], port), streams);
  answerUnread(server, options.log);
  server.on(
    'request',
    getRequestListener(app.fetch, {
      overrideGlobalObjects: false,
      hostname: UNNAMED,
      errorHandler: () => unreadable(options.log),
    }),
  );
  return { port, host: names[0], close: () => close(server, options.mcp, streams) };
}

function addressOf(server: Server): { readonly address: string; readonly port: number } {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address;
}

/** Stands in URLs where a request names no host; it is refused then. */
const UNNAMED = 'unnamed';
const FOREIGN_HOST = 'This Host is not served here: serve.hosts in signalbox.yaml lists further names';

function routes(
  options: HttpServerOptions,
  limits: Limits,
  hosts: ReadonlySet<string>,
  streams: EventStreams,
): Hono<Env> {
  const app = new Hono<Env>();
  app.use(accessLog(options.log));
  app.use(async (c, next) => {
    if (!hosts.has((c.req.header('host') ?? '').toLowerCase())) return no(c, 403, FOREIGN_HOST);
    if (!allowedOrigin(c.req.header('origin'), hosts)) return no(c, 403, 'This Origin may not call');
    return next();
  });
  app.get('/healthz', (c) => c.json({ status: 'ok', version: options.version }));
  app.all('/healthz', (c) => notAllowed(c, ['GET']));
  app.on('ALL', ['/mcp', '/control-plane/*', '/openapi.json'], admission(options));
  app.on(['POST'], ['/mcp'], jsonBody(limits));
  app.on(['GET', 'POST', 'DELETE'], '/mcp', (c) => {
    const ended = new Promise<void>((resolve) => finished(c.env.outgoing, () => resolve()));
    return options.mcp.fetch(c.req.raw, { sender: c.get('identity'), body: c.get('body'), ended });
  });
  app.all('/mcp', (c) => notAllowed(c, ['GET', 'POST', 'DELETE']));
  app.route('/control-plane/events', eventRoutes(options.feed, streams, options.onerror));
  if (options.planes !== undefined) mountRest(app, options.planes, { version: options.version, limits });
  app.notFound((c) => no(c, 404, 'Nothing is served here'));
  app.onError((error, c) => {
    options.onerror(error);
    return no(c, 500, 'Internal server error', {}, -32_603);
  });
  return app;
}

function admission({ tokens, rates, mcp, onerror }: HttpServerOptions): MiddlewareHandler<Env> {
  const gate = new Gate((token) => tokens.check(token), rates);
  tokens.onEnd((name) => {
    gate.end(name);
    mcp.end(name).catch(onerror);
  });
  return async (c, next) => {
    const { method, url } = c.req;
    const authorization = c.req.header('authorization');
    const answer = await gate.admit({ method, url, authorization, outgoing: c.env.outgoing });
    if (isDenial(answer)) return no(c, answer.status, answer.message, answer.headers);
    c.set('identity', answer);
    return next();
  };
}

async function close(server: Server, mcp: Endpoint, streams: EventStreams): Promise<void> {
  streams.close();
  await mcp.close();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
