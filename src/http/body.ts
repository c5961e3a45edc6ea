import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Env } from './env.js';
import { isJson } from './guards.js';
import { no } from './no.js';

/** Far deeper than any call is. What is nested deeper would overflow whoever walks through it. */
const MAX_DEPTH = 64;
const NOT_JSON = -32_700;

/** Reads a JSON body of at most so many bytes into `body`. One that `mayBeEmpty` counts as `{}` then, of whatever type. */
export function jsonBody(maxSize: number, { mayBeEmpty = false } = {}): MiddlewareHandler<Env>[] {
  const onError = (c: Context) => no(c, 413, `A body may have ${maxSize} bytes`, { Connection: 'close' });
  return [
    async (c, next) => {
      if (isJson(c.req.header('content-type')) || (mayBeEmpty && isEmpty(c))) return next();
      return no(c, 415, 'Content-Type must be application/json');
    },
    bodyLimit({ maxSize, onError }),
    async (c, next) => {
      // Who breaks off in the middle has sent no JSON either.
      const text = await c.req.text().catch(() => undefined);
      const body = text === '' && mayBeEmpty ? { value: {} } : parsed(text);
      if (body === undefined) return no(c, 400, 'The body is not JSON', {}, NOT_JSON);
      if (!isShallow(body.value, MAX_DEPTH)) return no(c, 400, `The body is nested deeper than ${MAX_DEPTH} levels`);
      c.set('body', body.value);
      return next();
    },
  ];
}

function isEmpty(c: Context): boolean {
  return (c.req.header('content-length') ?? '0') === '0' && c.req.header('transfer-encoding') === undefined;
}

function parsed(text: string | undefined): { readonly value: unknown } | undefined {
  if (text === undefined) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}
