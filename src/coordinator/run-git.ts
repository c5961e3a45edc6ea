import type { FileChange } from '../domain/event.js';
import type { Content } from '../domain/intent.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import type { RunSpec } from '../processes/runner.js';
import { protectedName } from '../workspace/files/protected.js';
import type { Ready, RealCommand } from '../workspace/git/git.js';
import type { Caller, RunOutput } from './contract.js';
import { holds } from './owned-units.js';
import { act, type Parts } from './parts.js';
import { type Present, presentFile } from './present.js';
import { scratchAmong } from './scratch.js';

/** What files a command may change is read before it: more than this is refused. */
const MOST_FILES = 20_000;
const MOST_BYTES = 256 * 1024 * 1024;
export const WHOLE_TREE = './';

/** A command on the repository itself, and the files that it may change as they were before it. */
export interface RealRun {
  readonly program: NonNullable<RunSpec['program']>;
  readonly ready: Ready;
  /** Undefined where no file may change. */
  readonly before: ReadonlyMap<string, Present> | undefined;
}

/** The scope must hold the whole tree for a command that moves it: a wider claim than its own would wait for itself. */
export function withoutTree(parts: Parts, own: Scope | undefined, { args }: RealCommand): Refusal | undefined {
  if (own === undefined || holds(own, WHOLE_TREE, parts.workspace.folds)) return undefined;
  const call = JSON.stringify({ scope: own.id, units: [WHOLE_TREE] });
  return refuse(
    'NOT_CLAIMED',
    `git ${args[0]} changes files all over the tree, and ${own.id} has not claimed the whole of it.`,
    `Call claim_scope ${call}, then run again; or publish or release ${own.id} first.`,
    { scope: own.id, units: [WHOLE_TREE] },
  );
}

/** Checks a command once its process, and the tree where it moves, are held; reads what it may change. */
export async function prepareReal(parts: Parts, command: RealCommand): Promise<RealRun | Refusal> {
  if (parts.git === undefined) throw new Error('there is no repository');
  const ready = await parts.git.ready(command);
  if (isRefusal(ready)) return ready;
  const { program, paths } = ready;
  if (command.reach === undefined) return { program, ready, before: undefined };
  const sealed = paths.find((path) => protectedName(path, parts.rules.unprotect) !== undefined);
  if (sealed !== undefined) return wouldChange(command, sealed);
  const before = await filesAt(parts, paths);
  return isRefusal(before) ? before : { program, ready, before };
}

function wouldChange({ args }: RealCommand, path: string): Refusal {
  return refuse(
    'PROTECTED',
    `git ${args[0]} may change ${path}, which is not for agents to change.`,
    'Name the paths that you need instead of all (git restore --source=… -- path), or ask the person to run the command.',
    { path },
  );
}

async function filesAt(parts: Parts, paths: readonly string[]): Promise<Map<string, Present> | Refusal> {
  const found = new Map<string, Present>();
  let bytes = 0;
  if (paths.length > MOST_FILES) return tooMuch(paths.length);
  for (const path of paths) {
    const file = await presentFile(parts, path);
    if (isRefusal(file)) continue;
    bytes += file.bytes?.length ?? 0;
    if (bytes > MOST_BYTES) return tooMuch(paths.length);
    found.set(path, file);
  }
  return found;
}

function tooMuch(files: number): Refusal {
  return refuse(
    'LIMIT',
    `The command may change ${files} files; up to ${MOST_FILES} with ${MOST_BYTES / 1024 / 1024} MB together can be kept on record.`,
    'Ask the person to run it.',
    { files },
  );
}

/**
 * Puts on record what a command on the repository itself did to the files. Where it moved HEAD, that is one change from
 * outside with one cause: what other commits hold is nobody's work to be published or reverted. Where HEAD stayed (stash,
 * restore, a merge without a commit), it is the scope's own change.
 */
export async function recordReal(
  parts: Parts,
  caller: Caller,
  { ready, before }: RealRun,
  { run, own }: { readonly run: string; readonly own: Scope | undefined },
): Promise<RunOutput['changed']> {
  if (before === undefined || parts.git === undefined) return [];
  const { paths, head } = await parts.git.arrived(ready);
  const scratch = await scratchAmong(parts, paths);
  const after = await filesAt(
    parts,
    paths.filter((path) => !scratch.has(path)),
  );
  if (isRefusal(after)) {
    parts.log(`${run} changed more files than can be kept on record`);
    return [];
  }
  const changes = [...after].flatMap(([path, file]) => changeOf(path, before.get(path), file));
  if (changes.length === 0) return [];
  await parts.store.keep([...before.values(), ...after.values()].flatMap(contentOf));
  const needs = { paths: changes.map(({ path }) => path), scopes: own === undefined ? [] : [own.id] };
  await act(parts, caller, 'run', needs, (draft) => {
    const present = own && draft.view.scope(own.id);
    const scope = present?.status === 'active' && present.tenure === own?.tenure ? present : undefined;
    const known = changes.map((change) => ({ change, record: draft.view.file(change.path) }));
    if (scope === undefined || head !== ready.head) {
      const files = known.flatMap(({ change, record }) => fromKnown(change, record?.hash));
      const holder = scope === undefined ? {} : { holder: scope.id };
      if (files.length > 0) draft.emit({ type: 'files.outside', files, run, ...holder });
      return { answer: undefined };
    }
    const outside = known.flatMap(({ change: { path, before }, record }) =>
      record === undefined || record.hash === before ? [] : [{ path, before: record.hash, after: before }],
    );
    if (outside.length > 0) draft.emit({ type: 'files.outside', files: outside, holder: scope.id });
    const { id, generation } = scope;
    draft.emit({ type: 'files.changed', scope: id, cause: 'run', generation, files: changes, run });
    return { answer: undefined };
  });
  return changes.map(({ path, after }) => ({ path, version: after }));
}

/** A path that was not foreseen counts as new: what was there before is not known. */
function changeOf(path: string, before: Present | undefined, after: Present): FileChange[] {
  if (before?.version === after.version && before.mode === after.mode) return [];
  if (before === undefined && after.version === null) return [];
  const mode = after.mode === undefined ? {} : { mode: after.mode };
  const was = before?.mode === undefined || before.mode === after.mode ? {} : { was: before.mode };
  return [{ path, before: before?.version ?? null, after: after.version, ...mode, ...was }];
}

/** The ledger goes on from where it was: an edit by hand before the command is in the same change. */
function fromKnown(change: FileChange, known: string | null | undefined): FileChange[] {
  if (known === undefined) return [change];
  return known === change.after ? [] : [{ ...change, before: known }];
}

function contentOf({ bytes, version }: Present): Content[] {
  return bytes === null || version === null ? [] : [{ hash: version, bytes }];
}
