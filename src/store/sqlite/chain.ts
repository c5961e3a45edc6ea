import { hash } from 'node:crypto';
import type { Event } from '../../domain/event.js';
import type { Hash } from '../../domain/scope.js';

/**
 * JSON with sorted keys and nothing but well-formed text without NUL: the same value always gives the same bytes,
 * and they survive the way to the disk and back.
 */
export function canonical(value: unknown): string {
  const source = sorted(value);
  // JSON writes half a character and NUL as escapes, but SQLite's columns would lose them: so they are replaced before.
  return /\\u(d|0000)/.test(source) ? sorted(JSON.parse(source, (_, part) => wellFormed(part))) : source;
}

export function wellFormed<T>(value: T): T | string {
  return typeof value === 'string' ? value.replace(/[\p{Surrogate}\0]/gu, '\ufffd') : value;
}

/**
 * The link of an event: SHA-256 over the former link and the canonical JSON of the event without its own.
 * `body` is the canonical JSON of its body.
 */
export function link(former: Hash, event: Omit<Event, 'hash' | 'body'>, body: string): Hash {
  const { seq, at, wall, agent, connection } = event;
  const names = `"agent":${JSON.stringify(agent)},"at":${at},"body":${body},"connection":${JSON.stringify(connection)}`;
  return hash('sha256', `${former}{${names},"seq":${seq},"wall":${wall}}`);
}

function sorted(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
  let fields = '';
  for (const [key, field] of Object.entries(value).sort(byKey)) {
    if (field !== undefined) fields += `${fields === '' ? '' : ','}${JSON.stringify(key)}:${sorted(field)}`;
  }
  return `{${fields}}`;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
