import { accessSync, closeSync, constants, fchmodSync, fchownSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Content } from '../../domain/intent.js';
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import type { Hash } from '../../domain/scope.js';
import type { Moved, Preparing, Wanted } from '../workspace.js';
import { hashOf, type Mark, markOf, openFile, readWhole } from './bytes.js';
import { Change, located, type Target, tempFolder } from './change.js';
import { errno, refusalOf } from './errno.js';
import { PERMISSIONS, type Place, tooLarge } from './look.js';
import { canonical, outside } from './paths.js';
import { protectedName, protectedRefusal } from './protected.js';
import { newId, tempName } from './temps.js';
import { NOFOLLOW, type Stop, Trail, walking } from './walk.js';

const NEW_FILE = 0o644;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NOFOLLOW;
/** So many bytes are hashed and written at a stretch before others get their turn: a few milliseconds. */
const STRETCH = 4 << 20;
const STRETCH_FILES = 16;

interface Former {
  readonly bytes: Uint8Array;
  readonly hash: Hash;
  readonly mode: number;
  readonly mark: Mark;
  readonly uid: number;
  readonly gid: number;
}

/** What was found on the way to a path that shall change. */
interface Site {
  readonly base: string;
  readonly depth: number;
  readonly former: Former | undefined;
}

/** What has been prepared so far. */
interface Draft {
  readonly targets: Target[];
  readonly contents: Content[];
  readonly moved: Moved[];
}

type How = Preparing & { readonly most: number };

/** See `Workspace.prepare`. */
export async function prepare(place: Place, wanted: readonly Wanted[], how: How): Promise<Change | Refusal> {
  const wrong = unfit(place, how.most, wanted);
  if (typeof wrong?.facts.path === 'string') how.unfit?.(wrong.facts.path, wrong);
  if (wrong !== undefined) return wrong;
  const draft: Draft = { targets: [], contents: [], moved: [] };
  let no: Refusal | undefined;
  try {
    no = (await fill(draft, place, [...wanted].sort(byTurn), how)) ?? stale(draft.moved);
  } catch (error) {
    no = refusalOf(error);
    if (no === undefined) {
      discardTemps(place, draft.targets);
      throw error;
    }
  }
  if (no === undefined) return new Change(draft.targets, draft.contents);
  discardTemps(place, draft.targets);
  return no;
}

/**
 * Prepares one path after the other, with synchronous calls in short stretches: for one file that is far faster than the
 * thread pool, for a thousand as fast (measured), and nobody else waits for long.
 */
async function fill(
  draft: Draft,
  place: Place,
  order: readonly Wanted[],
  { unfit }: How,
): Promise<Refusal | undefined> {
  let first: Refusal | undefined;
  let at = 0;
  while (at < order.length) {
    if (at > 0) await setImmediate();
    const trail = new Trail(place);
    try {
      let bytes = 0;
      const until = Math.min(at + STRETCH_FILES, order.length);
      for (let each = order[at]; each !== undefined && at < until && bytes < STRETCH; each = order[++at]) {
        const done = preparedOne(draft, place, trail, each, order);
        if (!isRefusal(done)) bytes += done;
        else if (unfit === undefined) return done;
        else {
          unfit(each.path, done);
          first ??= done;
        }
      }
    } finally {
      trail.close();
    }
  }
  return first;
}

/** → how many bytes were handled. Where the disk denies one path, it is said which. */
function preparedOne(
  draft: Draft,
  place: Place,
  trail: Trail,
  wanted: Wanted,
  all: readonly Wanted[],
): number | Refusal {
  try {
    return prepareOne(draft, place, trail, wanted, all);
  } catch (error) {
    const no = refusalOf(error);
    if (no?.code !== 'BLOCKED' && no?.code !== 'INVALID') throw error;
    return { ...no, facts: { path: wanted.path } };
  }
}

function prepareOne(
  draft: Draft,
  place: Place,
  trail: Trail,
  wanted: Wanted,
  all: readonly Wanted[],
): number | Refusal {
  const site = siteOf(place, trail, wanted, all);
  if (isRefusal(site)) return site;
  const { former, base } = site;
  const found = former?.hash ?? null;
  if (found !== wanted.base) {
    draft.moved.push({ path: wanted.path, expected: wanted.base, found });
    return former?.bytes.length ?? 0;
  }
  // The rename comes later, under the write lock, and must not fail there.
  if (wanted.bytes === null) accessSync(`${base}/.`, constants.W_OK | constants.X_OK);
  const target = targetOf(wanted, site);
  draft.targets.push(target);
  if (former !== undefined) draft.contents.push({ hash: former.hash, bytes: former.bytes });
  if (wanted.bytes !== null && target.after !== null) {
    draft.contents.push({ hash: target.after, bytes: wanted.bytes });
    writeTemp(`${base}/${tempName(target.id)}`, wanted.bytes, target.afterMode ?? NEW_FILE, former);
  }
  return (former?.bytes.length ?? 0) + (wanted.bytes?.length ?? 0);
}

/** What can be said without a look at the disk. */
function unfit(place: Place, maxFiles: number, wanted: readonly Wanted[]): Refusal | undefined {
  if (wanted.length > maxFiles) {
    return refuse('LIMIT', `A change may touch ${maxFiles} files, this one has ${wanted.length}.`, 'Split it.', {
      files: wanted.length,
    });
  }
  const seen = new Set<string>();
  const files = new Set(wanted.filter(({ bytes }) => bytes !== null).map(({ path }) => path));
  for (const { path, bytes, base } of wanted) {
    const same = canonical(path, place.roots);
    if (isRefusal(same)) return same;
    if (same !== path || path === '.') return invalid(path, 'is not the canonical path of a file');
    const name = protectedName(path, place.unprotect);
    if (name !== undefined) return protectedRefusal(path, name);
    if (seen.has(path)) return invalid(path, 'is named twice');
    seen.add(path);
    if (bytes === null && base === null) return invalid(path, 'is not there to be deleted');
    if (bytes === null) continue;
    if (bytes.length > place.maxFile) return tooLarge(path, bytes.length, place.maxFile);
    const above = fileAbove(path, files);
    if (above !== undefined) return invalid(path, `cannot be: ${above} is to be a file`);
  }
  return undefined;
}

function fileAbove(path: string, files: ReadonlySet<string>): string | undefined {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (files.has(path.slice(0, end))) return path.slice(0, end);
  }
  return undefined;
}

function siteOf(place: Place, trail: Trail, wanted: Wanted, all: readonly Wanted[]): Site | Refusal {
  const { folder, name } = located(wanted.path);
  const base = trail.enter(folder);
  if (typeof base !== 'string') return missingSite(base, wanted, folder, all);
  const former = formerAt(place, `${base}/${name}`, wanted.path);
  if (isRefusal(former)) return former;
  return { base, depth: folder.length, former };
}

/** The folder is not there yet: the new content waits in the nearest one that is. */
function missingSite(stop: Stop, wanted: Wanted, folder: readonly string[], all: readonly Wanted[]): Site | Refusal {
  if (stop.why === 'link') return outside(wanted.path);
  const file = folder.slice(0, stop.depth + 1).join('/');
  if (stop.why === 'file' && !all.some(({ path, bytes }) => path === file && bytes === null)) {
    return invalid(wanted.path, `cannot be: ${file} is a file`);
  }
  return { base: stop.base, depth: stop.depth, former: undefined };
}

function formerAt(place: Place, at: string, path: string): Former | undefined | Refusal {
  const found = openFile(at);
  if (found.kind === 'missing') return undefined;
  if (found.kind === 'link') return outside(path);
  if (found.kind === 'special') return invalid(path, 'is a pipe, a device or a socket');
  const { fd, stat } = found;
  try {
    if (found.kind === 'folder') return invalid(path, 'is a folder');
    const size = Number(stat.size);
    const bytes = readWhole(fd, size, place.maxFile);
    if (bytes === undefined) return tooLarge(path, size, place.maxFile);
    return {
      bytes,
      hash: hashOf(bytes),
      mode: Number(stat.mode) & PERMISSIONS,
      mark: markOf(stat),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
    };
  } finally {
    closeSync(fd);
  }
}

function targetOf(wanted: Wanted, { depth, former }: Site): Target {
  return {
    path: wanted.path,
    ...located(wanted.path),
    id: newId(),
    tempDepth: depth,
    before: former?.hash ?? null,
    after: wanted.bytes === null ? null : hashOf(wanted.bytes),
    beforeMode: former?.mode ?? null,
    afterMode: wanted.bytes === null ? null : (wanted.mode ?? former?.mode ?? NEW_FILE) & PERMISSIONS,
    mark: former?.mark,
  };
}

/** Writes a file that must not exist yet, with exactly this mode, whatever the umask, and with the former file's owner. */
export function writeTemp(path: string, bytes: Uint8Array, mode: number, owner?: { uid: number; gid: number }): void {
  const fd = openSync(path, CREATE, mode);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    if (owner !== undefined && (owner.uid !== process.getuid?.() || owner.gid !== process.getgid?.()))
      keepOwner(fd, owner);
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

function keepOwner(fd: number, { uid, gid }: { uid: number; gid: number }): void {
  try {
    fchownSync(fd, uid, gid);
  } catch (error) {
    // Only root may give a file away; then it becomes ours, as with any editor that saves by rename.
    if (errno(error) !== 'EPERM') throw error;
  }
}

/** Removes what waits beside its target. Never throws: what cannot be removed now is swept later. */
export function discardTemps(place: Place, targets: readonly Target[]): void {
  walking(place, (trail) => {
    for (const target of targets) {
      if (target.after === null) continue;
      try {
        const base = trail.enter(tempFolder(target));
        if (typeof base === 'string') unlinkSync(`${base}/${tempName(target.id)}`);
      } catch {
        // Gone with its folder, or already renamed.
      }
    }
  });
}

function byTurn(a: Wanted, b: Wanted): number {
  if ((a.bytes === null) !== (b.bytes === null)) return a.bytes === null ? -1 : 1;
  return a.path < b.path ? -1 : 1;
}

function stale(moved: readonly Moved[]): Refusal | undefined {
  const [first] = moved;
  if (first === undefined) return undefined;
  return refuse(
    'STALE_BASE',
    `${first.path} is no longer at the version that the change was made from.`,
    'Read it again.',
    {
      moved: moved.map(({ path, expected, found }) => ({ path, expected, found })),
    },
  );
}

function invalid(path: string, what: string): Refusal {
  return refuse('INVALID', `${path} ${what}.`, 'Check the path with `read` and call again.', { path });
}
