import type { IgnoreMatcher } from '../../domain/ignore-pattern.js';
import { STATE_FOLDER } from '../files/temps.js';
import { foldersOf } from './index.js';
import type { Repository } from './repository.js';
import { GitFailed, joinNul, runGit, splitNul } from './run.js';

/** Bytes of arguments in one call: every system bears this much. */
const MAX_ARGUMENTS = 100_000;

/**
 * Which of these paths git ignores, or are to count as ignored; a folder may end in `/`. What is tracked, or holds
 * something tracked, is not ignored. Relative to the root.
 */
export async function ignoredPaths(
  repository: Repository,
  paths: readonly string[],
  also: IgnoreMatcher = () => false,
): Promise<Set<string>> {
  const matching = [...new Set([...(await matchingPaths(repository, paths)), ...paths.filter(also)])];
  const tracked = (await listed(repository, topmost(matching))).flatMap((name) => [name, ...foldersOf(name)]);
  const kept = new Set(tracked);
  return new Set(matching.filter((path) => !kept.has(path.replace(/\/$/, ''))));
}

/** Without what lies below another one: with many paths, git compares each with all that it tracks. */
function topmost(paths: readonly string[]): string[] {
  const folders = new Set(paths.filter((path) => path.endsWith('/')));
  return paths.filter((path) => !foldersOf(path).some((folder) => path !== `${folder}/` && folders.has(`${folder}/`)));
}

/** What git ignores and the disk has, topmost first found: `dist/` stands for all below it. Relative to the root. */
export async function ignoredEntries(repository: Repository): Promise<string[]> {
  const args = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'];
  const { stdout } = await runGit(args, { cwd: repository.root });
  return splitNul(stdout).filter((name) => !name.startsWith(`${STATE_FOLDER}/`));
}

/** Which of these paths are in the index or in the last commit. Relative to the root. */
export async function trackedPaths(repository: Repository, paths: readonly string[]): Promise<Set<string>> {
  const tracked = new Set([...(await listed(repository, paths)), ...(await committed(repository, paths))]);
  return new Set(paths.filter((path) => tracked.has(path)));
}

/** Which of these paths the ignore patterns match, tracked or not. */
async function matchingPaths(repository: Repository, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  // Without --no-index git takes a name like `[a].js` for a pattern when it asks whether the file is tracked.
  const args = ['check-ignore', '--no-index', '-z', '--stdin'];
  const { code, stdout, stderr } = await runGit(args, {
    cwd: repository.root,
    // This command takes no literal pathspecs: with `./` in front, `:(glob)` is a plain name.
    env: { GIT_LITERAL_PATHSPECS: '0' },
    input: joinNul(paths.map((path) => `./${path}`)),
    codes: [0, 1, 128],
  });
  if (code !== 128) return splitNul(stdout).map((path) => path.slice(2));
  // One path in a submodule or beyond a link ends git's answer for all of them; git ignores no such path.
  if (!/submodule|symbolic link/.test(stderr)) throw new GitFailed(args, code, stderr);
  if (paths.length === 1) return [];
  const half = Math.ceil(paths.length / 2);
  const halves = [paths.slice(0, half), paths.slice(half)].map((part) => matchingPaths(repository, part));
  return (await Promise.all(halves)).flat();
}

/** What the index has at and below these paths. */
async function listed(repository: Repository, paths: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  for (const part of inParts(paths)) {
    const { stdout } = await runGit(['ls-files', '-z', '--', ...part], { cwd: repository.root });
    for (const name of splitNul(stdout)) names.push(name);
  }
  return names;
}

/** What the last commit has at and below these paths; nothing where there is none. */
async function committed(repository: Repository, paths: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  for (const part of inParts(paths)) {
    const args = ['ls-tree', '-r', '-z', '--name-only', 'HEAD', '--', ...part];
    const { stdout } = await runGit(args, { cwd: repository.root, codes: [0, 128] });
    for (const name of splitNul(stdout)) names.push(name);
  }
  return names;
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
