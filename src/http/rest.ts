import type { Context, Hono } from 'hono';
import type { Told } from '../domain/notes.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { openApi } from '../wire/openapi.js';
import { OPERATIONS, type Operation } from '../wire/operations.js';
import { parseStrict } from '../wire/strict.js';
import { traceOf } from '../wire/traceparent.js';
import { type BodyLimits, jsonBody } from './body.js';
import type { Env } from './env.js';
import { notAllowed, refused } from './no.js';
import { agentOf, hangUp, mayNot, type Sender } from './rest-caller.js';
import { HANDLERS, type Handler, type Planes, type Reply } from './rest-handlers.js';

export interface RestOptions {
  readonly version: string;
  readonly limits: BodyLimits;
}

/** Serves the control plane: what the table of operations says, and nothing else. Whoever calls was let in before. */
export function mountRest(app: Hono<Env>, planes: Planes, { version, limits }: RestOptions): void {
  const document = openApi(version);
  app.get('/openapi.json', (c) => c.json(document));
  app.all('/openapi.json', (c) => notAllowed(c, ['GET']));
  for (const [name, operation] of Object.entries<Operation>(OPERATIONS)) {
    const handler = HANDLERS[name as keyof typeof HANDLERS] as Handler;
    const body = operation.body === undefined ? [] : [jsonBody(limits, { mayBeEmpty: true })];
    app.on([operation.method.toUpperCase()], [routeOf(operation)], ...body, (c) =>
      serve(c, operation, handler, planes),
    );
  }
  for (const [path, methods] of methodsByRoute()) {
    app.all(path, (c) => notAllowed(c, methods));
  }
}

function routeOf({ path }: Operation): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

function methodsByRoute(): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const operation of Object.values<Operation>(OPERATIONS)) {
    const route = routeOf(operation);
    methods.set(route, [...(methods.get(route) ?? []), operation.method.toUpperCase()]);
  }
  return methods;
}

async function serve(c: Context<Env>, operation: Operation, handler: Handler, planes: Planes): Promise<Response> {
  const notes: Told[] = [];
  const input = inputOf(c, operation, notes);
  const answer = isRefusal(input) ? input : await handler(planes, input);
  const response = isRefusal(answer) ? unaccepted(c, answer, input, notes) : accepted(c, operation, answer, notes);
  // What never changes may be kept, but each time whoever asks has to be let in.
  const lasting = operation.lasting === true && response.status < 400;
  response.headers.set('Cache-Control', lasting ? 'private, no-cache' : 'no-store');
  response.headers.set('X-Content-Type-Options', 'nosniff');
  const traceparent = c.req.header('traceparent');
  if (traceparent !== undefined && traceOf(traceparent) !== undefined) response.headers.set('traceparent', traceparent);
  return response;
}

/** Identity → role → parameters → body, in this order. */
function inputOf(c: Context<Env>, operation: Operation, notes: Told[]): Parameters<Handler>[1] | Refusal {
  const identity = c.get('identity');
  const denied = mayNot(identity, operation.role, `${operation.method.toUpperCase()} ${operation.path}`);
  if (denied !== undefined) return denied;
  const agent = agentOf(c.req.header('signalbox-agent'), identity);
  if (isRefusal(agent)) return agent;
  const parts: { [part: string]: unknown } = { params: c.req.param(), query: queryOf(c), body: c.get('body') };
  for (const part of ['params', 'query', 'body'] as const) {
    const parsed = operation[part] === undefined ? { input: undefined } : parseStrict(operation[part], parts[part]);
    if (isRefusal(parsed)) return parsed;
    parts[part] = parsed.input;
  }
  const sender: Sender = {
    identity,
    agent,
    trace: traceOf(c.req.header('traceparent')),
    signal: hangUp(c.env.outgoing),
    heard: (told) => void notes.push(...told),
  };
  const { params, query, body } = parts;
  return { sender, params, query, body, match: revisionsIn(c.req.header('if-match')) };
}

/** A name that came twice is a list, which no schema takes. */
function queryOf(c: Context<Env>): { readonly [name: string]: unknown } {
  return Object.fromEntries(
    Object.entries(c.req.queries()).map(([name, all]) => [name, all.length > 1 ? all : all[0]]),
  );
}

/** `*` asks only that the scope is there. What is no ETag of ours, or a weak one, matches no scope. */
function revisionsIn(header: string | undefined): readonly string[] | undefined {
  return header === undefined || header.trim() === '*' ? undefined : tagsIn(header);
}

function tagsIn(header: string): string[] {
  return header.split(',').map((tag) => tag.trim().replace(/^"(\w+)"$/, '$1'));
}

/** Whether a caller has this content already. */
function isHeld(etag: string | undefined, header: string | undefined): boolean {
  if (etag === undefined || header === undefined) return false;
  return header.trim() === '*' || tagsIn(header.replaceAll('W/', '')).includes(etag.replaceAll('"', ''));
}

function unaccepted(c: Context<Env>, refusal: Refusal, input: object, notes: readonly Told[]): Response {
  const outdated = refusal.code === 'STALE_BASE' && 'match' in input && input.match !== undefined;
  return refused(c, refusal, told(notes), outdated ? 412 : undefined);
}

function accepted(
  c: Context<Env>,
  { answers, answer, lasting }: Operation,
  { body, status, headers = {} }: Reply,
  notes: readonly Told[],
): Response {
  if (lasting === true && isHeld(headers.ETag, c.req.header('if-none-match')))
    return new Response(null, { status: 304, headers: { ...headers } });
  const init = { status: status ?? Number(Object.keys(answers)[0]), headers: { ...headers } };
  if (typeof body !== 'string' && !(body instanceof Uint8Array))
    return Response.json({ ...body, ...told(notes) }, init);
  const type = 'media' in answer ? answer.media : 'text/plain';
  return new Response(Buffer.from(body), {
    ...init,
    headers: { ...headers, 'Content-Type': typeof body === 'string' ? `${type}; charset=utf-8` : type },
  });
}

function told(notes: readonly Told[]): { readonly notes?: readonly Told[] } {
  return notes.length === 0 ? {} : { notes };
}
