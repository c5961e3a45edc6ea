import type { Event } from '../domain/event.js';
import type { ScopeId } from '../domain/scope.js';
import type { PastAttempt } from './contract.js';
import type { Parts } from './parts.js';

/** Of a scope that circled for long, the latest are told. */
const MOST = 20;
const ENDS = ['scope.expired', 'scope.failed', 'scope.released', 'scope.reopened'] as const;

/** How earlier attempts at a scope ended, oldest first. */
export async function pastAttempts({ store }: Parts, scope: ScopeId): Promise<PastAttempt[]> {
  const found = await Promise.all(
    ENDS.map((type) => store.events({ scope, type, after: 0, limit: MOST, newest: true })),
  );
  const latest = found.flat().sort((a, b) => a.seq - b.seq);
  return latest.slice(-MOST).flatMap(pastAttempt);
}

function pastAttempt({ body, wall }: Event): PastAttempt[] {
  const at = new Date(wall).toISOString();
  if (body.type === 'scope.expired') return [{ how: 'expired', agent: body.from, reason: body.reason, at }];
  if (body.type === 'scope.released') return [{ how: 'released', agent: body.from, reason: body.reason, at }];
  if (body.type === 'scope.reopened') return [{ how: 'reopened', agent: body.by, reason: body.reason, at }];
  if (body.type !== 'scope.failed') return [];
  return [{ how: 'failed', ...(body.from === undefined ? {} : { agent: body.from }), reason: body.summary, at }];
}
