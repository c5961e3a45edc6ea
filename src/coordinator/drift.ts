import { draft } from '../domain/draft.js';
import type { FileChange } from '../domain/event.js';
import type { Content } from '../domain/intent.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Hash } from '../domain/scope.js';
import type { View } from '../domain/view.js';
import type { Looked } from '../workspace/workspace.js';
import { edited, tell } from './collision.js';
import type { Caller } from './contract.js';
import type { Parts } from './parts.js';

/** A path as it was seen on the disk; nulls where there is no file. */
export interface Seen {
  readonly path: string;
  readonly version: Hash | null;
  readonly bytes: Uint8Array | null;
  readonly mode?: number;
}

/** Whether a file is not as the ledger has it: edited or deleted around Signalbox, or just being patched. */
export function seemsDrifted(view: View, { path, version }: Pick<Seen, 'path' | 'version'>): boolean {
  const known = view.file(path);
  return known !== undefined && known.hash !== version;
}

/**
 * A file that is not as Signalbox left it was edited around it: that goes on record when it is first seen, by whom ever, and
 * whoever holds the file hears of it. There is no other way to record it, so that no change can hide one. The files are
 * looked at again, because a record that is younger than the look says nothing about it.
 */
export async function noteDrift(parts: Parts, caller: Caller, paths: readonly string[]): Promise<void> {
  const since = await parts.store.view({}, ({ state }) => state.seq);
  const seen = await presentFiles(parts, paths);
  const needs = { paths: seen.map((file) => file.path) };
  const drifted = await parts.store.view(needs, (view) =>
    seen.flatMap((file) => {
      const change = driftOf(view, file, since);
      return change === undefined ? [] : [{ ...file, ...change }];
    }),
  );
  const applying = new Set(parts.store.applying());
  if (drifted.length === 0 || drifted.some(({ path }) => applying.has(path))) return;
  await parts.store.keep(drifted.flatMap(contentOf));
  const edits = await edited(parts, drifted);
  const author = { agent: 'outside', connection: caller.connection };
  await parts.store.transact(author, needs, (tx) => {
    const decision = draft(tx);
    const files = drifted.flatMap((file) => driftOf(tx, file, since) ?? []);
    if (files.length > 0) decision.emit({ type: 'files.outside', files });
    tell(decision, edits, files);
    return { events: decision.events, answer: undefined };
  });
}

async function presentFiles(parts: Parts, paths: readonly string[]): Promise<Seen[]> {
  return seenFiles(await Promise.all(paths.map((path) => parts.workspace.look(path))));
}

/** What looks say of files. Where there is a folder now, there is no file any more. */
export function seenFiles(looks: readonly (Looked | Refusal)[]): Seen[] {
  return looks.flatMap((found): Seen[] => {
    if (isRefusal(found)) return [];
    return [found.kind === 'file' ? found.file : { path: found.path, version: null, bytes: null }];
  });
}

function driftOf(view: View, seen: Seen, since: number): FileChange | undefined {
  const { path, version, mode } = seen;
  const known = view.file(path);
  if (known === undefined || known.seq > since || !seemsDrifted(view, seen)) return undefined;
  return { path, before: known.hash, after: version, ...(mode === undefined ? {} : { mode }) };
}

function contentOf({ version, bytes }: Seen): Content[] {
  return version === null || bytes === null ? [] : [{ hash: version, bytes }];
}
