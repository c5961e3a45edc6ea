import { knownUnit } from '../domain/blockers.js';
import type { Draft } from '../domain/draft.js';
import type { FileChange } from '../domain/event.js';
import { covers } from '../domain/overlap.js';
import { type Occasion, raise } from '../domain/raise.js';
import { isRefusal } from '../domain/refusal.js';
import type { Hash, Scope, ScopeId } from '../domain/scope.js';
import { parseUnit } from '../domain/unit.js';
import type { View } from '../domain/view.js';
import { merge3 } from './merge.js';
import type { Parts } from './parts.js';

/** An edit made around Signalbox, of a file that somebody is at work on. */
export interface Edited {
  readonly path: string;
  readonly holder: ScopeId;
  /** The lines that the scope has changed itself were edited. */
  readonly overlaps: boolean;
  /** There is no file any more. */
  readonly deleted: boolean;
  /** The commit that was checked out, where that is what edited the file. */
  readonly checkout?: string;
}

/** What edits from outside mean for whoever holds the files. Nothing is recorded yet. */
export async function edited(
  parts: Parts,
  files: readonly (FileChange & { readonly bytes: Uint8Array | null })[],
): Promise<Edited[]> {
  const held = await parts.store.view({}, (view) =>
    files.flatMap((file) => {
      const holder = writer(view, file.path);
      return holder === undefined ? [] : [{ ...file, holder: holder.id }];
    }),
  );
  return Promise.all(
    held.map(async ({ path, holder, before, bytes }): Promise<Edited> => {
      const overlaps = await touchesOwn(parts, holder, path, before, bytes);
      const checkout = overlaps ? await parts.git?.committedAs(path, bytes) : undefined;
      return { path, holder, overlaps, deleted: bytes === null, ...(checkout === undefined ? {} : { checkout }) };
    }),
  );
}

/** Tells the holders; what overlaps their own changes becomes a conflict scope, one for a checkout or a file. */
export function tell(decision: Draft, edits: readonly Edited[], files: readonly FileChange[]): void {
  const causes = new Map<string, { readonly edit: Edited; readonly paths: string[]; readonly sides: Hash[] }>();
  for (const edit of edits) {
    const file = files.find(({ path }) => path === edit.path);
    if (file === undefined || !decision.view.state.scopes.has(edit.holder)) continue;
    if (!edit.overlaps) {
      const what = edit.deleted ? 'deleted' : 'edited';
      const text = `${edit.path} was ${what} outside Signalbox; read it again before you go on with it`;
      decision.emit({ type: 'scope.noted', scope: edit.holder, from: 'signalbox', text });
      continue;
    }
    const cause = edit.checkout === undefined ? `outside:${edit.path}` : `checkout:${edit.checkout}:${edit.holder}`;
    const known = causes.get(cause) ?? { edit, paths: [], sides: [] };
    known.paths.push(edit.path);
    known.sides.push(...[file.before, file.after].filter((hash) => hash !== null));
    causes.set(cause, known);
  }
  for (const [cause, { edit, paths, sides }] of causes) raise(decision, collided(cause, edit, paths, sides));
}

function collided(
  cause: string,
  { holder, deleted, checkout }: Edited,
  paths: readonly string[],
  sides: readonly Hash[],
): Occasion {
  const who = checkout === undefined ? 'somebody outside Signalbox' : `a checkout of ${checkout.slice(0, 10)}`;
  const did = deleted ? `deleted what ${holder} had changed` : `changed lines of ${holder}`;
  return {
    cause,
    title: `Conflict in ${paths[0]?.slice(-120)}${paths.length > 1 ? ` and ${paths.length - 1} more` : ''}: ${who} ${did}`,
    note: `Both changed the same lines. The text of ${holder} and the one that is there now, if there is one, for each file: ${sides.map((hash) => `artifact:${hash}`).join(' ')}. Bring them together.`,
    phase: 'iterate',
    units: paths,
    conflict: { between: [holder], paths, sides },
  };
}

/** The live scope that holds a file for writing. */
export function writer(view: View, path: string): Scope | undefined {
  const unit = parseUnit(path, view.settings.folds);
  if (isRefusal(unit)) return undefined;
  const holds = view.state.locks
    .overlapping(unit)
    .find((entry) => entry.mode === 'write' && covers(knownUnit(entry.unit, view.settings.folds), path));
  return holds && view.state.scopes.get(holds.scope);
}

/** Whether an edit would not fit the file as it was before the scope changed it: then it touches the scope's own lines. */
async function touchesOwn(
  parts: Parts,
  scope: ScopeId,
  path: string,
  known: Hash | null,
  edit: Uint8Array | null,
): Promise<boolean> {
  const [first] = await parts.store.changes({ scope, path, limit: 1 });
  if (first === undefined) return false;
  const content = async (hash: Hash | null) => (hash === null ? null : ((await parts.store.content(hash)) ?? null));
  const [before, present] = await Promise.all([content(first.before), content(known)]);
  return merge3(present, before, edit) === undefined;
}
