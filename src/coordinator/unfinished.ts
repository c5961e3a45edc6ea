import { type Draft, draft } from '../domain/draft.js';
import type { IntentId, Publication, StoredPublication } from '../domain/intent.js';
import { isEnded, type Scope } from '../domain/scope.js';
import { fateOf } from '../processes/identity.js';
import type { Git } from '../workspace/git/git.js';
import type { Parts } from './parts.js';

/** A publication takes well under this, in milliseconds of lock time; one that is taken apart too early is merely refused. */
const AGE = 15_000;
/** The git that a killed process had started may still come to its end, in milliseconds of lock time. */
const LAST_WORDS = 2_000;
const SERVER = { agent: 'signalbox', connection: 'recovery' };

/**
 * Settles publications that were cut off between git's commit and ours, by a kill or a failing disk: where the commit was made, it is put on
 * record; where it was not, nothing happened. Git's index lock is let go in both cases.
 *
 * @param failed of which this process knows that nothing of it is under way any more.
 * @returns those that are under way, or too young to be told from such.
 */
export async function settleUnfinished(parts: Parts, ...failed: readonly IntentId[]): Promise<StoredPublication[]> {
  const { git } = parts;
  if (git === undefined) return [];
  const [all, silent, old] = await Promise.all([0, LAST_WORDS, AGE].map((age) => parts.store.unfinished(age)));
  const over = new Set([...failed, ...[...(silent ?? []).filter(isOrphan), ...(old ?? [])].map(({ id }) => id)]);
  const left: StoredPublication[] = [];
  for (const publication of all ?? []) {
    if (!over.has(publication.id)) {
      left.push(publication);
      continue;
    }
    const outcome = await settle(parts, publication, () => git.recover(publication.commit));
    await parts.store.settle(publication.id);
    parts.log(`an interrupted publication of ${publication.scope} was ${outcome}`);
  }
  return left;
}

/** The same for one that has just failed here, as far as the disk lets it; where it does not, the next look does it. */
export async function settleFailed(parts: Parts, id: IntentId): Promise<void> {
  try {
    await settleUnfinished(parts, id);
  } catch (error) {
    parts.log(`a publication that failed is settled later: ${String(error)}`);
  }
}

function isOrphan({ commit }: StoredPublication): boolean {
  return commit.maker !== undefined && fateOf(commit.maker) === 'gone';
}

type Recover = () => ReturnType<Git['recover']>;

/** Under the write lock: of several servers that find the same one, only the first has something to do. */
async function settle(parts: Parts, { scope: id, commit: planned }: StoredPublication, recover: Recover) {
  let outcome: ReturnType<Recover> = 'dropped';
  await parts.store.transact(SERVER, { scopes: [id] }, (tx) => {
    const decision = draft(tx);
    outcome = recover();
    const scope = tx.scope(id);
    if (outcome === 'published' && scope !== undefined) putOnRecord(decision, scope, planned);
    return { events: decision.events, answer: undefined };
  });
  return outcome;
}

function putOnRecord(decision: Draft, scope: Scope, { commit, through }: Publication['commit']): void {
  if (isEnded(scope.status) || scope.commit === commit) return;
  const summary = 'Committed by a server that could not say so any more.';
  const until = through === undefined ? {} : { through };
  decision.emit({ type: 'scope.progressed', scope: scope.id, summary, artifacts: [], commit, ...until });
}
