import type { Intent } from '../domain/intent.js';
import { type Refusal, refuse } from '../domain/refusal.js';
import { dropStaged, installStaged, stageIndex } from './git-index.js';
import { ownsIndexLock, releaseIndexLock, takeIndexLock } from './git-lock.js';
import { operationUnderWay, type Repository, readTips } from './git-repository.js';
import { GitFailed, runGit } from './git-run.js';

/** A built commit and the ref that shall move to it, as the intent of a publication names it. `ref` is `HEAD` or a branch. */
export type Planned = NonNullable<Intent['commit']>;

/**
 * HEAD → the commit, and with it the entries of the real index, both under git's own index lock. What a kill leaves:
 *
 * 1. the lock, which names the commit; HEAD is the former commit. `recover` removes the lock: nothing happened.
 * 2. the same and `index.signalbox`. As 1.
 * 3. HEAD is the commit, the index is the former one (a `git commit` now would take the publication back, but the lock
 *    stops it). `recover` writes the index anew and releases the lock.
 * 4. HEAD and index are both new, the lock is there. `recover` finds no entry to change and releases the lock.
 *
 * The one instant that stays: a `git update-ref` that outlives its killed parent can move HEAD after `recover` looked.
 */
export async function moveHead(repository: Repository, { former, commit }: Planned): Promise<Refusal | undefined> {
  const held = await takeIndexLock(repository, commit);
  if (held !== undefined) return held;
  let moved = false;
  try {
    const operation = await operationUnderWay(repository);
    if (operation !== undefined) return operation;
    const staged = await stageIndex(repository, former, commit);
    const refusal = await moveRef(repository, { ref: 'HEAD', former, commit });
    if (refusal !== undefined) return refusal;
    moved = true;
    if (staged) await installStaged(repository);
    moved = false;
    return undefined;
  } finally {
    // HEAD moved and the index could not follow: the lock stays until `recover`, or the next commit would undo this one.
    if (!moved) await letGo(repository, commit);
  }
}

/** Finishes or drops a publication that a killed process left half-way. The caller knows that its process is gone. */
export async function recoverMove(
  repository: Repository,
  { ref, former, commit }: Planned,
): Promise<'published' | 'dropped'> {
  const published = await isIn(repository, commit, ref);
  if (ref !== 'HEAD') return published ? 'published' : 'dropped';
  // Without our lock the index is somebody else's by now, or it is done.
  if (await ownsIndexLock(repository, commit)) {
    if (published && (await stageIndex(repository, former, commit))) await installStaged(repository);
    await dropStaged(repository);
  }
  await releaseIndexLock(repository, commit);
  return published ? 'published' : 'dropped';
}

/** Compare and swap. STALE_BASE where the ref is no longer at the former commit: build again on what is there now. */
export async function moveRef(repository: Repository, { ref, former, commit }: Planned): Promise<Refusal | undefined> {
  try {
    // An empty former value means: the ref must not exist yet.
    await runGit(['update-ref', '-m', 'signalbox: publish', ref, commit, former ?? ''], { cwd: repository.top });
    return undefined;
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    const [tip] = await readTips(repository, [ref]);
    const found = tip?.commit ?? null;
    if (found !== former) {
      const sentence = `${ref} moved while the commit was built: somebody else committed.`;
      return refuse('STALE_BASE', sentence, 'Call publish_output again.', { ref, expected: former, found });
    }
    return refuse('BLOCKED', `Git could not move ${ref}: ${error.message}`, 'Call publish_output again in a moment.', {
      ref,
    });
  }
}

async function letGo(repository: Repository, commit: string): Promise<void> {
  await dropStaged(repository);
  await releaseIndexLock(repository, commit);
}

async function isIn(repository: Repository, commit: string, ref: string): Promise<boolean> {
  // 128: the ref or the commit is not there.
  const { code } = await runGit(['merge-base', '--is-ancestor', commit, ref], {
    cwd: repository.top,
    codes: [0, 1, 128],
  });
  return code === 0;
}
