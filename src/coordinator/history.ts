import type { ChangeRow } from '../domain/intent.js';
import type { Hash, ScopeId } from '../domain/scope.js';
import { difference } from '../workspace/text/difference.js';
import { ContentExpired } from './expired.js';
import type { Parts } from './parts.js';

const PAGE = 1_000;

/** One change of one path, with the contents on both sides. */
export interface ChangeStep {
  readonly seq: number;
  readonly before: Hash | null;
  readonly after: Hash | null;
  readonly beforeBytes: Uint8Array | null;
  readonly afterBytes: Uint8Array | null;
  readonly mode: number | null;
}

/** What a scope changed, path by path, in order. @param after only changes after this event. */
export async function scopeChanges(parts: Parts, scope: ScopeId, after = 0): Promise<Map<string, ChangeStep[]>> {
  const byPath = new Map<string, ChangeStep[]>();
  for (const row of await changeRows(parts, scope, after)) {
    const step = { ...row, beforeBytes: await bytesOf(parts, row.before), afterBytes: await bytesOf(parts, row.after) };
    byPath.set(row.path, [...(byPath.get(row.path) ?? []), step]);
  }
  return byPath;
}

/** The changes of a scope, in order. A page that is full may end in the midst of an event: what it has of that one is asked for again, from its beginning. */
export async function changeRows(parts: Parts, scope: ScopeId, after = 0): Promise<ChangeRow[]> {
  const rows: ChangeRow[] = [];
  for (let from = after, limit = PAGE; ; ) {
    const page = await parts.store.changes({ scope, after: from, limit });
    if (page.length < limit) return [...rows, ...page];
    const last = page.at(-1)?.seq;
    const whole = page.filter((row) => row.seq !== last);
    rows.push(...whole);
    from = whole.at(-1)?.seq ?? from;
    if (whole.length === 0) limit *= 2;
  }
}

/** All changes of a path, in order. @param after only changes after this event. */
export async function rowsOfPath(parts: Parts, path: string, after = 0): Promise<ChangeRow[]> {
  const rows: ChangeRow[] = [];
  for (let from = after; ; from = rows.at(-1)?.seq ?? from) {
    const page = await parts.store.changes({ path, after: from, limit: PAGE });
    rows.push(...page);
    if (page.length < PAGE) return rows;
  }
}

/** A content; null for no file. Throws `ContentExpired` where it is gone. */
export async function bytesOf(parts: Parts, hash: Hash | null): Promise<Uint8Array | null> {
  if (hash === null) return null;
  const bytes = await parts.store.content(hash);
  if (bytes === undefined) throw new ContentExpired(hash);
  return bytes;
}

/**
 * The difference that a scope made, as one unified diff.
 *
 * @param until only changes up to this event.
 * @param maxLines for reading: each file's part is cut after so many lines.
 */
export async function scopeDiff(
  parts: Parts,
  scope: ScopeId,
  { until = Number.MAX_SAFE_INTEGER, maxLines }: { readonly until?: number; readonly maxLines?: number } = {},
): Promise<string> {
  const ends = new Map<string, Pick<ChangeRow, 'before' | 'after'>>();
  for (const { seq, path, before, after } of await changeRows(parts, scope)) {
    if (seq <= until) ends.set(path, { before: ends.has(path) ? (ends.get(path)?.before ?? null) : before, after });
  }
  const texts: string[] = [];
  for (const [path, { before, after }] of ends) {
    if (before === after) continue;
    const [former, present] = [await kept(parts, before), await kept(parts, after)];
    const lines = maxLines === undefined ? {} : { maxLines };
    const isThere = former !== undefined && present !== undefined;
    texts.push(isThere ? difference(former, present, { path, ...lines }) : gone(path, before, after));
  }
  return texts.join('');
}

/** A content; null for no file, undefined for one that has expired. */
async function kept(parts: Parts, hash: Hash | null): Promise<Uint8Array | null | undefined> {
  return hash === null ? null : parts.store.content(hash);
}

function gone(path: string, before: Hash | null, after: Hash | null): string {
  const versions = [before, after].map((hash) => hash?.slice(0, 10) ?? 'none');
  return `# ${path}: changed from ${versions.join(' to ')}, whose texts have expired\n`;
}
