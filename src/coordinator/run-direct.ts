import { hash as digest } from 'node:crypto';
import type { Draft } from '../domain/draft.js';
import type { FileChange } from '../domain/event.js';
import type { Content } from '../domain/intent.js';
import type { Hash, Scope } from '../domain/scope.js';
import type { Written } from '../processes/runner.js';
import type { Caller, RunOutput } from './contract.js';
import { act, type Parts } from './parts.js';
import type { RunChanges } from './run-commit.js';

type Direct = Extract<Written, { kind: 'file' | 'deleted' }>;

export interface DirectRun {
  readonly run: string;
  readonly own: Scope | undefined;
  /** The event of the run's start. */
  readonly since: number;
  readonly written: readonly Written[];
  /** Whether the command ended with an error. */
  readonly failed: boolean;
}

/**
 * Puts on record what a command wrote directly to its claimed folders. It is on disk already, so nothing is checked or
 * refused here: what the scope still holds is its change, what it has lost meanwhile was an edit from outside.
 */
export async function recordDirect(parts: Parts, caller: Caller, direct: DirectRun): Promise<RunChanges> {
  const { own, written } = direct;
  const files = written.filter((entry): entry is Direct => entry.kind === 'file' || entry.kind === 'deleted');
  const rejected = [...written.flatMap(notRecorded), ...(direct.failed ? unwritable(own) : [])];
  if (own === undefined || files.length === 0) return { changed: [], rejected };
  const earlier = new Map<string, boolean>();
  for (const { path } of files) {
    const [first] = await parts.store.changes({ path, after: direct.since, limit: 1 });
    earlier.set(path, first !== undefined);
  }
  await parts.store.keep(files.flatMap(contentsOf));
  const needs = { paths: files.map(({ path }) => path), scopes: [own.id] };
  const changes = files.map(changeOf);
  await act(parts, caller, 'run', needs, (draft) => {
    emit(draft, { ...direct, own }, changes, (path) => earlier.get(path) === true);
    return { answer: undefined };
  });
  return { changed: changes.map(({ path, after }) => ({ path, version: after })), rejected };
}

function emit(
  draft: Draft,
  { run, own }: { readonly run: string; readonly own: Scope },
  changes: readonly FileChange[],
  patchedMeanwhile: (path: string) => boolean,
): void {
  const files = changes.flatMap((change): FileChange[] => {
    const record = draft.view.file(change.path);
    const known = record?.hash;
    if (known === change.after && (change.mode ?? record?.mode) === record?.mode) return [];
    return known !== undefined && patchedMeanwhile(change.path) ? [{ ...change, before: known }] : [change];
  });
  const present = draft.view.scope(own.id);
  if (files.length > 0 && draft.view.state.runs.get(run)?.changed !== undefined) return;
  if (present === undefined || !isStillIts(present, own)) {
    if (files.length > 0) draft.emit({ type: 'files.outside', files });
    return;
  }
  const outside = files.flatMap(({ path, before }): FileChange[] => {
    const known = draft.view.file(path)?.hash;
    return known === undefined || known === before ? [] : [{ path, before: known, after: before }];
  });
  if (outside.length > 0) draft.emit({ type: 'files.outside', files: outside, holder: own.id });
  const { id: scope, generation } = present;
  if (files.length > 0) draft.emit({ type: 'files.changed', scope, cause: 'run', generation, files, run });
}

/** A scope that is stopping waits for this very command: what it wrote is handed over with the rest. */
function isStillIts(present: Scope, own: Scope): boolean {
  return present.status === 'active' && (present.stopping !== undefined || present.tenure === own.tenure);
}

const hashOf = (bytes: Uint8Array): Hash => digest('sha256', bytes);

function changeOf(entry: Direct): FileChange {
  const { path } = entry;
  const before = entry.before ? hashOf(entry.before) : null;
  const was = entry.was === undefined ? {} : { was: entry.was };
  if (entry.kind === 'deleted') return { path, before, after: null, ...was };
  const { mode } = entry;
  return { path, before, after: hashOf(entry.bytes), mode, ...(entry.was === mode ? {} : was) };
}

function contentsOf(entry: Direct): Content[] {
  const both = [entry.before ?? undefined, entry.kind === 'file' ? entry.bytes : undefined];
  return both.flatMap((bytes) => (bytes === undefined ? [] : [{ hash: hashOf(bytes), bytes }]));
}

type Rejected = RunOutput['rejected'];

function notRecorded(entry: Written): Rejected {
  const { path } = entry;
  if (entry.kind === 'protected')
    return [
      {
        path,
        reason:
          'PROTECTED: agents may not make this; it was removed again, and a file moved there is back in its place',
      },
    ];
  if (entry.kind === 'large')
    return [
      { path, reason: `LIMIT: ${entry.size} bytes are too many for a versioned file; it lies there without a version` },
    ];
  if (entry.kind === 'special')
    return [{ path, reason: 'INVALID: a pipe, socket or device is not kept; it was removed again' }];
  if (entry.kind === 'link')
    return [{ path, reason: 'INVALID: only files are versioned; it lies there without a version' }];
  return [];
}

/** Units that a command could not write at this level: said where it failed, which may be why. */
function unwritable(own: Scope | undefined): Rejected {
  const units = [...(own?.locks.values() ?? [])].filter(
    ({ unit, mode }) => mode === 'write' && !unit.endsWith('/') && !unit.startsWith('process:'),
  );
  return units.map(({ unit }) => ({
    path: unit,
    reason: 'NOT_CLAIMED: on this machine a command can write only to claimed folders; claim the folder or use patch',
  }));
}

/** Folders that a command of the scope may write directly. */
export function directlyWritable(own: Scope | undefined): string[] {
  const locks = [...(own?.locks.values() ?? [])];
  return locks.filter(({ unit, mode }) => mode === 'write' && unit.endsWith('/')).map(({ unit }) => unit);
}
