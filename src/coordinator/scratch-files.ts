import { isRefusal } from '../domain/refusal.js';
import type { Written } from '../processes/runner.js';
import type { Wanted } from '../workspace/workspace.js';
import type { Parts } from './parts.js';
import { presentFile } from './present.js';
import { notItsScratch, scratchAmong, type Writer } from './scratch.js';

interface Kept {
  /** Paths that were scratch, kept or not. */
  readonly settled: ReadonlySet<string>;
  readonly rejected: { path: string; reason: string }[];
}

const BATCH = 500;

/** The paths that are scratch: git ignores them, or the operator says so. */
export function ignoredOf(parts: Parts, written: readonly Written[]): Promise<ReadonlySet<string>> {
  return scratchAmong(
    parts,
    written.map((entry) => entry.path),
  );
}

/** Scratch is moved over into the tree as it is, without versions or events. What a process owns of it only its commands write. */
export async function keepScratch(parts: Parts, by: Writer, written: readonly Written[]): Promise<Kept> {
  const ignored = await ignoredOf(parts, written);
  const scratch = written.filter((entry) => ignored.has(entry.path));
  const rejected: Kept['rejected'] = [];
  const free: Written[] = [];
  for (const entry of scratch) {
    const reason = notItsScratch(parts, by, entry.path);
    if (reason === undefined) free.push(entry);
    else rejected.push({ path: entry.path, reason });
  }
  for (let at = 0; at < free.length; at += BATCH) rejected.push(...(await moveOver(parts, free.slice(at, at + BATCH))));
  return { settled: new Set(scratch.map((entry) => entry.path)), rejected };
}

async function moveOver(parts: Parts, batch: readonly Written[]): Promise<Kept['rejected']> {
  const rejected: Kept['rejected'] = [];
  const wanted: Wanted[] = [];
  for (const entry of batch) {
    const file = await asWanted(parts, entry);
    if (typeof file === 'string') rejected.push({ path: entry.path, reason: file });
    else if (file !== undefined) wanted.push(file);
  }
  const prepared = await parts.workspace.prepare(wanted);
  if (isRefusal(prepared))
    return [...rejected, ...wanted.map(({ path }) => ({ path, reason: `${prepared.code}: ${prepared.sentence}` }))];
  const moved = parts.workspace.verify(prepared);
  if (moved.length > 0) {
    await parts.workspace.discard(prepared);
    return [
      ...rejected,
      ...wanted.map(({ path }) => ({ path, reason: 'an ignored file changed while it was being kept; run again' })),
    ];
  }
  parts.workspace.apply(prepared);
  // Behind the answer: it waits for late saves, seconds long, and nothing here depends on it.
  parts.workspace
    .finish(prepared, async () => true)
    .catch((error: unknown) => parts.log(`ignored files that a command wrote could not be synced: ${String(error)}`));
  return rejected;
}

async function asWanted(parts: Parts, entry: Written): Promise<Wanted | string | undefined> {
  if (entry.kind === 'large') return `LIMIT: ${entry.size} bytes are too many to keep`;
  if (entry.kind !== 'file' && entry.kind !== 'deleted') return 'only files are kept of what git ignores';
  const path = await parts.workspace.resolve(entry.path, 'write');
  if (isRefusal(path)) return `${path.code}: ${path.sentence}`;
  const present = await presentFile(parts, path);
  if (isRefusal(present)) return `${present.code}: ${present.sentence}`;
  if (entry.kind === 'deleted')
    return present.version === null ? undefined : { path, bytes: null, base: present.version };
  return { path, bytes: entry.bytes, base: present.version, mode: entry.mode };
}
