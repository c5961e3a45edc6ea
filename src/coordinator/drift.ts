import { draft } from '../domain/draft.js';
import type { FileChange } from '../domain/event.js';
import { isRefusal } from '../domain/refusal.js';
import type { Hash } from '../domain/scope.js';
import type { View } from '../domain/view.js';
import { edited, tell } from './collision.js';
import type { Caller } from './contract.js';
import type { Parts } from './parts.js';

/** A file as it was seen on the disk. */
export interface Seen {
  readonly path: string;
  readonly version: Hash;
  readonly bytes: Uint8Array;
}

/** Whether a file is not as the ledger has it: edited around Signalbox, or just being patched. */
export function seemsDrifted(view: View, { path, version }: Pick<Seen, 'path' | 'version'>): boolean {
  const known = view.file(path);
  return known !== undefined && known.hash !== version;
}

/**
 * A file that is not as Signalbox left it was edited around it: that goes on record when it is first seen. The files are
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
  await parts.store.keep(drifted.map(({ version, bytes }) => ({ hash: version, bytes })));
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
  const looks = await Promise.all(paths.map((path) => parts.workspace.look(path)));
  return looks.flatMap((found) => (!isRefusal(found) && found.kind === 'file' ? [found.file] : []));
}

function driftOf(view: View, { path, version }: Seen, since: number): FileChange | undefined {
  const known = view.file(path);
  if (known === undefined || known.seq > since || known.hash === version) return undefined;
  return { path, before: known.hash, after: version };
}
