import { type BigIntStats, closeSync, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { type Refusal, refuse } from '../../domain/refusal.js';
import type { Hash } from '../../domain/scope.js';
import type { Moved } from '../workspace.js';
import { hashWhole, isSame, isUnwritten, type Mark, markOf, openFile } from './bytes.js';
import { type Change, type Target, tempFolder } from './change.js';
import { errno, isDenied } from './errno.js';
import type { Place } from './look.js';
import { KEPT_FOLDER, keptBeside, keptName, tempName } from './temps.js';
import { Trail, walking } from './walk.js';

/** See `Workspace.verify`. */
export function verify(place: Place, change: Change): readonly Moved[] {
  const deleted = new Set(change.targets.filter(({ after }) => after === null).map(({ path }) => path));
  return walking(place, (trail) => change.targets.flatMap((target) => movedAt(place, trail, target, deleted) ?? []));
}

function movedAt(place: Place, trail: Trail, target: Target, deleted: ReadonlySet<string>): Moved | undefined {
  const { path, folder, name, before: expected } = target;
  const base = trail.enter(folder);
  if (typeof base !== 'string') {
    const free =
      base.why === 'missing' || (base.why === 'file' && deleted.has(folder.slice(0, base.depth + 1).join('/')));
    return expected === null && free ? undefined : { path, expected, found: null };
  }
  const stat = lstatSync(`${base}/${name}`, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return expected === null ? undefined : { path, expected, found: null };
  if (target.mark !== undefined && !target.mark.young && isSame(target.mark, stat)) return undefined;
  const found = hashAt(place, `${base}/${name}`);
  if (found === undefined || found.hash !== expected) return { path, expected, found: found?.hash ?? null };
  target.mark = found.mark;
  return undefined;
}

/** The content of a regular file that is not too large to be one of ours. */
function hashAt(place: Place, path: string): { hash: Hash; mark: Mark } | undefined {
  const found = openFile(path);
  if (found.kind !== 'file' && found.kind !== 'folder') return undefined;
  try {
    const hash = found.kind === 'folder' ? undefined : hashWhole(found.fd, Number(found.stat.size), place.maxFile);
    return hash === undefined ? undefined : { hash, mark: markOf(found.stat) };
  } finally {
    closeSync(found.fd);
  }
}

/** Somebody saved, made or removed a file between the check and our own renames. The transaction is given up; the file stays theirs. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
  constructor(readonly path: string) {
    super(`${path} was replaced while it was being changed`);
  }
}

/** The disk does not let a file be replaced, though it let everything be prepared. The transaction is given up. */
export class Denied extends Error {
  override readonly name = 'Denied';
  constructor(
    readonly path: string,
    readonly refusal: Refusal,
    options: ErrorOptions,
  ) {
    super(refusal.sentence, options);
  }
}

/** See `Workspace.apply`. */
export function apply(place: Place, change: Change): void {
  walking(place, (trail) =>
    walking(place, (kept) => {
      for (const target of change.targets) {
        try {
          if (target.before === null) create(trail, target);
          else replace(trail, kept, target, target.before);
        } catch (error) {
          throw isDenied(error) ? new Denied(target.path, denied(target.path), { cause: error }) : error;
        }
      }
    }),
  );
}

function denied(path: string): Refusal {
  return refuse(
    'BLOCKED',
    `The disk does not let ${path} be replaced: it belongs to another user, is immutable, or lies where files have no hard links.`,
    'Ask the person to give the file to the user that Signalbox runs as, or to move the repository to another disk.',
    { path },
  );
}

function create(trail: Trail, target: Target): void {
  const into = entered(trail, target, true);
  const temp = tempName(target.id);
  if (target.tempDepth === target.folder.length) {
    place(`${into}/${temp}`, `${into}/${target.name}`, target);
    return;
  }
  const above = new Trail(trail.ground);
  try {
    const from = above.enter(tempFolder(target));
    if (typeof from !== 'string') throw new Error(`the folder above ${target.path} is gone`);
    place(`${from}/${temp}`, `${into}/${target.name}`, target);
  } finally {
    above.close();
  }
}

/** A link never overwrites. */
function place(temp: string, path: string, target: Target): void {
  unlessOvertaken(target, 'EEXIST', () => linkSync(temp, path));
  unlinkSync(temp);
}

/** @param sign how the disk says that somebody else was faster. */
function unlessOvertaken<T>(target: Target, sign: 'EEXIST' | 'ENOENT', call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw errno(error) === sign ? new Overtaken(target.path) : error;
  }
}

function replace(trail: Trail, keptTrail: Trail, target: Target, before: Hash): void {
  const base = entered(trail, target, false);
  const path = `${base}/${target.name}`;
  const kept = unlessOvertaken(target, 'ENOENT', () => keep(path, base, keptTrail, target, before));
  const stat = lstatSync(kept, { bigint: true });
  if (target.mark === undefined || !isUnwritten(target.mark, stat)) {
    if (target.after === null) giveBack(kept, path, stat);
    else unlinkSync(kept);
    throw new Overtaken(target.path);
  }
  if (target.after !== null) renameSync(`${base}/${tempName(target.id)}`, path);
}

/** Gives the former file a second name, under which it outlives the rename; a file that goes is moved there at once. */
function keep(path: string, base: string, trail: Trail, target: Target, before: Hash): string {
  const move = target.after === null ? renameSync : linkSync;
  const folder = trail.enter(KEPT_FOLDER, true);
  if (typeof folder !== 'string') throw new Error('.signalbox/kept is not a folder');
  const name = keptName(target.id, before);
  try {
    move(path, `${folder}/${name}`);
    target.kept = { folder: KEPT_FOLDER, name };
    return `${folder}/${name}`;
  } catch (error) {
    // The file lies on another mount than `.signalbox/`.
    if (errno(error) !== 'EXDEV') throw error;
    const beside = keptBeside(target.id, before);
    move(path, `${base}/${beside}`);
    target.kept = { folder: target.folder, name: beside };
    return `${base}/${beside}`;
  }
}

/** Puts back what was moved aside and was not ours to move, without overwriting what may stand there by now. */
function giveBack(kept: string, path: string, stat: BigIntStats): void {
  if (stat.isDirectory()) renameSync(kept, path);
  else moveBack(kept, path);
}

/** A link never overwrites; where a file may have none, it is enough that nothing stands there. */
export function moveBack(kept: string, path: string): void {
  try {
    linkSync(kept, path);
    unlinkSync(kept);
  } catch (error) {
    if (!isDenied(error) || lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw error;
    renameSync(kept, path);
  }
}

function entered(trail: Trail, target: Target, make: boolean): string {
  const base = trail.enter(target.folder, make);
  if (typeof base === 'string') return base;
  throw new Overtaken(target.path);
}
