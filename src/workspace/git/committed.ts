import type { Repository } from './repository.js';
import { GitFailed, runGit } from './run.js';

/** The commit at HEAD, where it has exactly this content at the path; the user's filters apply. Relative to the root. */
export async function committedAs({ root }: Repository, path: string, bytes: Uint8Array): Promise<string | undefined> {
  try {
    const [names, blob] = await Promise.all([
      runGit(['rev-parse', 'HEAD', `HEAD:./${path}`], { cwd: root }),
      runGit(['hash-object', '--stdin', `--path=${path}`], { cwd: root, input: bytes }),
    ]);
    const [commit, committed] = names.stdout.split('\n');
    return committed === blob.stdout.trim() ? commit : undefined;
  } catch (error) {
    if (error instanceof GitFailed) return undefined;
    throw error;
  }
}
