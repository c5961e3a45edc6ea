import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type Refusal, refuse } from '../../domain/refusal.js';
import { GitFailed, GitMissing, runGit } from './run.js';

/** Where git keeps what, for one working tree. Absolute paths. */
export interface Repository {
  /** The workspace root. */
  readonly root: string;
  /** Git's top level: the root or a folder above it. */
  readonly top: string;
  /** The root below the top level, as `''` or `packages/app/`: workspace path → git path. */
  readonly prefix: string;
  /** Git's private folder of this working tree; a linked worktree has one of its own. */
  readonly dir: string;
}

/** A commit and its tree, or null where the name names none. */
export type Tip = { readonly commit: string; readonly tree: string } | null;

/** Undefined: no repository, a bare one, or no git. A repository that git does not want to open is refused. */
export async function findRepository(root: string): Promise<Repository | Refusal | undefined> {
  try {
    const args = ['rev-parse', '--show-toplevel', '--absolute-git-dir', '--show-prefix'];
    const { stdout } = await runGit(args, { cwd: root });
    const [top, dir, prefix, ...rest] = stdout.split('\n');
    if (top === undefined || dir === undefined || prefix === undefined || rest.join('') !== '') {
      return refuse('UNAVAILABLE', 'A folder above the repository has a line break in its name.', 'Rename it.');
    }
    return { root, top, dir, prefix };
  } catch (error) {
    if (error instanceof GitMissing) return undefined;
    if (!(error instanceof GitFailed)) throw error;
    if (/not a git repository|must be run in a work tree/i.test(error.stderr)) return undefined;
    const trust = `git config --global --add safe.directory '${root}'`;
    const next = /ownership|unsafe/i.test(error.stderr)
      ? `Run: ${trust}`
      : 'Repair the repository: git status tells more.';
    return refuse('UNAVAILABLE', `Git does not open this repository: ${error.message}`, next, { root });
  }
}

const OPERATIONS: readonly (readonly [file: string, name: string])[] = [
  ['MERGE_HEAD', 'merge'],
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['sequencer', 'cherry-pick or revert'],
  ['BISECT_LOG', 'bisect'],
];

/** A merge, rebase, cherry-pick, revert or bisect that a person has under way: BLOCKED. */
export async function operationUnderWay(repository: Repository): Promise<Refusal | undefined> {
  const found = await Promise.all(OPERATIONS.map(([file]) => isThere(join(repository.dir, file))));
  const name = OPERATIONS[found.indexOf(true)]?.[1];
  return name === undefined ? undefined : blockedBy(name);
}

export function blockedBy(operation: string): Refusal {
  const next = 'Ask the person who started it to finish or abort it, then call publish_output again.';
  return refuse('BLOCKED', `A ${operation} is under way in this repository.`, next, { operation });
}

/** Several refs in one look, by one process. A ref that does not exist is null. */
export async function readTips(repository: Repository, refs: readonly string[]): Promise<Tip[]> {
  const input = refs.map((ref) => `${ref}^{commit}\n${ref}^{tree}\n`).join('');
  const { stdout } = await runGit(['cat-file', '--batch-check=%(objectname)'], { cwd: repository.top, input });
  const lines = stdout.split('\n');
  return refs.map((_, at) => {
    const [commit, tree] = [lines[at * 2], lines[at * 2 + 1]];
    if (commit === undefined || tree === undefined || commit.includes(' ') || tree.includes(' ')) return null;
    return { commit, tree };
  });
}

/** Git knows the empty tree without storing it; by the length of its ids. */
const EMPTY_TREE: { readonly [length: number]: string } = {
  40: '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
  64: '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321',
};

/** The id of the empty tree, in the kind of ids that this one is of. */
export function emptyTree(id: string): string {
  const tree = EMPTY_TREE[id.length];
  if (tree === undefined) throw new Error(`unknown kind of object id: ${id}`);
  return tree;
}

export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
