import { RAISER } from './agent-name.js';
import type { Draft } from './draft.js';
import { type Conflict, conflictsOver, type KnownConflict, type Occasion, raise } from './raise.js';
import { isRefusal, type Refusal } from './refusal.js';
import type { Artifact, Hash, Scope } from './scope.js';

/** An output that has its place. */
export interface Placed {
  readonly path: string;
  readonly hash: Hash;
}

/** What another scope has published at the same path while this one was at work. */
export interface Rival extends Placed {
  readonly scope: Scope;
}

/**
 * Two scopes that are at work at once and give the same output, neither of which builds on the other: that is a conflict as
 * soon as the first of them publishes it. What comes one after the other is none, nor is a newer version of one's own.
 * Called before the publication is on record. Returns why no scope could be opened.
 */
export function raiseSameOutputs(
  draft: Draft,
  own: Scope,
  outputs: readonly Pick<Artifact, 'path' | 'hash'>[],
  rivals: readonly Rival[],
): Refusal[] {
  const placed = new Map(outputs.flatMap(({ path, hash }) => (path === undefined ? [] : [[path, hash]])));
  return [...placed].flatMap(([path, hash]) => {
    if (publishedAt(own, path) !== undefined) return [];
    const others = [...atWork(draft, own, { path, hash }), ...before(own, { path, hash }, rivals)];
    const raised = meet(draft, own, { path, hash }, others);
    return isRefusal(raised) ? [raised] : [];
  });
}

/** Another scope that gives the same, and what it has published of it. */
interface Other {
  readonly scope: Scope;
  readonly hash: Hash | undefined;
}

function atWork({ view }: Draft, own: Scope, { path, hash }: Placed): Other[] {
  const active = [...view.state.scopes.values()].filter(
    ({ status, owner }) => status === 'active' && owner !== undefined,
  );
  return active
    .filter((scope) => scope.id !== own.id && gives(scope, path) && !areRelated(own, scope))
    .map((scope) => ({ scope, hash: publishedAt(scope, path) }))
    .filter((other) => other.hash !== hash);
}

/** Where it was to give this output itself, whoever published it before has met it then. */
function before(own: Scope, { path, hash }: Placed, rivals: readonly Rival[]): Other[] {
  if (gives(own, path)) return [];
  return rivals.filter((rival) => rival.path === path && rival.hash !== hash && !areRelated(own, rival.scope));
}

function meet(draft: Draft, own: Scope, output: Placed, others: readonly Other[]): Refusal | undefined {
  const met = {
    between: distinct([own, ...others.map(({ scope }) => scope)].map(({ id }) => id)),
    paths: [output.path],
    sides: distinct([output, ...others].flatMap(({ hash }) => hash ?? [])),
  };
  const cause = `output:${output.path}`;
  const known = conflictsOver(draft.view, output.path).find(
    ({ scope, conflict }) => scope.contract.cause === cause || (others.length > 0 && conflict.between.includes(own.id)),
  );
  if (known !== undefined) join(draft, own, known, met);
  if (known !== undefined || others.length === 0) return undefined;
  const raised = raise(draft, occasionOf(cause, met));
  if (isRefusal(raised)) return raised;
  for (const { scope } of others) {
    const text = `${own.id} has published ${output.path}, which you give too: ${raised} is open to bring it together`;
    if (draft.view.state.scopes.has(scope.id)) draft.emit({ type: 'scope.noted', scope: scope.id, from: RAISER, text });
  }
  return undefined;
}

function occasionOf(cause: string, conflict: Conflict): Occasion {
  const [who, paths] = [conflict.between.join(' and '), conflict.paths.join(', ')];
  return {
    cause,
    title: `Conflict in ${paths.slice(-120)}: an output of ${who}`,
    note: `${who} were at work at the same time, and neither builds on the other. Published: ${named(conflict)}. Bring it together.`,
    phase: 'iterate',
    units: conflict.paths,
    conflict,
  };
}

/** One more side of a conflict that is known. What a conflict scope itself publishes is none. */
function join(draft: Draft, own: Scope, { scope, conflict }: KnownConflict, met: Conflict): void {
  const isMet = met.between.length > 1 || conflict.between.includes(own.id);
  if (scope.id === own.id || !isMet) return;
  const { id, contract, pending } = scope;
  const joined = {
    between: distinct([...conflict.between, ...met.between]),
    paths: conflict.paths,
    sides: distinct([...conflict.sides, ...met.sides]),
  };
  const note = `${contract.note} ${own.id} has published: ${named(met)}.`;
  const amended = { ...contract, conflict: joined, note };
  draft.emit({ type: 'scope.amended', scope: id, contract: amended, pending, by: RAISER });
}

function named({ sides }: Conflict): string {
  return sides.map((hash) => `artifact:${hash}`).join(' ');
}

function distinct<T>(all: readonly T[]): T[] {
  return [...new Set(all)];
}

/** Whether a scope is to give an output at this path, or has given one. */
function gives(scope: Scope, path: string): boolean {
  return scope.contract.produces.some((product) => product.path === path) || publishedAt(scope, path) !== undefined;
}

function publishedAt({ artifacts }: Scope, path: string): Hash | undefined {
  return artifacts.findLast((artifact) => artifact.path === path)?.hash;
}

/** One builds on the other, is a part of it, or settles what it collided with. */
function areRelated(a: Scope, b: Scope): boolean {
  return buildsOn(a, b) || buildsOn(b, a);
}

function buildsOn({ contract: { consumes, parent, conflict } }: Scope, { id }: Scope): boolean {
  return consumes.includes(id) || parent === id || conflict?.between.includes(id) === true;
}
