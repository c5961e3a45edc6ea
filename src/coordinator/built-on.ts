import { hash as digest } from 'node:crypto';
import { raise } from '../domain/raise.js';
import { isRefusal, listed, type Refusal, refuse } from '../domain/refusal.js';
import type { Hash, Scope, ScopeId } from '../domain/scope.js';
import type { Caller } from './contract.js';
import { act, type Parts } from './parts.js';
import { presentFile } from './present.js';
import type { TakenBack } from './take-back.js';
import { undoneBy } from './undone.js';
import { unitOfPath } from './units.js';

const MOST = 1_000;
const SHOWN = 20;

/** Whose work does not stand without that of a scope. */
export interface Builder {
  /** Undefined for edits from outside. */
  readonly scope?: ScopeId;
  readonly agent?: string;
  readonly title?: string;
  /** Files in which it changed the scope's own lines. */
  readonly paths: readonly string[];
  /** It is done, and worked from the scope's outputs. */
  readonly consumes: boolean;
}

/** Who built on what a scope changed: in the text, or with its outputs. */
export async function buildersOn(parts: Parts, id: ScopeId, { builtOn }: TakenBack): Promise<Builder[]> {
  const pathsOf = new Map<ScopeId | null, string[]>();
  for (const [path, all] of builtOn) for (const by of all) pathsOf.set(by, [...(pathsOf.get(by) ?? []), path]);
  const consumers = new Set<ScopeId>();
  for (const done of await parts.store.scopes({ status: 'done', consumes: id, limit: MOST })) {
    if ((await undoneBy(parts, done.id)) === undefined) consumers.add(done.id);
  }
  const builders: Builder[] = [];
  for (const by of new Set([...pathsOf.keys(), ...consumers])) {
    const paths = pathsOf.get(by) ?? [];
    if (by === null) builders.push({ paths, consumes: false });
    else builders.push({ scope: by, ...(await knownOf(parts, by)), paths, consumes: consumers.has(by) });
  }
  return builders;
}

/** An ended scope has no owner any more: the last one stands in the ledger. */
async function knownOf(parts: Parts, id: ScopeId): Promise<{ readonly agent?: string; readonly title?: string }> {
  const title = await parts.store.view({ scopes: [id] }, (view) => view.scope(id)?.contract.title);
  const query = { scope: id, type: 'scope.granted', after: 0, limit: 1, newest: true } as const;
  const [grant] = await parts.store.events(query);
  return {
    ...(title === undefined ? {} : { title }),
    ...(grant?.body.type === 'scope.granted' ? { agent: grant.body.owner.agent } : {}),
  };
}

/** BLOCKED: it cannot be undone by itself, and these are the reasons. */
export function isBuiltOn({ id }: Scope, builders: readonly Builder[]): Refusal {
  const next = `Undo those first; or let somebody bring both together, in a conflict scope: \`signalbox undo ${id} --conflict\`, or {"conflict": true} over REST.`;
  return refuse('BLOCKED', `${reasons(builders)} built on ${id}; nothing was undone.`, next, {
    scope: id,
    built_on: builders.map(({ paths, ...rest }) => ({ ...rest, paths: [...paths] })),
  });
}

function reasons(builders: readonly Builder[]): string {
  return listed(
    builders.map(({ scope, agent, title, paths, consumes }) => {
      const who =
        scope === undefined ? 'somebody outside Signalbox' : `${scope} (${agent ?? 'nobody'}: ${title ?? ''})`;
      return `${who} ${[...(paths.length > 0 ? [`in ${listed(paths)}`] : []), ...(consumes ? ['with its outputs'] : [])].join(' and ')}`;
    }),
  );
}

/** Opens the scope in which somebody brings out what one scope changed and keeps what was built on it; one for one scope. */
export async function raiseConflict(
  parts: Parts,
  caller: Caller,
  scope: Scope,
  back: TakenBack,
  builders: readonly Builder[],
): Promise<{ readonly id: ScopeId; readonly paths: readonly string[] } | Refusal> {
  const { id, contract } = scope;
  const paths = back.builtOn.size > 0 ? [...back.builtOn.keys()] : back.wanted.map(({ path }) => path);
  const sides: Hash[] = [];
  for (const path of paths) sides.push(...(await sidesOf(parts, id, path)));
  const cause = `undo:${id}`;
  const shown = sides.slice(0, 2 * SHOWN).map((hash) => `artifact:${hash}`);
  const occasion = {
    cause,
    title: `Undo ${id}, on which others built: ${contract.title}`,
    note: `${reasons(builders)} built on ${id}. The text before ${id} and the one that is there now, for each file: ${shown.join(' ')}. Bring out what ${id} changed, and keep the rest.`,
    phase: 'iterate' as const,
    units: [...new Set(paths.map((path) => unitOfPath(path, parts.workspace.folds)))],
    parent: id,
    conflict: { between: [id, ...builders.flatMap((builder) => builder.scope ?? [])], paths, sides },
  };
  const raised = await act<ScopeId>(parts, caller, 'undo', { scopes: [id] }, (draft) => {
    const alive = draft.view.state.scopes.find((other) => other.contract.cause === cause);
    return { answer: alive?.id ?? raise(draft, occasion) ?? id };
  });
  return isRefusal(raised) ? raised : { id: raised, paths };
}

/** The file before the scope changed it, and as it is now. What is not there has no content. */
async function sidesOf(parts: Parts, scope: ScopeId, path: string): Promise<Hash[]> {
  const [first] = await parts.store.changes({ scope, path, limit: 1 });
  const present = parts.workspace.isFolder(path) ? undefined : await presentFile(parts, path);
  const bytes = present === undefined || isRefusal(present) ? null : present.bytes;
  // An edit from outside may not be on record yet.
  if (bytes !== null) await parts.store.keep([{ hash: digest('sha256', bytes), bytes }]);
  return [first?.before ?? null, bytes === null ? null : digest('sha256', bytes)].filter((hash) => hash !== null);
}
