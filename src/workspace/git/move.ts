import type { PlannedCommit } from '../../domain/intent.js';
import { type Refusal, refuse } from '../../domain/refusal.js';
import { checkedOut } from './branch.js';
import { dropStaged, installStaged, stageIndex } from './index.js';
import { ownsIndexLock, releaseIndexLock, takeIndexLock } from './lock.js';
import { operationUnderWay, type Repository } from './repository.js';
import { GitFailed, type GitSteps, runGitSync, runSteps, runStepsSync } from './run.js';

/** As the record of a publication names it. */
export type Planned = PlannedCommit;

/** All is ready for the move: git's index lock is ours, and the new index lies beside the real one. */
export interface Reserved {
  /**
   * The move, by compare and swap. Synchronous, so that it can stand inside the transaction that records it.
   * STALE_BASE: the ref is no longer at the former commit, so build again. BLOCKED: git could not move it.
   */
  commit(): Refusal | undefined;
  /** Lets git's index go, moved or not. */
  release(): Promise<void>;
}

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
export async function reserveHead(repository: Repository, planned: Planned): Promise<Reserved | Refusal> {
  const refusal = await takeIndexLock(repository, planned.commit);
  if (refusal !== undefined) return refusal;
  let state: 'reserved' | 'moved' | 'done' = 'reserved';
  const release = async () => {
    // HEAD moved and the index could not follow: the lock stays until `recover`, or the next commit would undo this one.
    if (state !== 'moved') letGo(repository, planned.commit);
  };
  try {
    // Nobody can begin one of these while the lock is ours: each writes the index.
    const operation = await operationUnderWay(repository);
    if (operation !== undefined) {
      await release();
      return operation;
    }
    const staged = await runSteps(stageIndex(repository, planned.former, planned.commit));
    const commit = () => {
      if (!ownsIndexLock(repository, planned.commit)) return lostLock();
      const stale = moveRef(repository, planned);
      if (stale !== undefined) return stale;
      state = 'moved';
      if (staged) installStaged(repository);
      state = 'done';
      return undefined;
    };
    return { commit, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Somebody took our lock file away: the index may be another one by now. */
function lostLock(): Refusal {
  const sentence = "Git's index lock was removed while the publication held it.";
  return refuse('BLOCKED', sentence, 'Call publish_output again.');
}

/** Only the ref moves. Somebody may check it out in the instant after the look: git has no lock against that. */
export async function reserveBranch(repository: Repository, planned: Planned): Promise<Reserved | Refusal> {
  const refusal = await checkedOut(repository, planned.ref);
  if (refusal !== undefined) return refusal;
  return { commit: () => moveRef(repository, planned), release: async () => {} };
}

/** Finishes or drops a publication that a killed process left half-way. */
export function recoverMove(repository: Repository, planned: Planned): 'published' | 'dropped' {
  return runStepsSync(recovering(repository, planned));
}

function* recovering(repository: Repository, { ref, former, commit }: Planned): GitSteps<'published' | 'dropped'> {
  const published = yield* isIn(repository, commit, ref);
  if (ref !== 'HEAD') return published ? 'published' : 'dropped';
  // Without our lock the index is done, or somebody else's by now.
  if (published && ownsIndexLock(repository, commit)) {
    if (yield* stageIndex(repository, former, commit)) installStaged(repository);
  }
  letGo(repository, commit);
  return published ? 'published' : 'dropped';
}

function moveRef(repository: Repository, { ref, former, commit }: Planned): Refusal | undefined {
  const call = { cwd: repository.top };
  try {
    // An empty former value means: the ref must not exist yet.
    runGitSync(['update-ref', '-m', 'signalbox: publish', ref, commit, former ?? ''], call);
    return undefined;
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    const { stdout } = runGitSync(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], { ...call, codes: [0, 1] });
    const found = stdout.trim() || null;
    // It was stopped when it had already done its work.
    if (found === commit) return undefined;
    const facts = { ref, expected: former, found };
    if (found !== former) {
      const sentence = `${ref} moved while the commit was built: somebody else committed.`;
      return refuse('STALE_BASE', sentence, 'Call publish_output again.', facts);
    }
    return refuse(
      'BLOCKED',
      `Git could not move ${ref}: ${error.message}.`,
      'Call publish_output again in a moment.',
      facts,
    );
  }
}

function letGo(repository: Repository, commit: string): void {
  // `index.signalbox` belongs to whoever holds the lock.
  if (ownsIndexLock(repository, commit)) dropStaged(repository);
  releaseIndexLock(repository, commit);
}

function* isIn(repository: Repository, commit: string, ref: string): GitSteps<boolean> {
  // 128: the ref or the commit is not there.
  const args = ['merge-base', '--is-ancestor', commit, ref];
  const [answer] = yield [{ args, cwd: repository.top, codes: [0, 1, 128] }];
  return answer?.code === 0;
}
