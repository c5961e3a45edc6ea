import { draft } from '../domain/draft.js';
import { MOST_FILES_TOGETHER } from '../domain/file-limits.js';
import { tooManyUnits } from '../domain/grant.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import { allowWrite } from '../domain/write.js';
import type { Caller } from './contract.js';
import { claimant, type Parts, scopeNeeds } from './parts.js';

/** So many paths are looked at before others get their turn. */
const STRETCH = 200;

/** What a scope may change of what its command wrote. */
export interface Allowed {
  /** What it holds comes first, then what is free. */
  readonly paths: readonly string[];
  readonly free: ReadonlySet<string>;
  readonly refused: ReadonlyMap<string, string>;
}

export function reasonOf({ code, sentence, next }: Refusal): string {
  return `${code}: ${sentence} ${next}`;
}

/** Each path for itself: one that is not allowed says nothing about the others. */
export async function allowedPaths(
  parts: Parts,
  caller: Caller,
  { own, handle }: { readonly own: Scope; readonly handle: string },
  paths: readonly string[],
): Promise<Allowed> {
  const refused = new Map<string, string>();
  const held: string[] = [];
  const free: string[] = [];
  for (const path of paths) {
    const no = await misled(parts, path);
    if (no !== undefined) refused.set(path, no);
  }
  const straight = paths.filter((path) => !refused.has(path));
  const needs = { scopes: scopeNeeds(handle) };
  for (let at = 0; at < straight.length; at += STRETCH) {
    await parts.store.view(needs, (view) => {
      for (const path of straight.slice(at, at + STRETCH)) {
        const allowed = allowWrite(draft(view), claimant(parts, caller), { paths: [path], title: path, scope: handle });
        if (isRefusal(allowed)) refused.set(path, reasonOf(allowed));
        else (allowed.claimed.length === 0 ? held : free).push(path);
      }
    });
  }
  const no = await tooManyFree(parts, own, free);
  if (no !== undefined) for (const path of free) refused.set(path, no);
  const all = no === undefined ? [...held, ...free] : held;
  for (const path of all.slice(MOST_FILES_TOGETHER)) refused.set(path, tooMany(all.length));
  return { paths: all.slice(0, MOST_FILES_TOGETHER), free: new Set(free), refused };
}

/** Why a path is not the file that it names. */
async function misled({ workspace }: Parts, path: string): Promise<string | undefined> {
  const resolved = await workspace.resolve(path, 'write');
  if (isRefusal(resolved)) return reasonOf(resolved);
  if (resolved === path) return undefined;
  return `INVALID: it is, or lies behind, a symbolic link to ${resolved}, and links are not changed; change that file itself`;
}

/** Why the free paths cannot be claimed with the writes: all of them or none, so that a scope is not filled up by halves. */
async function tooManyFree(parts: Parts, { id }: Scope, free: readonly string[]): Promise<string | undefined> {
  const no = await parts.store.view({}, (view) => {
    const scope = view.state.scopes.get(id);
    return scope && tooManyUnits(draft(view), scope, free);
  });
  return no && reasonOf({ ...no, next: 'Claim their folders with claim_scope, then run the command again.' });
}

function tooMany(count: number): string {
  return (
    `LIMIT: the writes of a command are kept up to ${MOST_FILES_TOGETHER} files, and it wrote ${count}; ` +
    'run it again for the rest, or on one folder after the other'
  );
}
