import { hash as digest } from 'node:crypto';
import { parseHandle } from '../domain/handle.js';
import { type Refusal, refuse } from '../domain/refusal.js';
import { artifactNumber, type Scope, type ScopeId } from '../domain/scope.js';
import type { ArtifactRow, RunRow } from '../store/store.js';
import { noScope, wrongCursor } from './argument.js';
import type { ArtifactPage, ArtifactRecord, ArtifactsInput, Stored } from './control-plane-contract.js';
import { expired } from './expired.js';
import { paged, pageSize } from './page.js';
import type { Parts } from './parts.js';

const HASH = /^[0-9a-f]{10,64}$/;

/** Artifacts with where they come from, oldest first. */
export async function artifacts(parts: Parts, input: ArtifactsInput): Promise<ArtifactPage | Refusal> {
  const { cursor, limit, scope, ...rest } = input;
  const number = cursor === undefined ? 0 : artifactNumber(cursor);
  if (number === undefined) return wrongCursor(cursor ?? '');
  const id = scope === undefined ? undefined : parseHandle(scope)?.id;
  if (scope !== undefined && id === undefined) return noScope('scope', scope);
  const size = pageSize(limit);
  const query = { ...rest, ...(id === undefined ? {} : { scope: id }) };
  const rows = await parts.store.artifacts({ ...query, after: number, limit: size + 1 });
  const { items, next } = paged(rows, size);
  return { artifacts: await traced(parts, items), ...(next === undefined ? {} : { next }) };
}

/** Artifacts with what their scopes worked from. */
export async function traced(parts: Parts, rows: readonly ArtifactRow[]): Promise<ArtifactRecord[]> {
  const makers = await scopesById(parts, new Set(rows.map(({ scope }) => scope)));
  const consumed = new Set([...makers.values()].flatMap(({ contract }) => contract.consumes));
  const sources = await scopesById(parts, consumed);
  return rows.map(({ supersededBy, ...row }) => ({
    ...row,
    inputs: inputsOf(makers.get(row.scope), sources),
    ...(supersededBy === undefined ? {} : { superseded_by: supersededBy }),
  }));
}

async function scopesById(parts: Parts, ids: ReadonlySet<ScopeId>): Promise<Map<ScopeId, Scope>> {
  const found = await parts.store.view({ scopes: [...ids] }, (view) => [...ids].map((id) => view.scope(id)));
  return new Map(found.filter((scope) => scope !== undefined).map((scope) => [scope.id, scope]));
}

function inputsOf(maker: Scope | undefined, sources: ReadonlyMap<ScopeId, Scope>): ArtifactRecord['inputs'] {
  const { inputs = [], consumes = [] } = maker?.contract ?? {};
  const found = consumes.flatMap((scope) =>
    (sources.get(scope)?.artifacts ?? []).map(({ id, hash }) => ({ id, scope, hash })),
  );
  return { references: inputs, artifacts: found };
}

/** What is stored under a hash, or under so much of it that no other begins alike (10 characters at the least). */
export async function storedContent(parts: Parts, given: string): Promise<Stored | Refusal> {
  const bytes = HASH.test(given) ? await parts.store.content(given) : undefined;
  if (bytes !== undefined) return { hash: digest('sha256', bytes), bytes };
  const [maker] = HASH.test(given) ? await parts.store.runs({ artifact: given, limit: 1 }) : [];
  if (maker !== undefined) return expiredOf(maker, given);
  return refuse(
    'NOT_FOUND',
    `There is no artifact:${given.slice(0, 80)}.`,
    'Take the hash from run, claim_scope, publish_output or list_scopes.',
    { path: `artifact:${given.slice(0, 80)}` },
  );
}

/** Only what commands print and change expires while it can be named; what is published is kept. */
function expiredOf({ run, log }: RunRow, given: string): Refusal {
  const what = log?.startsWith(given) ? 'printed' : 'changed';
  const next = 'Run the command again.';
  return expired(`artifact:${given}, what ${run} ${what},`, next, { path: `artifact:${given}`, run });
}
