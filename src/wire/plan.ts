import { z } from 'zod';
import { PHASES } from '../domain/scope.js';
import { unknownKey } from './names.js';
import { fault } from './parse.js';
import { handle, KB, label, MAX_LIST, path, prose, scopeIds, units } from './text.js';

const MAX_PRIORITY = 1_000_000;

const sentences = z.array(prose(KB).min(1)).max(MAX_LIST);
const product = z.strictObject({ path, type: label(100) });

/** One scope as people and plans declare it: its whole contract. */
export const planScope = z.strictObject({
  key: label(64).exactOptional().describe('By which consumes and parent of other scopes of the plan name it'),
  title: label(200),
  phase: z.enum(PHASES).exactOptional().describe('Default build'),
  units: units.exactOptional().describe('Files, folders/, globs and processes that it needs'),
  inputs: z.array(label(200)).max(MAX_LIST).exactOptional().describe('What it works from, such as REQ-003'),
  consumes: scopeIds.exactOptional().describe('Keys or scope ids whose outputs it needs first'),
  produces: z
    .array(z.union([path, product], { error: 'a path, or a path with a type' }))
    .max(MAX_LIST)
    .exactOptional()
    .describe('Files that it will publish'),
  non_goals: sentences.exactOptional(),
  done: sentences.exactOptional().describe('The definition of done, in words'),
  checks: z
    .array(prose(10 * KB).min(1))
    .max(MAX_LIST)
    .exactOptional()
    .describe('Commands that have to succeed before it is done'),
  priority: z.int().min(-MAX_PRIORITY).max(MAX_PRIORITY).exactOptional().describe('Higher comes first; default 0'),
  parent: handle.exactOptional().describe('Key or scope id of the scope that it is a part of'),
  note: prose(10 * KB)
    .exactOptional()
    .describe('What is to be done'),
});

/** A whole plan: what `scopes import` reads and `scopes export` writes. */
export const planSchema = z.strictObject({
  version: z.literal(1),
  scopes: z.array(planScope),
});

export type Plan = z.infer<typeof planSchema>;

/** One thing that is wrong with a plan, and where. */
export interface PlanFault {
  readonly place: string;
  readonly reason: string;
}

/** A document → the plan that it is, or all that is wrong with it. */
export function parsePlan(document: unknown): Plan | readonly PlanFault[] {
  const parsed = planSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  return parsed.error.issues.flatMap((issue): PlanFault[] => {
    const { place, expected, got } = fault(issue, document);
    if (issue.code !== 'unrecognized_keys') return [{ place, reason: `expected ${expected}, got ${got}` }];
    return issue.keys.map((key) => ({ place, reason: unknownKey('', key, keysAt(issue.path)) }));
  });
}

function keysAt(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return Object.keys(planSchema.shape);
  return Object.keys(path.length > 2 ? product.shape : planScope.shape);
}
