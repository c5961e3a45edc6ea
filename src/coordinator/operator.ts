import { draft } from '../domain/draft.js';
import { releaseByOperator } from '../domain/end.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import { type Parts, refusedEvent, scopeNeeds } from './parts.js';

/** What a person at the console or the command line may do beyond what agents may. Each is an event with the person's name. */
export interface Operator {
  readonly name: string;
}

export async function operatorRelease(
  parts: Parts,
  operator: Operator,
  scope: string,
  reason: string,
): Promise<Scope | Refusal> {
  const author = { agent: operator.name, connection: 'operator' };
  const { answer } = await parts.store.transact(author, { scopes: scopeNeeds(scope) }, (tx) => {
    const decision = draft(tx);
    const answer = releaseByOperator(decision, scope, operator.name, reason);
    if (isRefusal(answer)) decision.emit(refusedEvent('release', answer));
    return { events: decision.events, answer };
  });
  return answer;
}
