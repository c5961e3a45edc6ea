import { type Refusal, refuse } from '../../domain/refusal.js';
import type { Repository } from './repository.js';
import { runGit } from './run.js';

/** A branch name as somebody gave it → its ref. Refuses what git does not take for a name. */
export async function branchRef(repository: Repository, branch: string): Promise<string | Refusal> {
  const invalid = refuse(
    'INVALID',
    `${JSON.stringify(branch)} is no branch name.`,
    'Choose a name such as scope/S012.',
    { branch },
  );
  if (branch.startsWith('-') || /[\0\n]/.test(branch)) return invalid;
  const { code, stdout } = await runGit(['check-ref-format', '--branch', branch], {
    cwd: repository.top,
    codes: [0, 1, 128],
  });
  // Git expands `@{-1}` to the branch before: that is not what the name says.
  return code === 0 && stdout === `${branch}\n` ? `refs/heads/${branch}` : invalid;
}

/** A branch that is checked out somewhere must not move beneath its working tree. */
export async function checkedOut(repository: Repository, ref: string): Promise<Refusal | undefined> {
  const { stdout } = await runGit(['worktree', 'list', '--porcelain'], { cwd: repository.top });
  if (!stdout.split('\n').includes(`branch ${ref}`)) return undefined;
  const branch = ref.slice('refs/heads/'.length);
  const sentence = `The branch ${branch} is checked out in a working tree.`;
  return refuse(
    'INVALID',
    sentence,
    'Leave branch out to commit to the branch of the workspace, or choose another name.',
    { branch },
  );
}
