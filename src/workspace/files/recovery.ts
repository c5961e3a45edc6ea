import {
  type BigIntStats,
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import type { EventBody, FileChange } from '../../domain/event.js';
import type { Intent, IntentFile } from '../../domain/intent.js';
import type { Hash } from '../../domain/scope.js';
import { moveBack } from './apply.js';
import { hashOf, openFile, readWhole } from './bytes.js';
import { type Kept, located } from './change.js';
import { errno, ifThere } from './errno.js';
import { PERMISSIONS, type Place } from './look.js';
import { writeTemp } from './prepare.js';
import { idOfTemp, KEPT_FOLDER, keptBeside, keptName, newId, tempName } from './temps.js';
import { Trail, walking } from './walk.js';

type ContentOf = (hash: Hash) => Uint8Array | undefined;
type Recorded = (path: string) => Hash | null | undefined;
type Body = Extract<EventBody, { type: 'files.outside' }>;

/** What stands at a path. `other`: a folder, a link, a special file, or one too large to be ours. */
type Standing =
  | { readonly kind: 'none' | 'other' }
  | { readonly kind: 'file'; readonly hash: Hash; readonly bytes: Uint8Array; readonly mode: number };

/** What one intent's paths turned out to be, beside those that were put right. */
interface Findings {
  readonly outside: FileChange[];
  readonly kept: string[];
}

/** See `Recovery.undo` in the store's contract. Whatever it changes is synced when it returns. */
export function undo(place: Place, intent: Intent, content: ContentOf): readonly EventBody[] {
  const findings: Findings = { outside: [], kept: [] };
  walking(place, (trail) => {
    // What the change created goes first, so that a file can come back where it had made a folder.
    const files = [...intent.files].sort((a, b) => Number(a.before !== null) - Number(b.before !== null));
    for (const file of files) undoOne(place, trail, file, intent.rebooted, content, findings);
  });
  return told(findings);
}

/** See `Recovery.redo` in the store's contract. Whatever it changes is synced when it returns. */
export function redo(place: Place, intent: Intent, content: ContentOf, recorded: Recorded): readonly EventBody[] {
  const findings: Findings = { outside: [], kept: [] };
  walking(place, (trail) => {
    const files = [...intent.files].sort((a, b) => Number(a.after !== null) - Number(b.after !== null));
    for (const file of files) redoOne(place, trail, file, content, recorded(file.path) === file.after, findings);
  });
  return told(findings);
}

function undoOne(
  place: Place,
  trail: Trail,
  file: IntentFile,
  rebooted: boolean,
  content: ContentOf,
  findings: Findings,
): void {
  const now = standing(place, trail, file.path);
  const kept = keptOf(place, trail, file);
  const reached =
    isAt(now, file.after) && (file.after === null ? rebooted || kept !== undefined : isInPlace(trail, file));
  const changed = reached || (rebooted && isLost(now, file) && !isAt(now, file.before));
  const replaced =
    changed && !(isAt(now, file.before) && kept === undefined && now.kind === 'file' && now.mode === file.beforeMode);
  if (replaced && file.before === null) remove(trail, file);
  else if (replaced && kept !== undefined) {
    putBack(trail, file, kept);
    if (kept.hash !== file.before)
      findings.outside.push({ path: file.path, before: file.before, after: kept.hash, mode: kept.mode });
  } else if (replaced) write(trail, file.path, required(content, file.before), file.beforeMode ?? 0o644);
  else if (!isAt(now, file.before)) findings.outside.push(outsideEdit(file.path, file.before, now));
  if (!replaced && kept !== undefined) settleKept(trail, file, kept, now, findings);
  removeTemp(trail, file);
  if (file.before === null) removeFolders(trail, file);
}

/** @param last whether no other intent goes on from this one: that one would judge what stands there. */
function redoOne(
  place: Place,
  trail: Trail,
  file: IntentFile,
  content: ContentOf,
  last: boolean,
  findings: Findings,
): void {
  const now = standing(place, trail, file.path);
  const kept = keptOf(place, trail, file);
  if (!isAt(now, file.after)) {
    if (!isLost(now, file)) {
      if (last) findings.outside.push(outsideEdit(file.path, file.after, now));
    } else if (file.after === null) remove(trail, file);
    else write(trail, file.path, required(content, file.after), file.afterMode ?? 0o644);
  }
  if (kept !== undefined) settleKept(trail, file, kept, now, findings);
  removeTemp(trail, file);
}

/**
 * Whether the new content has left its temporary name: while it waits there, the same content at the path is somebody
 * else's. (A deletion has been made where the former file is kept; a power cut may have lost that.)
 */
function isInPlace(trail: Trail, { path, temp }: IntentFile): boolean {
  const waiting = temp === undefined ? undefined : statAt(trail, temp);
  if (waiting === undefined) return true;
  const standing = statAt(trail, path);
  return standing?.ino === waiting.ino && standing.dev === waiting.dev;
}

function statAt(trail: Trail, path: string): BigIntStats | undefined {
  const { folder, name } = located(path);
  const base = trail.enter(folder);
  return typeof base === 'string' ? lstatSync(`${base}/${name}`, { bigint: true, throwIfNoEntry: false }) : undefined;
}

/** Whether a file stands as a power cut leaves it, so that no work of a person can be in it. */
function isLost(now: Standing, file: IntentFile): boolean {
  if (isAt(now, file.before)) return true;
  return file.after !== null && (now.kind === 'none' || (now.kind === 'file' && now.bytes.every((byte) => byte === 0)));
}

function isAt(now: Standing, hash: Hash | null): boolean {
  return hash === null ? now.kind === 'none' : now.kind === 'file' && now.hash === hash;
}

function standing(place: Place, trail: Trail, path: string): Standing {
  const { folder, name } = located(path);
  const base = trail.enter(folder);
  if (typeof base !== 'string') return { kind: base.why === 'link' ? 'other' : 'none' };
  return standingAt(place, `${base}/${name}`);
}

function standingAt(place: Place, path: string): Standing {
  const found = openFile(path);
  if (found.kind === 'missing') return { kind: 'none' };
  if (found.kind === 'link' || found.kind === 'special') return { kind: 'other' };
  try {
    const bytes = found.kind === 'folder' ? undefined : readWhole(found.fd, Number(found.stat.size), place.maxFile);
    return bytes === undefined
      ? { kind: 'other' }
      : { kind: 'file', hash: hashOf(bytes), bytes, mode: Number(found.stat.mode) & PERMISSIONS };
  } finally {
    closeSync(found.fd);
  }
}

interface KeptFile extends Kept {
  readonly hash: Hash;
  readonly mode: number;
}

/** The former file itself, if it was put aside and has not been let go. */
function keptOf(place: Place, trail: Trail, file: IntentFile): KeptFile | undefined {
  const id = idOf(file);
  if (id === undefined || file.before === null) return undefined;
  const places = [
    { folder: KEPT_FOLDER, name: keptName(id, file.before) },
    { folder: located(file.path).folder, name: keptBeside(id, file.before) },
  ];
  for (const { folder, name } of places) {
    const base = trail.enter(folder);
    const found = typeof base === 'string' ? standingAt(place, `${base}/${name}`) : undefined;
    if (found?.kind === 'file') return { folder, name, hash: found.hash, mode: found.mode };
  }
  return undefined;
}

/** Puts the former file itself back: what a person saved into it meanwhile comes back with it. */
function putBack(trail: Trail, file: IntentFile, kept: KeptFile): void {
  const above = new Trail(trail.ground);
  try {
    const from = above.enter(kept.folder);
    const { folder, name } = located(file.path);
    const into = trail.enter(folder, true);
    if (typeof from !== 'string' || typeof into !== 'string') throw new Error(`the folder of ${file.path} is gone`);
    if (file.after === null) moveBack(`${from}/${kept.name}`, `${into}/${name}`);
    else {
      renameSync(`${from}/${kept.name}`, `${into}/${name}`);
      // Where both names were of one file already, a rename does nothing.
      ifThere(() => unlinkSync(`${from}/${kept.name}`));
    }
    fsyncSync(trail.fd);
  } finally {
    above.close();
  }
}

/** Drops a kept file that is no longer needed. One that somebody wrote to, and that stands nowhere else, stays and is named. */
function settleKept(trail: Trail, file: IntentFile, kept: KeptFile, now: Standing, findings: Findings): void {
  if (kept.hash !== file.before && !isAt(now, kept.hash)) {
    findings.kept.push([...kept.folder, kept.name].join('/'));
    findings.outside.push({ path: file.path, before: file.before, after: kept.hash, mode: kept.mode });
    return;
  }
  const base = trail.enter(kept.folder);
  if (typeof base === 'string') ifThere(() => unlinkSync(`${base}/${kept.name}`));
}

/** Writes beside and renames over, and has the disk confirm both. */
function write(trail: Trail, path: string, bytes: Uint8Array, mode: number): void {
  const { folder, name } = located(path);
  const base = trail.enter(folder, true);
  if (typeof base !== 'string') throw new Error(`the folder of ${path} is gone`);
  const temp = `${base}/${tempName(newId())}`;
  writeTemp(temp, bytes, mode);
  const fd = openSync(temp, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temp, `${base}/${name}`);
  fsyncSync(trail.fd);
}

function remove(trail: Trail, { path }: IntentFile): void {
  const { folder, name } = located(path);
  const base = trail.enter(folder);
  if (typeof base !== 'string') return;
  ifThere(() => unlinkSync(`${base}/${name}`));
  fsyncSync(trail.fd);
}

function removeTemp(trail: Trail, { temp }: IntentFile): void {
  if (temp === undefined) return;
  const { folder, name } = located(temp);
  const base = trail.enter(folder);
  if (typeof base === 'string') ifThere(() => unlinkSync(`${base}/${name}`));
}

/** Removes the folders that the change made, as far as nothing else lies in them. */
function removeFolders(trail: Trail, { path, temp }: IntentFile): void {
  if (temp === undefined) return;
  const { folder } = located(path);
  const first = located(temp).folder.length;
  for (let depth = folder.length; depth > first; depth--) {
    const base = trail.enter(folder.slice(0, depth - 1));
    if (typeof base !== 'string') continue;
    try {
      rmdirSync(`${base}/${folder[depth - 1]}`);
    } catch (error) {
      if (errno(error) === 'ENOENT') continue;
      if (errno(error) === 'ENOTEMPTY' || errno(error) === 'EEXIST' || errno(error) === 'ENOTDIR') return;
      throw error;
    }
  }
}

function idOf({ temp }: IntentFile): string | undefined {
  return temp === undefined ? undefined : idOfTemp(located(temp).name);
}

function outsideEdit(path: string, before: Hash | null, now: Standing): FileChange {
  return now.kind === 'file' ? { path, before, after: now.hash, mode: now.mode } : { path, before, after: null };
}

function required(content: ContentOf, hash: Hash | null): Uint8Array {
  const bytes = hash === null ? undefined : content(hash);
  if (bytes === undefined) throw new Error(`the content ${hash} of an intent is not in the store`);
  return bytes;
}

function told({ outside, kept }: Findings): readonly Body[] {
  return outside.length === 0
    ? []
    : [{ type: 'files.outside', files: outside, ...(kept.length === 0 ? {} : { kept }) }];
}
