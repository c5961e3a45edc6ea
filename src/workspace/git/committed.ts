import type { Repository } from './repository.js';
import { GitFailed, runGit } from './run.js';

/**
 * The commit at HEAD, where it has exactly this content at the path, or no file for null; the user's filters apply.
 * Relative to the root.
 */
export async function committedAs(
  { root }: Repository,
  path: string,
  bytes: Uint8Array | null,
): Promise<string | undefined> {
  try {
    return bytes === null ? await committedWithout(root, path) : await committedWith(root, path, bytes);
  } catch (error) {
    if (error instanceof GitFailed) return undefined;
    throw error;
  }
}

async function committedWith(root: string, path: string, bytes: Uint8Array): Promise<string | undefined> {
  const [names, blob] = await Promise.all([
    runGit(['rev-parse', 'HEAD', `HEAD:./${path}`], { cwd: root }),
    runGit(['hash-object', '--stdin', `--path=${path}`], { cwd: root, input: bytes }),
  ]);
  const [commit, committed] = names.stdout.split('\n');
  return committed === blob.stdout.trim() ? commit : undefined;
}

async function committedWithout(root: string, path: string): Promise<string | undefined> {
  const [commit, entries] = await Promise.all([
    runGit(['rev-parse', 'HEAD'], { cwd: root }),
    runGit(['ls-tree', '-z', 'HEAD', '--', path], { cwd: root }),
  ]);
  return entries.stdout === '' ? commit.stdout.trim() : undefined;
}
