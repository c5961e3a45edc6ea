import { constants, copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ifThere } from '../files/errno.js';
import { emptyTree, type Repository } from './repository.js';
import { type GitAnswer, type GitSteps, joinNul } from './run.js';

/** One path in which two trees, or a tree and an index, differ: the entry on the right side. */
interface Difference {
  readonly path: string;
  /** `100644`; `000000` where the right side has none. */
  readonly mode: string;
  readonly id: string;
}

const RAW = ['--raw', '-z', '--no-renames', '--no-relative'];

/**
 * The index as it has to be once HEAD is `commit`: each path of the commit whose entry still equals the former HEAD's
 * gets the new one; what a person has staged stays. Written beside the real index; the caller holds the index lock.
 * False where nothing has to change.
 */
export function* stageIndex(repository: Repository, former: string | null, commit: string): GitSteps<boolean> {
  dropStaged(repository);
  const [published, staged] = (yield [
    rawDiff(repository, ['diff-tree', '-r', '--root', '--no-commit-id', commit]),
    rawDiff(repository, ['diff-index', '--cached', '--ita-invisible-in-index', former ?? emptyTree(commit)]),
  ]).map(differences);
  if (published === undefined || staged === undefined) throw new Error('two calls have two answers');
  const due = published.filter(outside(staged.map(({ path }) => path)));
  if (due.length === 0) return false;
  copyIndex(repository);
  yield [
    {
      args: ['update-index', '-z', '--index-info'],
      cwd: repository.top,
      env: { GIT_INDEX_FILE: stagedOf(repository) },
      // Git lets a folder take the place of a file, and the other way round, in any order.
      input: joinNul(due.map(({ mode, id, path }) => `${mode} ${id}\t${path}`)),
    },
  ];
  return true;
}

/** Keeps what a person has staged, also where it is a file in the place of a folder or the other way round. */
function outside(staged: readonly string[]): (difference: Difference) => boolean {
  const files = new Set(staged);
  const folders = new Set(staged.flatMap(foldersOf));
  return ({ path }) => !files.has(path) && !folders.has(path) && !foldersOf(path).some((folder) => files.has(folder));
}

/** Puts the prepared index in place of the real one, by rename: a reader sees the former or the new one. */
export function installStaged(repository: Repository): void {
  renameSync(stagedOf(repository), join(repository.dir, 'index'));
}

export function dropStaged(repository: Repository): void {
  rmSync(stagedOf(repository), { force: true });
  rmSync(`${stagedOf(repository)}.lock`, { force: true });
}

function rawDiff({ top }: Repository, args: readonly string[]) {
  return { args: [...args.slice(0, -1), ...RAW, ...args.slice(-1)], cwd: top };
}

function differences({ stdout }: GitAnswer): Difference[] {
  const fields = stdout.split('\0');
  const found: Difference[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, mode, , id] = (fields[at] ?? '').split(' ');
    const path = fields[at + 1];
    if (mode === undefined || id === undefined || path === undefined) throw new Error('git: unknown raw output');
    found.push({ path, mode, id });
  }
  return found;
}

/** A person may have no index yet: then the copy begins empty. */
function copyIndex(repository: Repository): void {
  ifThere(() => copyFileSync(join(repository.dir, 'index'), stagedOf(repository), constants.COPYFILE_FICLONE));
}

/** Only the holder of the index lock writes it, so one name is enough and leftovers are found. */
function stagedOf(repository: Repository): string {
  return join(repository.dir, 'index.signalbox');
}

/** `a/b/c` → `a`, `a/b`. */
export function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'));
}
