import { hash as digest } from 'node:crypto';
import { ownScope } from '../domain/authority.js';
import { draft as newDraft } from '../domain/draft.js';
import { requireOwn } from '../domain/end.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import type { View } from '../domain/view.js';
import { type Present, staleBases } from '../workspace/text/bases.js';
import { countChange } from '../workspace/text/count-change.js';
import { type Outcome, outcomes } from '../workspace/text/edits.js';
import { type Operation, pathsOf, withPaths } from '../workspace/text/operation.js';
import { parseDiff } from '../workspace/text/parse-diff.js';
import { parseEdits } from '../workspace/text/parse-edits.js';
import type { Wanted } from '../workspace/workspace.js';
import { inArgument, quoted, wrongArgument } from './argument.js';
import { type Changed, change } from './change.js';
import type { Caller, PatchInput, PatchOutput } from './contract.js';
import { noteDrift, seemsDrifted } from './drift.js';
import { act, claimant, type Parts, scopeNeeds } from './parts.js';
import { titleFrom } from './title.js';

/** How often a patch is worked out anew because a file moved on in the instant before it was applied. */
const ATTEMPTS = 4;

/** patch: exact edits or a diff, over one or many files, all or nothing. */
export async function patch(parts: Parts, caller: Caller, input: PatchInput): Promise<PatchOutput | Refusal> {
  const operations = parse(input);
  const named = isRefusal(operations) ? operations : await canonical(parts, operations);
  if (isRefusal(named)) return refused(parts, caller, input, named);
  for (let attempt = 1; ; attempt++) {
    const work = await workOut(parts, caller, named);
    if (isRefusal(work)) return refused(parts, caller, input, work);
    const { found, files } = work;
    const different = found.filter((outcome) => differs(outcome, files));
    const kept = different.length > 0 ? different : await approved(parts, caller, input, found);
    const wanted = kept.map((outcome) => asWanted(outcome, files));
    if (wanted.length === 0) return already(parts, caller, input, found);
    const paths = wanted.map((file) => file.path);
    const write = { paths, title: titleOf(paths), ...(input.scope === undefined ? {} : { scope: input.scope }) };
    const place = (path: string) => argumentOf(named, path);
    const done = await change(parts, caller, { tool: 'patch', cause: 'patch', write, wanted, argumentOf: place });
    if (isRefusal(done)) return done;
    if (!('moved' in done)) return answer(done, found, files);
    if (attempt === ATTEMPTS) return refused(parts, caller, input, unsteady(done.moved));
  }
}

function parse(input: PatchInput): Operation[] | Refusal {
  const { edits, diff } = input;
  if ((edits === undefined) === (diff === undefined)) {
    return wrongArgument(
      'edits',
      'either edits or diff',
      edits === undefined ? 'neither' : 'both',
      'Call patch with {"edits": [{"path": …, "old_string": …, "new_string": …}]} or with {"diff": …}.',
    );
  }
  return edits === undefined ? parseDiff(diff ?? '') : parseEdits(edits);
}

async function canonical(parts: Parts, operations: readonly Operation[]): Promise<Operation[] | Refusal> {
  const names = new Map<string, string>();
  for (const path of pathsOf(operations)) {
    const resolved = await parts.workspace.resolve(path, 'write');
    if (isRefusal(resolved)) return inArgument(resolved, argumentOf(operations, path));
    names.set(path, resolved);
  }
  return withPaths(operations, names);
}

/** Where the caller wrote a path. */
function argumentOf(operations: readonly Operation[], path: string): string {
  const found = operations.find((operation) => operation.path === path || operation.moveTo === path);
  if (found === undefined || !('edit' in found.source)) return 'diff';
  return `edits[${found.source.edit - 1}].${found.path === path ? 'path' : 'move_to'}`;
}

interface Work {
  readonly found: readonly Outcome[];
  readonly files: ReadonlyMap<string, (Present & { readonly mode: number }) | null>;
}

/** The files as they are now, and what the operations make of them. */
async function workOut(parts: Parts, caller: Caller, operations: readonly Operation[]): Promise<Work | Refusal> {
  const files = new Map<string, (Present & { readonly mode: number }) | null>();
  for (const path of pathsOf(operations)) {
    const looked = await parts.workspace.look(path);
    if (isRefusal(looked)) return inArgument(looked, argumentOf(operations, path));
    if (looked.kind === 'folder') {
      const argument = argumentOf(operations, path);
      return wrongArgument(argument, 'the path of a file', `the folder ${quoted(path)}`, 'Name a file in it.');
    }
    files.set(path, looked.kind === 'none' ? null : looked.file);
  }
  const bases = new Map<string, Uint8Array>();
  for (const { path, base } of staleBases(operations, files)) {
    const bytes = await parts.store.content(base);
    if (bytes !== undefined) bases.set(path, bytes);
  }
  const found = outcomes(operations, files, bases);
  if (!isRefusal(found)) return { found, files };
  await noteDrift(parts, caller, [...files.keys()]);
  return found;
}

function differs(outcome: Outcome, files: Work['files']): boolean {
  const present = files.get(outcome.path);
  if (present == null || outcome.bytes === null) return (present ?? null) !== outcome.bytes;
  return Buffer.compare(present.bytes, outcome.bytes) !== 0;
}

function asWanted(outcome: Outcome, files: Work['files']): Wanted {
  const mode = outcome.from === undefined ? undefined : files.get(outcome.from)?.mode;
  return { path: outcome.path, bytes: outcome.bytes, base: outcome.base, ...(mode === undefined ? {} : { mode }) };
}

function titleOf(paths: readonly string[]): string {
  const named = paths.slice(0, 2).join(', ');
  const more = paths.length - 2;
  return titleFrom(`Patch of ${named}${more > 0 ? ` and ${more} more` : ''}`);
}

/** A handle that is no good comes before any fault of the text: whoever mended that would be refused all the same. */
function withHandle(
  parts: Parts,
  caller: Caller,
  { scope: given }: PatchInput,
  answer: (view: View) => PatchOutput | Refusal,
): Promise<PatchOutput | Refusal> {
  return act<PatchOutput>(parts, caller, 'patch', { scopes: scopeNeeds(given) }, (draft) => {
    const own = given === undefined ? undefined : ownScope(draft, claimant(parts, caller), given);
    return { answer: isRefusal(own) ? own : answer(draft.view) };
  });
}

function refused(parts: Parts, caller: Caller, input: PatchInput, refusal: Refusal): Promise<PatchOutput | Refusal> {
  return withHandle(parts, caller, input, () => refusal);
}

/**
 * Files as the patch wants them, in which the scope has work of its own that is not published, and which others changed
 * since: that they are right as they are now is a decision of the scope, and goes on record like a change.
 */
async function approved(
  parts: Parts,
  caller: Caller,
  { scope: given }: PatchInput,
  found: readonly Outcome[],
): Promise<Outcome[]> {
  const needs = { paths: found.map(({ path }) => path), scopes: scopeNeeds(given) };
  const seen = await parts.store.view(needs, (view) => {
    const own = requireOwn(newDraft(view), claimant(parts, caller), given);
    if (isRefusal(own)) return { others: [] };
    const isOthers = ({ path, base: version }: Outcome) =>
      view.file(path)?.scope !== own.id || seemsDrifted(view, { path, version });
    return { own, others: found.filter(isOthers) };
  });
  const { own, others } = seen;
  if (own === undefined) return [];
  const rows = others.map(({ path }) => parts.store.changes({ scope: own.id, path, after: own.published, limit: 1 }));
  const changed = await Promise.all(rows);
  return others.filter((_, at) => changed[at]?.length === 1);
}

/** A retry after a lost answer: everything is as the patch wants it. */
function already(
  parts: Parts,
  caller: Caller,
  input: PatchInput,
  found: readonly Outcome[],
): Promise<PatchOutput | Refusal> {
  const files = found.map(({ path, base }) => ({ path, version: base, added: 0, removed: 0 }));
  return withHandle(parts, caller, input, ({ state }) => ({ seq: state.seq, already: true, files }));
}

function answer(done: Changed, found: readonly Outcome[], files: Work['files']): PatchOutput {
  return {
    seq: done.seq,
    files: found.map((outcome) => ({
      path: outcome.path,
      version: outcome.bytes === null ? null : digest('sha256', outcome.bytes),
      ...countChange(files.get(outcome.path)?.bytes ?? null, outcome.bytes),
      ...(outcome.rebased ? { rebased: true } : {}),
      ...(done.outside.includes(outcome.path) ? { outside: true } : {}),
    })),
    ...(done.claimed.length > 0 ? { scope: done.handle, claimed: done.claimed } : {}),
  };
}

function unsteady(paths: readonly string[]): Refusal {
  return refuse(
    'STALE_BASE',
    `${paths.join(', ')} changed again and again while this was being written.`,
    'Read the files again, then patch what is there now.',
    { paths: [...paths] },
  );
}
