import type { MiddlewareHandler } from 'hono';
import type { Env } from './env.js';

/** A part of a path that is longer may be a secret that somebody pasted there; so may what follows an id. */
const LONG = /[^/]{20,}/g;
const SECRET = /(S\d+)-[^/]*/g;
/** The name of a field comes from the body: what is longer than any name of ours is cut. */
const LONG_NAME = /[\w-]{20,}/g;
const MOST = 120;

/** One line for each request that was refused: who, what, why. Nothing of its query, its headers or its body. */
export function accessLog(log: (sentence: string) => void): MiddlewareHandler<Env> {
  return async (c, next) => {
    await next();
    const { status } = c.res;
    if (status < 400) return;
    const by = c.get('identity')?.name ?? 'nobody known';
    const fault = c.get('fault') === undefined ? '' : ` ${shownFault(c.get('fault'))}`;
    log(`${c.req.method} ${shownPath(c.req.path)} refused: ${status}${fault} (${by})`);
  };
}

/** The line for what never became a request. */
export function unreadLine(status: number): string {
  return `what is no request refused: ${status} (nobody known)`;
}

export function shownPath(path: string): string {
  return shown(path.replace(SECRET, '$1-…').replace(LONG, beginning));
}

function shownFault(fault: string): string {
  return shown(fault.replace(SECRET, '$1-…').replace(LONG_NAME, beginning));
}

function beginning(part: string): string {
  return `${part.slice(0, 8)}…`;
}

function shown(text: string): string {
  return text.replace(/[^\x20-\x7e…]/g, '?').slice(0, MOST);
}
