import { setImmediate } from 'node:timers/promises';
import type { ChangeRow } from '../domain/intent.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Hash, ScopeId } from '../domain/scope.js';
import { type Attributed, carried } from '../workspace/text/attribution.js';
import { MAX_MERGED, MAX_MERGED_LINES } from '../workspace/text/limits.js';
import { decodeText, splitLines } from '../workspace/text/text.js';
import type { Parts } from './parts.js';

/** What is gone through: changes of a file, lines of all its versions together, and names that it had. */
const MOST_CHANGES = 5_000;
const MOST_LINES = 10_000_000;
const MOST_NAMES = 20;

/** Where a line comes from. */
export type Origin =
  | { readonly by: 'scope'; readonly scope: ScopeId; readonly seq: number }
  | { readonly by: 'outside'; readonly seq?: number }
  | { readonly by: 'before' }
  | { readonly by: 'unknown' };

const BEFORE: Origin = { by: 'before' };
const OUTSIDE: Origin = { by: 'outside' };
const UNKNOWN: Origin = { by: 'unknown' };

/** The lines of a version, or LIMIT; none of a binary. */
export function comparable(path: string, bytes: Uint8Array): readonly string[] | Refusal {
  if (bytes.length > MAX_MERGED) return tooMuch(path, `${bytes.length} bytes`, MAX_MERGED);
  const lines = splitLines(decodeText(bytes) ?? '');
  return lines.length > MAX_MERGED_LINES ? tooMuch(path, `${lines.length} lines`, MAX_MERGED_LINES) : lines;
}

/** All changes of a file, or LIMIT. */
export async function pathHistory(parts: Parts, path: string): Promise<readonly ChangeRow[] | Refusal> {
  const rows = await parts.store.changes({ path, limit: MOST_CHANGES + 1 });
  return rows.length > MOST_CHANGES ? tooMuch(path, `more than ${MOST_CHANGES} changes`, MOST_CHANGES) : rows;
}

function tooMuch(path: string, what: string, limit: number): Refusal {
  const sentence = `${path} has ${what} in its history: too much to give each line to whoever made it.`;
  return refuse('LIMIT', sentence, 'Look at its changes with `git log`, or in the events.', { path, limit });
}

/** A file at one moment. */
interface Moment {
  readonly text: Attributed<Origin>;
  readonly hash: Hash | null;
  /** Its content, and maybe some before it, is not kept any more: the text is an earlier one. */
  readonly gone: boolean;
}

interface Search {
  readonly parts: Parts;
  lines: number;
  names: number;
}

/** Goes through the changes of a file, and gives each line of the version that there is now to whoever made it. */
export async function lineOrigins(
  parts: Parts,
  path: string,
  rows: readonly ChangeRow[],
  present: { readonly version: Hash; readonly lines: readonly string[] },
): Promise<readonly Origin[] | Refusal> {
  if (rows.length === 0) return present.lines.map(() => BEFORE);
  const last = await through({ parts, lines: MOST_LINES, names: MOST_NAMES }, path, rows);
  if (isRefusal(last)) return last;
  if (last.hash === present.version && !last.gone) return last.text.from;
  return carried(last.text, present.lines, last.gone ? UNKNOWN : OUTSIDE).from;
}

async function through(search: Search, path: string, rows: readonly ChangeRow[]): Promise<Moment | Refusal> {
  let now = await beginning(search, path, rows[0]?.before ?? null);
  for (const row of rows) {
    if (isRefusal(now)) return now;
    if (row.before !== now.hash) now = await next(search, path, now, row.before, OUTSIDE);
    if (isRefusal(now)) return now;
    now = (await movedHere(search, row)) ?? (await next(search, path, now, row.after, originOf(row)));
    if (search.lines < 0) return tooMuch(path, `more than ${MOST_LINES} lines`, MOST_LINES);
    await setImmediate();
  }
  return now;
}

function originOf({ scope, seq }: ChangeRow): Origin {
  return scope === null ? { by: 'outside', seq } : { by: 'scope', scope, seq };
}

function beginning(search: Search, path: string, hash: Hash | null): Promise<Moment | Refusal> {
  return next(search, path, { text: { lines: [], from: [] }, hash: null, gone: false }, hash, BEFORE);
}

async function next(
  search: Search,
  path: string,
  former: Moment,
  hash: Hash | null,
  origin: Origin,
): Promise<Moment | Refusal> {
  const bytes = hash === null ? new Uint8Array() : await search.parts.store.content(hash);
  if (bytes === undefined) return { ...former, hash, gone: true };
  const lines = comparable(path, bytes);
  if (isRefusal(lines)) return lines;
  search.lines -= lines.length;
  return { text: carried(former.text, lines, former.gone ? UNKNOWN : origin), hash, gone: false };
}

/** A file that got another name, and nothing else with it, brings its lines along. */
async function movedHere(
  search: Search,
  { path, seq, before, after }: ChangeRow,
): Promise<Moment | Refusal | undefined> {
  if (before !== null || after === null || search.names === 0) return undefined;
  const [event] = await search.parts.store.events({ after: seq - 1, until: seq, limit: 1 });
  const files = event?.body.type === 'files.changed' ? event.body.files : [];
  const source = files.find((file) => file.path !== path && file.after === null && file.before === after);
  if (source === undefined) return undefined;
  search.names -= 1;
  const rows = await pathHistory(search.parts, source.path);
  if (isRefusal(rows)) return rows;
  const earlier = rows.filter((row) => row.seq < seq);
  if (earlier.length === 0) return beginning(search, path, after);
  const there = await through(search, source.path, earlier);
  return isRefusal(there) || there.hash === after ? there : next(search, path, there, after, OUTSIDE);
}
