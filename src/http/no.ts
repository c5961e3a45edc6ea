import { STATUS_CODES } from 'node:http';
import type { Context } from 'hono';
import type { Refusal } from '../domain/refusal.js';
import { problemOf } from '../wire/problems.js';
import type { Env } from './env.js';

export type Status = 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 429 | 431 | 500 | 503;

interface Fields {
  readonly detail: string;
  readonly [field: string]: unknown;
}

type Headers = Readonly<Record<string, string>>;

export const PROBLEM = 'application/problem+json';

/** A "no" in the form that the clients of this path read: JSON-RPC at `/mcp`, else problem details. Says nothing about what was sent. */
export function no(c: Context, status: Status, message: string, headers: Headers = {}, code = -32_000): Response {
  if (c.req.path !== '/mcp') return problem(status, { detail: message }, headers);
  return c.json({ jsonrpc: '2.0', error: { code, message }, id: null }, status, headers);
}

/** A path that is served, but not so. */
export function notAllowed(c: Context, methods: readonly string[]): Response {
  const allowed = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  return no(c, 405, 'Method not allowed', { Allow: allowed.join(', ') });
}

/**
 * A refusal in that form. The log hears of its code and its field.
 *
 * @param status where the occasion asks for another one than the code does.
 */
export function refused(c: Context<Env>, refusal: Refusal, more: object = {}, status?: number): Response {
  const { code, facts } = refusal;
  c.set('fault', typeof facts.argument === 'string' ? `${code} ${facts.argument}` : code);
  const { status: known, ...body } = problemOf(refusal, status);
  if (c.req.path === '/mcp') return no(c, known as Status, refusal.sentence);
  return problem(known, { ...body, ...more }, known === 503 ? { 'Retry-After': '1' } : {});
}

/** A "no" as RFC 9457 has it; `more` may carry fields of its own. */
export function problem(status: number, more: Fields, headers: Headers = {}): Response {
  return new Response(problemText(status, more), { status, headers: { ...headers, 'Content-Type': PROBLEM } });
}

export function problemText(status: number, more: Fields): string {
  return JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, ...more });
}
