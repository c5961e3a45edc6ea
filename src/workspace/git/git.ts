import type { IgnoreMatcher } from '../../domain/ignore-pattern.js';
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import { branchRef, checkedOut } from './branch.js';
import { buildCommit, type CommitSpec } from './build.js';
import { committedAs } from './committed.js';
import { commitSetting } from './config.js';
import { ignoredEntries, ignoredPaths, trackedPaths } from './list.js';
import { indexLockHeld } from './lock.js';
import { type Planned, type Reserved, recoverMove, reserveBranch, reserveHead } from './move.js';
import type { RealCommand } from './real/command.js';
import { type Arrived, arrived, makeReady, type Ready } from './real/real.js';
import { blockedBy, findRepository, operationUnderWay, type Repository, readTips } from './repository.js';
import { GitFailed, runGit } from './run.js';
import { worktreeName } from './worktree.js';

export type { CommitSpec, PathChange, Trailer } from './build.js';
export type { Planned, Reserved } from './move.js';
export type { RealCommand } from './real/command.js';
export type { Ready } from './real/real.js';
export type { Merge, Step } from './replay.js';

export interface BuildSpec extends CommitSpec {
  /** The branch to build on, made from HEAD where it does not exist; HEAD itself where left out. */
  readonly branch?: string;
  /** Whether the commit is signed, as `git commit` would; as the configuration of git says where left out. */
  readonly sign?: boolean;
}

export interface Built {
  /** What to put in the intent and to hand to `reserve`. Undefined: there is nothing to commit. */
  readonly planned: Planned | undefined;
  /** Paths committed whole, because this scope's changes did not fit what is committed. */
  readonly whole: readonly string[];
  /** Paths that git ignores, left out. */
  readonly ignored: readonly string[];
}

export interface Head {
  /** Null in a repository without commits. */
  readonly commit: string | null;
  /** Null where HEAD is detached. */
  readonly branch: string | null;
}

/** The git repository of a workspace. Paths are relative to the workspace root. */
export interface Git {
  /** BLOCKED: a merge, rebase, cherry-pick, revert or bisect is under way, or somebody holds git's index lock. */
  blocked(): Promise<Refusal | undefined>;
  head(): Promise<Head>;
  /** Which of these paths git ignores, or are to count as ignored. What is tracked is never ignored. */
  ignored(paths: readonly string[], also?: IgnoreMatcher): Promise<Set<string>>;
  /** What git ignores and the disk has: files, and folders with a trailing `/` that stand for all below them. */
  ignoredEntries(): Promise<string[]>;
  /** The commit at HEAD, where that has exactly this content at the path, or no file for null. */
  committedAs(path: string, bytes: Uint8Array | null): Promise<string | undefined>;
  /** Names the whole working tree as it is now, without what git ignores: two equal names are two equal trees. */
  worktree(): Promise<string>;
  /** Which of these paths are in git's index or in the last commit. */
  tracked(paths: readonly string[]): Promise<Set<string>>;
  /**
   * Builds the commit of one scope's changes: the committed content of each path with the scope's steps replayed.
   * Moves nothing. Refuses BLOCKED (an operation is under way, or git failed), INVALID (branch, nested repository), and
   * what the spec says where a change is not on the disk any more.
   */
  build(spec: BuildSpec): Promise<Built | Refusal>;
  /** Takes git's index lock and gets everything ready. Refuses BLOCKED. Whoever gets a reservation has to release it. */
  reserve(planned: Planned): Promise<Reserved | Refusal>;
  /** Reserves, commits and releases, where no transaction goes with it. */
  move(planned: Planned): Promise<Refusal | undefined>;
  /** Gets a judged command ready to run on the repository itself, with the user's credentials. */
  ready(command: RealCommand): Promise<Ready | Refusal>;
  /** What such a command has come to. */
  arrived(ready: Ready): Promise<Arrived>;
  /**
   * After a crash between the intent and its end: settles it. Synchronous, so that it can stand inside a transaction:
   * then neither the publication itself, if its process lives after all, nor another recovery comes in between.
   */
  recover(planned: Planned): 'published' | 'dropped';
}

/** Undefined where the folder is in no git repository, or there is no git; UNAVAILABLE where git does not open it. */
export async function openGit(root: string): Promise<Git | Refusal | undefined> {
  const repository = await findRepository(root);
  if (repository === undefined || isRefusal(repository)) return repository;
  return {
    blocked: async () => (await operationUnderWay(repository)) ?? indexLockHeld(repository),
    head: () => head(repository),
    ignored: (paths, also) => ignoredPaths(repository, paths, also),
    ignoredEntries: () => ignoredEntries(repository),
    worktree: () => worktreeName(repository),
    committedAs: (path, bytes) => committedAs(repository, path, bytes),
    tracked: (paths) => trackedPaths(repository, paths),
    build: (spec) => refusingFailures(() => build(repository, spec)),
    reserve: (planned) => refusingFailures(() => reserve(repository, planned)),
    move: (planned) => refusingFailures(() => move(repository, planned)),
    ready: (command) => refusingFailures(() => makeReady(repository, command)),
    arrived: (ready) => arrived(repository, ready),
    recover: (planned) => recoverMove(repository, planned),
  };
}

async function build(repository: Repository, spec: BuildSpec): Promise<Built | Refusal> {
  const operation = await operationUnderWay(repository);
  if (operation !== undefined) return operation;
  const ref = spec.branch === undefined ? 'HEAD' : await freeBranch(repository, spec.branch);
  if (isRefusal(ref)) return ref;
  // The last two are files in most repositories, but not where refs are kept in a reftable.
  const names = ['HEAD', ref, 'CHERRY_PICK_HEAD', 'REVERT_HEAD'];
  const [tips, setting] = await Promise.all([readTips(repository, names), commitSetting(repository)]);
  const [head = null, tip = null, pick = null, revert = null] = tips;
  if (pick !== null || revert !== null) return blockedBy(pick === null ? 'revert' : 'cherry-pick');
  const content = await buildCommit(repository, tip ?? head, { ...setting, signs: spec.sign ?? setting.signs }, spec);
  if (isRefusal(content)) return content;
  const { commit, whole, ignored } = content;
  return { planned: commit === undefined ? undefined : { ref, former: tip?.commit ?? null, commit }, whole, ignored };
}

async function freeBranch(repository: Repository, branch: string): Promise<string | Refusal> {
  const ref = await branchRef(repository, branch);
  if (isRefusal(ref)) return ref;
  return (await checkedOut(repository, ref)) ?? ref;
}

function reserve(repository: Repository, planned: Planned): Promise<Reserved | Refusal> {
  return planned.ref === 'HEAD' ? reserveHead(repository, planned) : reserveBranch(repository, planned);
}

async function move(repository: Repository, planned: Planned): Promise<Refusal | undefined> {
  const reserved = await reserve(repository, planned);
  if (isRefusal(reserved)) return reserved;
  try {
    return reserved.commit();
  } finally {
    await reserved.release();
  }
}

async function head(repository: Repository): Promise<Head> {
  const [[tip], symbolic] = await Promise.all([
    readTips(repository, ['HEAD']),
    runGit(['symbolic-ref', '--quiet', 'HEAD'], { cwd: repository.top, codes: [0, 1] }),
  ]);
  return { commit: tip?.commit ?? null, branch: symbolic.stdout.trim().replace(/^refs\/heads\//, '') || null };
}

/** Git may fail for reasons of its own (a filter that is not installed, a full disk): an expected "no". */
async function refusingFailures<T>(work: () => Promise<T | Refusal>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    const next = 'Tell a person: this command has to work in the repository before anything can be published.';
    return refuse('BLOCKED', `${error.message}.`, next, { command: error.command, code: error.code });
  }
}
