import type { Repository } from './git-repository.js';
import { joinNul, runGit, splitNul } from './git-run.js';
import { STATE_FOLDER } from './temps.js';

/** Bytes of arguments in one call: every system bears this much. */
const MAX_ARGUMENTS = 100_000;

/** Which of these paths git ignores. What is tracked is never ignored. Relative to the root. */
export async function ignoredPaths(repository: Repository, paths: readonly string[]): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  const call = { cwd: repository.root, input: joinNul(paths), codes: [0, 1] };
  return new Set(splitNul((await runGit(['check-ignore', '-z', '--stdin'], call)).stdout));
}

/** What git ignores and the disk has, topmost first found: `dist/` stands for all below it. Relative to the root. */
export async function ignoredEntries(repository: Repository): Promise<string[]> {
  const args = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'];
  const { stdout } = await runGit(args, { cwd: repository.root });
  return splitNul(stdout).filter((name) => name !== `${STATE_FOLDER}/` && !name.startsWith(`${STATE_FOLDER}/`));
}

/** Which of these paths are in the index. Relative to the root. */
export async function trackedPaths(repository: Repository, paths: readonly string[]): Promise<Set<string>> {
  const tracked = new Set<string>();
  for (const part of inParts(paths)) {
    const { stdout } = await runGit(['ls-files', '-z', '--', ...part], { cwd: repository.root });
    for (const name of splitNul(stdout)) tracked.add(name);
  }
  return new Set(paths.filter((path) => tracked.has(path)));
}

function inParts(paths: readonly string[]): string[][] {
  const parts: string[][] = [];
  let size = MAX_ARGUMENTS;
  for (const path of paths) {
    size += Buffer.byteLength(path) + 1;
    if (size > MAX_ARGUMENTS) {
      parts.push([]);
      size = Buffer.byteLength(path) + 1;
    }
    parts.at(-1)?.push(path);
  }
  return parts;
}
