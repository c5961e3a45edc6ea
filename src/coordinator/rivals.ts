import type { Rival } from '../domain/same-output.js';
import type { Artifact, Scope } from '../domain/scope.js';
import type { ArtifactRow } from '../store/store.js';
import type { Parts } from './parts.js';

/** Artifacts at one path that are looked through, from the newest. */
const MOST = 100;

/**
 * What others have published at the paths of these outputs while the scope was at work. Asked for just before the publication:
 * with a commit on its way, nobody else can publish in between.
 */
export async function rivalsOf(parts: Parts, own: Scope, outputs: readonly Pick<Artifact, 'path'>[]): Promise<Rival[]> {
  const found: (ArtifactRow & { readonly path: string })[] = [];
  for (const path of new Set(outputs.flatMap((output) => output.path ?? []))) {
    for (const row of await parts.store.artifacts({ path, limit: MOST, newest: true })) {
      if (row.scope === own.id || !(await wasAtWork(parts, own, row.seq))) break;
      found.push({ ...row, path });
    }
  }
  const ids = [...new Set(found.map(({ scope }) => scope))];
  return parts.store.view({ scopes: ids }, (view) =>
    found.flatMap(({ path, hash, scope: id }) => {
      const scope = view.scope(id);
      return scope === undefined || scope.status === 'failed' ? [] : [{ path, hash, scope }];
    }),
  );
}

/** Whether its owner had the scope already when this event was recorded. */
async function wasAtWork(parts: Parts, { id, tenure }: Scope, until: number): Promise<boolean> {
  const query = { scope: id, type: 'scope.granted', after: 0, until, limit: 1, newest: true } as const;
  const [grant] = await parts.store.events(query);
  return grant?.body.type === 'scope.granted' && grant.body.generation >= tenure;
}
