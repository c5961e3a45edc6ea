import { draft } from '../domain/draft.js';
import type { FileChange } from '../domain/event.js';
import type { Hash } from '../domain/scope.js';
import type { View } from '../domain/view.js';
import type { Caller } from './contract.js';
import type { Parts } from './parts.js';

/** A file as it was seen on the disk. */
export interface Seen {
  readonly path: string;
  readonly version: Hash;
  readonly bytes: Uint8Array;
}

/**
 * A file that is not as Signalbox left it was edited around it: that goes on record when it is first seen.
 *
 * @param since the last event before the files were looked at: a record that is younger says nothing about the look.
 */
export async function noteDrift(parts: Parts, caller: Caller, seen: readonly Seen[], since: number): Promise<void> {
  const needs = { paths: seen.map((file) => file.path) };
  const drifted = await parts.store.view(needs, (view) =>
    seen.filter((file) => driftOf(view, file, since) !== undefined),
  );
  if (drifted.length === 0 || parts.store.applying()) return;
  await parts.store.keep(drifted.map(({ version, bytes }) => ({ hash: version, bytes })));
  const author = { agent: 'outside', connection: caller.connection };
  await parts.store.transact(author, needs, (tx) => {
    const decision = draft(tx);
    const files = drifted.flatMap((file) => driftOf(tx, file, since) ?? []);
    if (files.length > 0) decision.emit({ type: 'files.outside', files });
    return { events: decision.events, answer: undefined };
  });
}

function driftOf(view: View, { path, version }: Seen, since: number): FileChange | undefined {
  const known = view.file(path);
  if (known === undefined || known.seq > since || known.hash === version) return undefined;
  return { path, before: known.hash, after: version };
}
