import { draft } from '../domain/draft.js';
import type { StoredIntent } from '../domain/intent.js';
import { isEnded } from '../domain/scope.js';
import type { Parts } from './parts.js';

/** A publication takes well under this, in milliseconds of lock time; one that is taken apart too early is merely refused. */
const AGE = 15_000;
const SERVER = { agent: 'signalbox', connection: 'recovery' };

/**
 * Settles publications whose process was killed between git's commit and ours: where the commit was made, it is put on
 * record; where it was not, nothing happened. Git's index lock is let go in both cases.
 */
export async function settleUnfinished(parts: Parts): Promise<void> {
  if (parts.git === undefined) return;
  for (const intent of await parts.store.unfinished(AGE)) {
    if (intent.commit === undefined) continue;
    const outcome = await parts.git.recover(intent.commit);
    if (outcome === 'published') await putOnRecord(parts, intent, intent.commit.commit);
    await parts.store.settle(intent.id);
    parts.log(`an interrupted publication of ${intent.scope ?? 'a scope'} was ${outcome}`);
  }
}

async function putOnRecord(parts: Parts, intent: StoredIntent, commit: string): Promise<void> {
  const { scope: id } = intent;
  if (id === undefined) return;
  await parts.store.transact(SERVER, { scopes: [id] }, (tx) => {
    const decision = draft(tx);
    const scope = tx.scope(id);
    if (scope !== undefined && !isEnded(scope.status) && scope.commit !== commit) {
      const summary = 'Committed by a server that was killed before it could say so.';
      decision.emit({ type: 'scope.progressed', scope: id, summary, artifacts: [], commit });
    }
    return { events: decision.events, answer: undefined };
  });
}
