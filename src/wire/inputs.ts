import { z } from 'zod';
import { PHASES, STATUSES } from '../domain/scope.js';
import { agentName, handle, KB, label, MAX_LIST, path, prose, scopeIds, text, units, withoutNul } from './text.js';

/** The longest new or old content; the transports bound the whole message above this. */
const MAX_CONTENT = 8_000 * KB;
const DAY_S = 86_400;

const seconds = z.number().min(0).max(DAY_S);

export const readInput = z.strictObject({
  paths: z.array(path).min(1).max(100).describe('"src/a.ts", "src/a.ts:120-180", "src/" or "artifact:<hash>"'),
});

const edit = z.strictObject({
  path,
  old_string: text(MAX_CONTENT).exactOptional(),
  new_string: text(MAX_CONTENT).exactOptional(),
  replace_all: z.boolean().exactOptional(),
  content: text(MAX_CONTENT).exactOptional().describe('The whole new file'),
  delete: z.boolean().exactOptional(),
  move_to: path.exactOptional().describe('New path'),
  base: handle.exactOptional().describe('Version you read; needed for content, delete, move_to over an existing file'),
});

export const patchInput = z.strictObject({
  edits: z
    .array(edit)
    .min(1)
    .max(5 * MAX_LIST)
    .exactOptional()
    .describe(
      'In order, each with path and: old_string (exact, unique unless replace_all) + new_string; or content; or delete; or move_to',
    ),
  diff: text(MAX_CONTENT).min(1).exactOptional().describe('Instead of edits: unified diff or *** Begin Patch text'),
  scope: handle.exactOptional().describe('Scope handle; optional if you own one active scope'),
});

export const runInput = z.strictObject({
  command: withoutNul(100 * KB)
    .min(1)
    .exactOptional()
    .describe('Shell command'),
  scope: handle
    .exactOptional()
    .describe('Scope handle; optional if you own one active scope; with none, changes are not kept'),
  cwd: path.exactOptional().describe('Folder, from the root'),
  env: z
    .array(withoutNul(32 * KB))
    .max(200)
    .exactOptional()
    .describe('"NAME=value"'),
  background: z.boolean().exactOptional().describe('Answer at once'),
  wait_s: seconds.exactOptional().describe('Answer after this long'),
  timeout_s: seconds.exactOptional().describe('Kill after this long'),
  run: handle.exactOptional().describe('Earlier run: read its output'),
  from: z.int().min(0).exactOptional().describe('Output offset: next of the last answer'),
  stop: z.boolean().exactOptional().describe('Kill that run'),
});

export const claimInput = z.strictObject({
  title: label(200).exactOptional().describe('What you will do'),
  units: units.exactOptional().describe('"src/a.ts", "src/auth/", "src/**/*.sql", "process:build"'),
  scope: handle.exactOptional().describe('Open scope id to take, or your handle: add units or go on waiting'),
  mode: z.enum(['write', 'read']).exactOptional().describe('write (default) excludes all others, read only writers'),
  phase: z.enum(PHASES).exactOptional().describe('Default build'),
  consumes: scopeIds.exactOptional().describe('Scope ids whose outputs you need first; with scope: those to keep'),
  produces: units.exactOptional().describe('Paths you will publish'),
  agent: agentName(100).exactOptional().describe('Subagent this is for'),
  wait_s: seconds.exactOptional().describe('Wait at most this long'),
});

/** A client may send the JSON that it publishes as it is: it is stored as text. */
const artifactContent = z.unknown().meta({ type: 'string' }).transform(asJsonText).pipe(text(MAX_CONTENT));

function asJsonText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  try {
    return `${JSON.stringify(value, null, 2)}\n`;
  } catch {
    // Too deep for the stack: left for the schema to refuse.
    return value;
  }
}

const artifact = z.strictObject({
  type: label(100),
  path: path.exactOptional(),
  content: artifactContent.exactOptional(),
});

export const publishInput = z.strictObject({
  summary: prose(10 * KB)
    .refine((value) => value.trim() !== '', { error: 'text that is not empty' })
    .describe('What was done; becomes the commit message'),
  scope: handle.exactOptional().describe('Scope handle'),
  status: z
    .enum(['done', 'progress', 'failed'])
    .exactOptional()
    .describe('done (default) ends the scope, progress keeps its locks'),
  artifacts: z
    .array(artifact)
    .max(MAX_LIST)
    .exactOptional()
    .describe('More outputs: type and path (or artifact:<hash>) or content; only type diff: what you changed'),
  branch: label(250).exactOptional().describe('Commit on this branch'),
});

export const openInput = z.strictObject({
  title: label(200),
  note: prose(10 * KB)
    .exactOptional()
    .describe('What is to be done'),
  units: units.exactOptional(),
  phase: z.enum(PHASES).exactOptional(),
  consumes: scopeIds.exactOptional(),
  produces: units.exactOptional(),
});

export const releaseInput = z.strictObject({
  scope: handle.exactOptional().describe('Scope handle'),
  reason: prose(10 * KB)
    .exactOptional()
    .describe('For whoever goes on'),
  changes: z.enum(['keep', 'revert']).exactOptional().describe('keep (default) or undo your changes'),
});

export const listInput = z.strictObject({
  id: handle.exactOptional().describe('One scope, in full'),
  path: path.exactOptional().describe('Scopes that touch it'),
  status: z.enum(STATUSES).exactOptional(),
  phase: z.enum(PHASES).exactOptional(),
  mine: z.boolean().exactOptional(),
});
