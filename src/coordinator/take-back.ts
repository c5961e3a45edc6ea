import { setImmediate } from 'node:timers/promises';
import type { ChangeRow } from '../domain/intent.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { ScopeId } from '../domain/scope.js';
import type { Wanted } from '../workspace/workspace.js';
import { ContentExpired } from './expired.js';
import { bytesOf, changeRows, rowsOfPath } from './history.js';
import { leftOut, type Step } from './left-out.js';
import { isSame } from './merge.js';
import type { Parts } from './parts.js';
import { type Present, presentFile } from './present.js';
import { settled } from './settled.js';
import { gaveAllBack, undoneBy } from './undone.js';

/** Changes of one file by others since, which are replayed one by one. */
const MOST_SINCE = 1_000;
const PAGE = 500;

/** The files that a scope changed, without its changes. */
export interface TakenBack {
  /** What is to be written: files that differ from what is there now. */
  readonly wanted: readonly Wanted[];
  /** By path: who built on what the scope changed there. Null is an edit from outside. Empty where nobody did. */
  readonly builtOn: ReadonlyMap<string, readonly (ScopeId | null)[]>;
}

/**
 * What the files of a scope become without what it changed; lines that others changed stay. Writes nothing.
 *
 * @param after only what it changed after this event.
 */
export async function takenBack(parts: Parts, scope: ScopeId, after = 0): Promise<TakenBack | Refusal> {
  await settled(parts);
  const wanted: Wanted[] = [];
  const builtOn = new Map<string, readonly (ScopeId | null)[]>();
  const modes = await modesBefore(parts, scope, after);
  for (const first of firstRows(await changeRows(parts, scope, after))) {
    const { path } = first;
    const found = await without(parts, scope, first, modes.get(path));
    if (isRefusal(found)) return found;
    if (found.builtOn.length > 0) builtOn.set(path, found.builtOn);
    else if (found.wanted !== undefined) wanted.push(found.wanted);
    await setImmediate();
  }
  return { wanted, builtOn };
}

function firstRows(rows: readonly ChangeRow[]): ChangeRow[] {
  const byPath = new Map<string, ChangeRow>();
  for (const row of rows) if (!byPath.has(row.path)) byPath.set(row.path, row);
  return [...byPath.values()];
}

/** By path: the permission bits from before a scope changed them or took the file away. */
async function modesBefore(parts: Parts, scope: ScopeId, after: number): Promise<Map<string, number>> {
  const modes = new Map<string, number>();
  for (let from = after; ; ) {
    const page = await parts.store.events({ scope, type: 'files.changed', after: from, limit: PAGE });
    const files = page.flatMap(({ body }) => (body.type === 'files.changed' ? body.files : []));
    for (const { path, was } of files) if (was !== undefined && !modes.has(path)) modes.set(path, was);
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return modes;
    from = last.seq;
  }
}

async function without(parts: Parts, scope: ScopeId, first: ChangeRow, was: number | undefined) {
  const { path, seq } = first;
  const rows = await rowsOfPath(parts, path, seq - 1);
  const since = rows.filter((row) => row.scope !== scope);
  if (since.length > MOST_SINCE) return tooMuchSince(scope, path);
  const out = await cancelledOut(parts, path, since, seq);
  const present = parts.workspace.isFolder(path) ? NONE : await presentFile(parts, path);
  if (isRefusal(present)) return present;
  try {
    const others = stepsOf(parts, rows, present, (by) => by === scope || out.has(by));
    const { bytes, builtOn } = await leftOut(await bytesOf(parts, first.before), others);
    const last = rows.findLast((row) => row.scope === scope)?.mode;
    const mode = was !== undefined && (present.mode ?? last) === last ? was : present.mode;
    const same = isSame(bytes, present.bytes) && (bytes === null || mode === present.mode);
    const file = { path, bytes, base: present.version, ...(mode === undefined ? {} : { mode }) };
    return { builtOn, wanted: same ? undefined : file };
  } catch (error) {
    if (error instanceof ContentExpired) return forgotten(scope, path);
    throw error;
  }
}

const NONE: Present = { bytes: null, version: null };

/** Others whose changes of a path were taken back since count for nothing, and neither do those that took them back. */
async function cancelledOut(
  parts: Parts,
  path: string,
  rows: readonly ChangeRow[],
  start: number,
): Promise<Set<ScopeId>> {
  const out = new Set<ScopeId>();
  for (const by of new Set(rows.map(({ scope }) => scope))) {
    const undoer = by === null ? undefined : ((await undoneBy(parts, by)) ?? (await gaveAllBack(parts, by)));
    if (by === null || undoer === undefined) continue;
    // What it changed before belongs to the content that is gone back to, and only the taking back removes it again.
    const [first] = await parts.store.changes({ scope: by, path, limit: 1 });
    if (first !== undefined && first.seq >= start) out.add(by).add(undoer);
  }
  return out;
}

/** What others made of the file, each one's changes in a row as one, with edits that nobody has put on record yet. */
async function* stepsOf(
  parts: Parts,
  rows: readonly ChangeRow[],
  present: Present,
  isOut: (by: ScopeId) => boolean,
): AsyncGenerator<Step> {
  let known = rows[0]?.before ?? null;
  let from = known;
  for (const [at, { scope: by, before, after }] of rows.entries()) {
    if (before !== known) yield stepOf(null, await bytesOf(parts, known), await bytesOf(parts, before));
    if (before !== known || rows[at - 1]?.scope !== by) from = before;
    known = after;
    const next = rows[at + 1];
    if ((by !== null && isOut(by)) || (next?.scope === by && next.before === after)) continue;
    yield stepOf(by, await bytesOf(parts, from), await bytesOf(parts, after));
  }
  if (present.version !== known) yield stepOf(null, await bytesOf(parts, known), present.bytes);
}

function stepOf(by: ScopeId | null, before: Uint8Array | null, after: Uint8Array | null): Step {
  return { by, before, after };
}

function tooMuchSince(scope: ScopeId, path: string): Refusal {
  return refuse(
    'LIMIT',
    `${path} was changed more than ${MOST_SINCE} times since ${scope} changed it.`,
    'Take the lines back in a scope of your own.',
    { scope, path, limit: MOST_SINCE },
  );
}

function forgotten(scope: ScopeId, path: string): Refusal {
  return refuse(
    'BLOCKED',
    `An earlier content of ${path} is not kept any more, so what ${scope} changed there cannot be told.`,
    'Take the lines back in a scope of your own.',
    { scope, path },
  );
}
