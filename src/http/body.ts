import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import { type Refusal, refuse } from '../domain/refusal.js';
import { doubleName } from './double-name.js';
import type { Env } from './env.js';
import { isJson } from './guards.js';
import { no, refused } from './no.js';

export interface BodyLimits {
  /** Bytes of one body. */
  readonly body: number;
  /** Milliseconds until all of it must be there. */
  readonly request: number;
}

/** Far deeper than any call is. What is nested deeper would overflow whoever walks through it. */
const MAX_DEPTH = 64;
const NOT_JSON = -32_700;
const SHOWN = 60;
const CLOSE = { Connection: 'close' };

/** Reads a JSON body into `body`. One that `mayBeEmpty` counts as `{}` then, of whatever type. */
export function jsonBody(limits: BodyLimits, { mayBeEmpty = false } = {}): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (!isJson(c.req.header('content-type')) && !(mayBeEmpty && isEmpty(c)))
      return no(c, 415, 'Content-Type must be application/json');
    const bytes = await bytesOf(c.env.incoming, limits);
    if (bytes === 'large') return no(c, 413, `A body may have ${limits.body} bytes`, CLOSE);
    if (bytes === 'slow') return no(c, 408, 'The body did not come in time', CLOSE);
    if (bytes === 'broken') return no(c, 400, 'The body broke off', CLOSE);
    const body = bytes.length === 0 && mayBeEmpty ? { value: {}, text: '' } : parsed(bytes);
    if (body === undefined) return no(c, 400, 'The body is not JSON', {}, NOT_JSON);
    if (!isShallow(body.value, MAX_DEPTH)) return no(c, 400, `The body is nested deeper than ${MAX_DEPTH} levels`);
    const twice = doubleName(body.text);
    if (twice !== undefined) return refused(c, givenTwice(twice));
    c.set('body', body.value);
    return next();
  };
}

function isEmpty(c: Context): boolean {
  return (c.req.header('content-length') ?? '0') === '0' && c.req.header('transfer-encoding') === undefined;
}

/** What more comes after the answer is given is thrown away. */
function bytesOf(incoming: IncomingMessage, limits: BodyLimits): Promise<Buffer | 'large' | 'slow' | 'broken'> {
  if (Number(incoming.headers['content-length'] ?? 0) > limits.body) return Promise.resolve('large');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const add = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limits.body) answer('large');
      else chunks.push(chunk);
    };
    const end = (): void => answer(Buffer.concat(chunks));
    const close = (): void => answer('broken');
    const timer = setTimeout(() => answer('slow'), limits.request);
    const answer = (bytes: Buffer | 'large' | 'slow' | 'broken'): void => {
      clearTimeout(timer);
      incoming.off('data', add).off('end', end).off('close', close);
      resolve(bytes);
    };
    incoming.on('data', add).on('end', end).on('close', close);
    // Whoever breaks off ends it with an error: `close` follows.
    incoming.on('error', () => undefined);
  });
}

function parsed(bytes: Buffer): { readonly value: unknown; readonly text: string } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { value: JSON.parse(text), text };
  } catch {
    return undefined;
  }
}

function givenTwice(name: string): Refusal {
  const argument = name.slice(0, SHOWN);
  const sentence = `${JSON.stringify(argument)} stands twice in one object.`;
  return refuse('INVALID', sentence, 'Send each field once.', { argument });
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}
