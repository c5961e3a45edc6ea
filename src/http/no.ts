import { STATUS_CODES } from 'node:http';
import type { Context } from 'hono';

export type Status = 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 500 | 503;

/** A "no" in the form that the clients of this path read: JSON-RPC at `/mcp`, else problem details. Says nothing about what was sent. */
export function no(
  c: Context,
  status: Status,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  code = -32_000,
): Response {
  if (c.req.path !== '/mcp') return problem(status, { detail: message }, headers);
  return c.json({ jsonrpc: '2.0', error: { code, message }, id: null }, status, headers);
}

/** A "no" as RFC 9457 has it; `more` may carry fields of its own. */
export function problem(
  status: number,
  more: { readonly detail: string; readonly [field: string]: unknown },
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, ...more };
  return Response.json(body, { status, headers: { ...headers, 'Content-Type': 'application/problem+json' } });
}
