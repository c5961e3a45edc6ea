import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errno } from '../files/errno.js';
import { STATE_FOLDER } from '../files/temps.js';
import type { CommitSetting } from './config.js';
import type { Repository } from './repository.js';
import { GitFailed, joinNul, runGit } from './run.js';

/** A folder this much older than a new one was left behind by a killed process. Milliseconds. */
const STALE = 60 * 60 * 1_000;

/** One path as the commit shall have it. Working-tree form; null: not there. */
export interface Placed {
  /** Relative to git's top level. */
  readonly name: string;
  readonly bytes: Uint8Array | null;
  readonly mode: number;
}

/** Where a commit is put together: a private index and private working trees, so that nobody else's files take part. */
export interface Desk {
  /** The parent's contents in working-tree form, in the order of `names`; null where it has no such file. */
  contents(names: readonly string[]): Promise<(Uint8Array | null)[]>;
  /** Writes blobs and trees → the id of the tree: the parent's, with these paths changed. */
  tree(files: readonly Placed[]): Promise<string>;
  commit(tree: string, message: string): Promise<string>;
}

/**
 * Git itself converts, in both directions, in private working trees beside a private index that holds the parent.
 * So filters, line endings and LFS act as with `git add`, by the attributes that the commit itself has.
 * (`hash-object --path` does not know the index, and rewrites CRLF files that a repository with autocrlf keeps.)
 */
export async function withDesk<T>(
  repository: Repository,
  parent: string | null,
  setting: CommitSetting,
  work: (desk: Desk) => Promise<T>,
): Promise<T> {
  const folder = await privateFolder(repository.root);
  try {
    return await work(await layOut(repository, parent, setting, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function layOut(
  repository: Repository,
  parent: string | null,
  setting: CommitSetting,
  folder: string,
): Promise<Desk> {
  const { environment, signs } = setting;
  const [base, next] = [join(folder, 'base'), join(folder, 'next')];
  await Promise.all([mkdir(base), mkdir(next)]);
  const run = (workTree: string, args: readonly string[], input = '', codes = [0]) =>
    // A split index would leave its other half in git's own folder.
    runGit(['-c', 'core.splitIndex=false', ...args], {
      cwd: workTree,
      env: { ...environment, GIT_DIR: repository.dir, GIT_WORK_TREE: workTree, GIT_INDEX_FILE: join(folder, 'index') },
      input,
      codes,
    });
  await run(next, ['read-tree', parent ?? '--empty']);
  return {
    async contents(names) {
      // A link is written as a small file with its target: nothing here may point out of the folder.
      const args = ['-c', 'core.symlinks=false', 'checkout-index', '--quiet', '-z', '--stdin'];
      const { code, stderr } = await run(base, args, joinNul(names), [0, 1]);
      // With --quiet, exit code 1 without a word means: some of the names are not in the index.
      if (code === 1 && /^(error|fatal): /m.test(stderr)) throw new GitFailed(args, code, stderr);
      return Promise.all(names.map((name) => readIfThere(join(base, name))));
    },
    async tree(files) {
      await Promise.all(files.map((file) => place(next, file)));
      // Removals first, so that a folder can take the place of a file.
      const ordered = [...files.filter(({ bytes }) => bytes === null), ...files.filter(({ bytes }) => bytes !== null)];
      await run(next, ['update-index', '--add', '--remove', '-z', '--stdin'], joinNul(ordered.map(({ name }) => name)));
      return (await run(next, ['write-tree'])).stdout.trim();
    },
    async commit(tree, message) {
      const parents = parent === null ? [] : ['-p', parent];
      const args = ['-c', 'i18n.commitEncoding=UTF-8', 'commit-tree', ...parents, '-F', '-'];
      // In the real top level: programs and keys of signatures may be named relative to it.
      const call = { cwd: repository.top, env: { ...environment, GIT_DIR: repository.dir }, input: message };
      return (await runGit([...args, ...(signs ? ['-S'] : []), tree], call)).stdout.trim();
    },
  };
}

async function place(folder: string, { name, bytes, mode }: Placed): Promise<void> {
  if (bytes === null) return;
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  await chmod(path, (mode & 0o100) === 0 ? 0o600 : 0o700);
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errno(error) ?? '')) return null;
    throw error;
  }
}

/** A new folder in Signalbox's own state, and the end of those that killed processes left there. */
export async function privateFolder(root: string): Promise<string> {
  const parent = join(root, STATE_FOLDER, 'publish');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(parent, 'desk-'));
  const now = (await stat(folder)).mtimeMs;
  for (const name of await readdir(parent)) {
    const age = now - ((await stat(join(parent, name)).catch(() => undefined))?.mtimeMs ?? now);
    if (age > STALE) await rm(join(parent, name), { recursive: true, force: true });
  }
  return folder;
}
