import { type Refusal, refuse } from '../../../domain/refusal.js';
import type { Repository } from '../repository.js';
import { type GitAnswer, runGit, splitNul } from '../run.js';
import type { RealCommand } from './command.js';
import type { Reach } from './verdict.js';

/** Names that git itself makes, and that need not be there. */
const PASSING = ['ORIG_HEAD'];

/** Every path whose file a command may change, relative to the root. INVALID where git does not know what it names. */
export async function affectedPaths(repository: Repository, { args, reach }: RealCommand): Promise<string[] | Refusal> {
  if (reach === undefined) return [];
  if (repository.prefix !== '') {
    return refuse(
      'BLOCKED',
      `git ${args[0]} changes files of the whole repository, and the workspace is only its folder ${repository.prefix}.`,
      'Ask the person to run the command.',
    );
  }
  const paths = new Set(await dirtyPaths(repository, reach.untracked === true));
  for (const rev of reach.trees) {
    const commit = await resolved(repository, rev);
    if (commit === undefined && PASSING.includes(rev)) continue;
    if (commit === undefined) return unknown(args[0] ?? '', rev);
    for (const path of await between(repository, 'HEAD', commit)) paths.add(path);
  }
  for (const path of await applied(repository, reach)) paths.add(path);
  return [...paths];
}

/** The commit that HEAD names; undefined in a repository without commits. */
export function headOf(repository: Repository): Promise<string | undefined> {
  return resolved(repository, 'HEAD');
}

/** Paths that are not as HEAD has them, in the index or in the tree. */
export async function dirtyPaths(repository: Repository, untracked: boolean): Promise<string[]> {
  const others = `--untracked-files=${untracked ? 'all' : 'no'}`;
  const { stdout } = await git(repository, [
    'status',
    '--porcelain',
    '-z',
    '--no-renames',
    '--ignore-submodules=all',
    others,
  ]);
  return splitNul(stdout).map((line) => line.slice(3));
}

/** Paths at which the trees of two commits differ. */
export async function between(repository: Repository, from: string, to: string): Promise<string[]> {
  const { stdout } = await git(repository, ['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, to]);
  return splitNul(stdout);
}

async function applied(repository: Repository, { commits, stash }: Reach): Promise<string[]> {
  const found: string[] = [];
  for (const range of commits) {
    const log = ['log', '-z', '--format=', '--name-only', '--no-renames', '-m', '--root', range, '--'];
    const { code, stdout } = await git(repository, log, [0, 128]);
    if (code === 0) found.push(...splitNul(stdout));
  }
  if (stash === undefined) return found;
  // A stash is a commit of the tree on that of HEAD then, with one of the index and one of untracked files beside it.
  for (const args of [
    ['diff-tree', '-r', '-z', '--name-only', '--no-renames', `${stash}^1`, stash],
    ['diff-tree', '-r', '-z', '--name-only', '--no-renames', `${stash}^1`, `${stash}^2`],
    ['ls-tree', '-r', '-z', '--name-only', `${stash}^3`],
  ]) {
    const { code, stdout } = await git(repository, args, [0, 128]);
    if (code === 0) found.push(...splitNul(stdout));
  }
  return found;
}

/** The commit that a name stands for. A branch may be there only at a remote: git makes one of it then. */
async function resolved(repository: Repository, rev: string): Promise<string | undefined> {
  for (const name of [rev, `refs/remotes/origin/${rev}`]) {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
    const { code, stdout } = await git(repository, args, [0, 1, 128]);
    if (code === 0) return stdout.trim();
  }
  const refs = await git(repository, ['for-each-ref', '--format=%(objectname)', `refs/remotes/*/${rev}`], [0, 1, 128]);
  const found = refs.stdout.split('\n').filter((line) => line !== '');
  return found.length === 1 ? found[0] : undefined;
}

function git({ top }: Repository, args: readonly string[], codes: readonly number[] = [0]): Promise<GitAnswer> {
  return runGit(args, { cwd: top, codes });
}

function unknown(verb: string, rev: string): Refusal {
  return refuse(
    'INVALID',
    `git ${verb}: \`${rev}\` is no branch, tag or commit of this repository.`,
    'Name one (git branch --all lists them); write `--` before paths.',
    { argument: 'command', expected: 'a branch, tag or commit', got: rev },
  );
}
