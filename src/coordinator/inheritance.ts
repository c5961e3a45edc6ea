import { newest } from '../domain/outputs.js';
import { isEnded, type Scope } from '../domain/scope.js';
import type { ClaimOutput } from './contract.js';
import { scopeDiff } from './history.js';
import type { Parts } from './parts.js';

const HANDOVER_LINES = 200;

/** The outputs of the scopes that a scope consumes, as far as they are done; of what was published again, the newest. */
export async function inputs(parts: Parts, scope: Scope): Promise<Pick<ClaimOutput, 'inputs'>> {
  const { consumes } = scope.contract;
  if (consumes.length === 0) return {};
  const found = await parts.store.view({ scopes: consumes }, (view) => consumes.map((id) => view.scope(id)));
  const artifacts = found.flatMap((other) =>
    newest(other?.artifacts ?? []).map((artifact) => ({
      ...artifact,
      scope: other?.id ?? '',
      ...(other?.summary === undefined ? {} : { summary: other.summary }),
    })),
  );
  return { inputs: artifacts };
}

/** Inputs that have failed or were lost, for good or until somebody tries again, and why. */
export async function failedInputs(parts: Parts, { pending }: Scope): Promise<Pick<ClaimOutput, 'failed'>> {
  if (pending.length === 0) return {};
  const found = await parts.store.view({ scopes: pending }, (view) => pending.map((id) => view.scope(id)));
  const failed = found
    .filter((scope) => scope !== undefined)
    .filter((scope) => isEnded(scope.status) || scope.attempts > 0);
  if (failed.length === 0) return {};
  return { failed: failed.map(failure) };
}

function failure({ id, contract, status, attempts, summary, handover }: Scope) {
  const reason = isEnded(status) ? summary : handover?.note;
  return { id, title: contract.title, status, attempts, ...(reason === undefined ? {} : { reason }) };
}

/** What a former owner left behind: who, why, and the difference that its changes made. */
export async function handover(parts: Parts, scope: Scope): Promise<Pick<ClaimOutput, 'handover'>> {
  if (scope.handover === undefined) return {};
  const { from, note, until } = scope.handover;
  const diff = await scopeDiff(parts, scope.id, { until, maxLines: HANDOVER_LINES });
  return { handover: { from, note, diff } };
}
