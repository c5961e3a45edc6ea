import { z } from 'zod';
import { PHASES, STATUSES } from '../domain/scope.js';
import { DEFAULTS } from '../domain/settings.js';
import { claimInput, publishInput, releaseInput } from './inputs.js';
import { planScope } from './plan.js';
import { handle, KB, label, path, prose } from './text.js';

/** What programs send to the control plane. Objects are strict: an unknown field is refused by its name. */

const cursor = label(64).exactOptional().describe('next of the page before');
const limit = z.coerce.number().int().min(1).max(500).exactOptional().describe('Default 100');
const reason = prose(10 * KB).exactOptional();

export const scopeParams = z.strictObject({
  id: label(64)
    .refine((id) => !id.includes('-'), { error: 'an id without its secret, which belongs in the body' })
    .describe('Such as S012'),
});
export const runParams = z.strictObject({ id: label(64).describe('Such as R012') });
export const artifactParams = z.strictObject({ hash: label(64).describe('SHA-256 of its content') });

export const declaration = planScope.omit({ key: true });
export const plan = z.strictObject({
  scopes: z.array(planScope).min(1).max(DEFAULTS.maxPlan).describe('All are declared, or none'),
});
export const declareBody = z.union([declaration, plan], { error: 'a scope, or scopes' });

export const scopesQuery = z.strictObject({
  status: z.enum(STATUSES).exactOptional(),
  phase: z.enum(PHASES).exactOptional(),
  path: path.exactOptional().describe('Only scopes that hold it or wait for it'),
  parent: handle.exactOptional().describe('Only parts of this scope'),
  cursor,
  limit,
});

const amendable = planScope.omit({ key: true, parent: true }).shape;

/** Fields of the contract; or a status, with its reason. */
export const amendBody = z
  .strictObject({
    ...amendable,
    title: amendable.title.exactOptional(),
    status: z
      .enum(['paused', 'open', 'cancelled'])
      .exactOptional()
      .describe('open resumes what is paused and reopens what has failed or was cancelled'),
    reason,
  })
  .refine(({ status, reason: _, ...fields }) => (status === undefined) === Object.keys(fields).length > 0, {
    error: 'fields of the contract, or a status with its reason',
  });

const { title: _, produces: __, phase, ...claim } = claimInput.shape;

export const claimBody = z.strictObject({
  ...claim,
  scope: handle.exactOptional().describe('Your handle: to add units or go on waiting'),
});
export const nextBody = z.strictObject({ phase, agent: claim.agent, mode: claim.mode, wait_s: claim.wait_s });
export const outputBody = publishInput;
export const releaseBody = z.strictObject({
  ...releaseInput.shape,
  scope: handle.exactOptional().describe('Your handle; without it, an operator takes the scope away from its owner'),
});
export const noteBody = z.strictObject({
  text: prose(10 * KB).refine((value) => value.trim() !== '', { error: 'text that is not empty' }),
});

export const undoBody = z.strictObject({
  reason,
  conflict: z
    .boolean()
    .exactOptional()
    .describe('Where others built on it: open a scope in which somebody brings both together'),
});

export const blameQuery = z.strictObject({ path: path.describe('A file, or lines of it: src/a.ts:120-180') });

export const artifactsQuery = z.strictObject({
  scope: handle.exactOptional().describe('Only artifacts of this scope'),
  path: path.exactOptional(),
  type: label(100).exactOptional(),
  hash: label(64).exactOptional(),
  cursor,
  limit,
});
