import type { IntentId } from '../domain/intent.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import { processMark } from '../processes/identity.js';
import type { Git, PathChange } from '../workspace/git/git.js';
import type { Planned } from '../workspace/git/move.js';
import { rebaseBytes } from '../workspace/text/rebase.js';
import { inArgument, quoted, wrongArgument } from './argument.js';
import type { Caller, PublishInput } from './contract.js';
import { noteDrift } from './drift.js';
import { type ChangeStep, scopeChanges } from './history.js';
import type { Parts } from './parts.js';
import { type Present, presentFile } from './present.js';
import { settleFailed, settleUnfinished } from './unfinished.js';

/** A commit that is built and reserved: nothing has moved, and nobody else can publish meanwhile. */
export interface Staged {
  readonly commit: string;
  readonly branch?: string;
  /** Under the write lock: moves HEAD (or the branch) by compare and swap. Synchronous. */
  move(): Refusal | undefined;
  /** Lets git's index go. Where it is not known how the transaction ended, git and the ledger are asked, now or later. */
  close(known: boolean): Promise<void>;
}

/**
 * Builds the commit of exactly what a scope changed since its last publication.
 * Undefined where there is nothing to commit, no git, or the operator wants no commits.
 */
export async function commitOf(
  parts: Parts,
  caller: Caller,
  own: Scope,
  input: PublishInput,
): Promise<Staged | undefined | Refusal> {
  const { git } = parts;
  const branch = input.branch ?? (parts.rules.commit === 'branch' ? `signalbox/${own.id}` : undefined);
  if (git === undefined && input.branch !== undefined) return noRepository(input.branch);
  if (git === undefined || (parts.rules.commit === 'none' && input.branch === undefined)) return undefined;
  const earlier = (await settleUnfinished(parts)).find(({ scope }) => scope === own.id);
  if (earlier !== undefined) return unsettled(own);
  const changes = await pathChanges(parts, caller, own);
  if (isRefusal(changes)) return changes;
  if (changes.length === 0) return undefined;
  const built = await git.build({
    changes,
    message: `${own.contract.title}\n\n${input.summary}`.trim(),
    trailers: (whole) => trailers(parts, caller, own, whole),
    merge,
    lost: (path) =>
      movedOn(
        own,
        path,
        changes.some((change) => change.path === path && change.current === null),
      ),
    ...(branch === undefined ? {} : { branch }),
    ...(parts.rules.sign === 'auto' ? {} : { sign: parts.rules.sign }),
  });
  if (isRefusal(built))
    return built.code === 'INVALID' && 'branch' in built.facts ? inArgument(built, 'branch') : built;
  const { planned } = built;
  if (planned === undefined) return undefined;
  const maker = processMark(process.pid);
  const through = Math.max(...changes.map((change) => change.through));
  const commit = { ...planned, through, ...(maker === undefined ? {} : { maker }) };
  const intent = await parts.store.prepare({ scope: own.id, commit });
  const reserved = await reserve(parts, git, planned, intent);
  if (isRefusal(reserved)) {
    await parts.store.settle(intent);
    return reserved;
  }
  return staged(parts, intent, planned.commit, branch, reserved);
}

async function reserve(parts: Parts, git: Git, planned: Planned, intent: IntentId): ReturnType<Git['reserve']> {
  try {
    return await git.reserve(planned);
  } catch (error) {
    await settleFailed(parts, intent);
    throw error;
  }
}

function noRepository(branch: string): Refusal {
  const next = 'Call publish_output again without branch: everything but the commit works here.';
  return wrongArgument('branch', 'no branch where there is no git repository', quoted(branch), next);
}

function staged(
  parts: Parts,
  intent: IntentId,
  commit: string,
  branch: string | undefined,
  reserved: Reserved,
): Staged {
  return {
    commit,
    ...(branch === undefined ? {} : { branch }),
    move: () => reserved.commit(),
    close: async (known) => {
      await reserved.release();
      await (known ? parts.store.settle(intent) : settleFailed(parts, intent));
    },
  };
}

type Reserved = Exclude<Awaited<ReturnType<Git['reserve']>>, Refusal>;

function merge(base: Uint8Array, ours: Uint8Array, theirs: Uint8Array): Uint8Array | null {
  const merged = rebaseBytes(base, ours, theirs);
  return merged !== null && 'bytes' in merged ? merged.bytes : null;
}

/** Whether its commit came about is not known yet: built now, this one could leave out what is on its way. */
function unsettled({ id }: Scope): Refusal {
  const sentence = `Another publication of ${id} is under way, or was cut off a moment ago.`;
  return refuse('BLOCKED', sentence, 'Call publish_output again in a moment.', { scope: id });
}

interface Changes extends PathChange {
  /** The event of the latest of them. */
  readonly through: number;
}

async function pathChanges(parts: Parts, caller: Caller, own: Scope): Promise<Changes[] | Refusal> {
  const found: Changes[] = [];
  const edited: string[] = [];
  for (const [path, steps] of await scopeChanges(parts, own.id, own.published)) {
    const last = steps.at(-1);
    const present = await presentFile(parts, path);
    if (isRefusal(present)) return present;
    if (last === undefined) continue;
    if (present.version !== last.after) edited.push(path);
    else if (isModeGone(steps, present)) return movedOn(own, path, false);
    found.push({
      path,
      steps: steps.map((step) => ({ before: step.beforeBytes, after: step.afterBytes })),
      current: present.bytes,
      mode: last.mode ?? present.mode ?? 0o644,
      through: last.seq,
    });
  }
  if (edited.length > 0) await noteDrift(parts, caller, edited);
  return found;
}

/** A scope that changed nothing but whether a file can be executed, and somebody took that back. */
function isModeGone(steps: readonly ChangeStep[], { mode }: Present): boolean {
  const left = steps.at(-1)?.mode;
  if (left == null || mode === undefined || steps.some(({ before, after }) => before !== after)) return false;
  return (left & 0o100) !== (mode & 0o100);
}

/** Somebody stashed, switched branches or edited the same lines: committing now would commit something else. */
function movedOn(own: Scope, path: string, isGone: boolean): Refusal {
  const mend = isGone
    ? `Make ${path} again with patch (and delete it with the next one, if it shall be gone)`
    : `Read ${path} and patch what is missing; if it is right as it is, call patch with its whole text as content and its version as base`;
  return refuse(
    'STALE_BASE',
    `${path} ${isGone ? 'is gone' : `does not have any more what ${own.id} changed in it`}; nothing was published.`,
    `${mend}. Then call publish_output again.`,
    { scope: own.id, path },
  );
}

async function trailers(parts: Parts, caller: Caller, own: Scope, whole: readonly string[]) {
  return [
    { key: 'Scope', value: own.id },
    { key: 'Agent', value: own.owner?.agent ?? caller.agent },
    ...own.contract.consumes.map((id) => ({ key: 'Consumes', value: id })),
    ...(caller.trace === undefined ? [] : [{ key: 'Trace', value: caller.trace }]),
    ...(await otherScopes(parts, own, whole)).map((id) => ({ key: 'With-Changes-Of', value: id })),
  ];
}

/** Which other scopes changed paths that are committed whole: their changes went along. */
async function otherScopes(parts: Parts, own: Scope, whole: readonly string[]): Promise<string[]> {
  const rows = await Promise.all(
    whole.map((path) => parts.store.changes({ path, after: own.published, limit: 1_000 })),
  );
  const scopes = rows.flat().flatMap(({ scope }) => (scope === null || scope === own.id ? [] : [scope]));
  return [...new Set(scopes)];
}
