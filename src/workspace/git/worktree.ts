import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../files/errno.js';
import { privateFolder } from './desk.js';
import type { Repository } from './repository.js';
import { runGit } from './run.js';

/**
 * Names the whole working tree as it is now, without what git ignores: two equal names are two equal trees.
 * Made beside a private copy of the index and of new objects, so that nothing of it stays in the repository.
 */
export async function worktreeName(repository: Repository): Promise<string> {
  const folder = await privateFolder(repository.root);
  try {
    const [index, objects] = [join(folder, 'index'), join(folder, 'objects')];
    await mkdir(objects);
    await copyIndex(join(repository.dir, 'index'), index);
    const { stdout } = await runGit(['rev-parse', '--path-format=absolute', '--git-path', 'objects'], {
      cwd: repository.top,
    });
    const env = {
      GIT_DIR: repository.dir,
      GIT_WORK_TREE: repository.top,
      GIT_INDEX_FILE: index,
      GIT_OBJECT_DIRECTORY: objects,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: stdout.trim(),
    };
    const call = { cwd: repository.top, env };
    await runGit(['-c', 'core.splitIndex=false', 'add', '--all'], call);
    return (await runGit(['write-tree'], call)).stdout.trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The index knows which files are unchanged, which spares reading them. A repository without one begins empty. */
async function copyIndex(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error;
  }
}
