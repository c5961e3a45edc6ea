import { z } from 'zod';
import { RUN_ENDINGS } from '../domain/event.js';
import { PHASES, STATUSES } from '../domain/scope.js';

/** What the control plane answers. */

const id = z.string();
const ids = z.array(id);
const hash = z.string();
const version = hash.nullable();
const texts = z.array(z.string());
const mode = z.enum(['write', 'read']);
const next = z.string().exactOptional().describe('There are more: pass it as cursor');
const notes = z
  .array(z.object({ scope: id, from: z.string(), text: z.string() }))
  .exactOptional()
  .describe('What waited to be told to you');

export const declared = z.object({ ids: ids.describe('In the order given') });

const summary = {
  id,
  title: z.string(),
  status: z.enum(STATUSES),
  phase: z.enum(PHASES),
  priority: z.int(),
  units: texts,
  agent: z.string().exactOptional().describe('Who has it'),
  parent: id.exactOptional(),
  blocked_on: ids.exactOptional().describe('Consumed scopes that are not done'),
  attempts: z.int().describe('How often it was lost or failed'),
};

export const scopeSummary = z.object(summary);
export const scopePage = z.object({ scopes: z.array(scopeSummary).describe('Newest first'), next });

export const artifactRecord = z.object({
  id,
  type: z.string(),
  path: z.string().exactOptional(),
  hash,
  scope: id,
  agent: z.string(),
  inputs: z.object({ references: texts, artifacts: z.array(z.object({ id, scope: id, hash })) }),
  run: id.exactOptional(),
  commit: z.string().exactOptional(),
  seq: z.int().describe('The event of its publication'),
  superseded_by: id.exactOptional(),
});
export const artifactPage = z.object({ artifacts: z.array(artifactRecord).describe('Oldest first'), next });

export const scopeDetail = z.object({
  ...summary,
  note: z.string().exactOptional(),
  consumes: ids,
  produces: z.array(z.object({ path: z.string(), type: z.string() })),
  inputs: texts,
  non_goals: texts,
  done: texts,
  checks: texts,
  children: ids,
  cause: z.string().exactOptional(),
  conflict: z.object({ between: ids, paths: texts, sides: z.array(hash) }).exactOptional(),
  locks: z.array(z.object({ unit: z.string(), mode, generation: z.int() })),
  stopping: z
    .string()
    .exactOptional()
    .describe('Its owner has lost it: its units are free when its commands have ended'),
  queue: z
    .object({
      position: z.int(),
      units: texts,
      mode,
      ahead: z.array(z.object({ id, agent: z.string(), units: texts })),
    })
    .exactOptional(),
  history: z
    .array(
      z.object({
        how: z.enum(['expired', 'failed', 'released', 'reopened']),
        agent: z.string().exactOptional(),
        reason: z.string(),
        at: z.iso.datetime(),
      }),
    )
    .describe('How earlier attempts ended: the latest of them, oldest first'),
  handover: z.object({ from: z.string(), note: z.string() }).exactOptional(),
  notes: z.array(z.object({ from: z.string(), text: z.string() })).describe('Not shown to its owner yet'),
  summary: z.string().exactOptional(),
  commit: z.string().exactOptional(),
  undone_by: id.exactOptional().describe('The scope that took its changes back'),
  artifacts: z.array(artifactRecord),
  changes: z.array(z.object({ path: z.string(), before: version, after: version })),
  runs: z
    .array(
      z.object({
        run: id,
        command: z.string(),
        state: z.enum(['running', ...RUN_ENDINGS]),
        log: hash.exactOptional(),
        diff: hash.exactOptional(),
      }),
    )
    .describe('Its commands that are under way, then the latest that have ended'),
  opened_by: z.string(),
  opened_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  revision: z.string().describe('The ETag, without its quotes'),
});

export const operated = z.object({ id, status: z.enum(STATUSES) });

export const claimed = z.object({
  scope: z.string().describe('The handle, which is the authority to act: a secret'),
  id,
  status: z.enum(['active', 'waiting']),
  generation: z.int(),
  units: texts,
  queue: z
    .object({
      position: z.int(),
      ahead: z.array(z.object({ id, agent: z.string(), title: z.string(), units: texts, until: ids.exactOptional() })),
    })
    .exactOptional(),
  blocked_on: ids.exactOptional(),
  failed: z
    .array(
      z.object({ id, title: z.string(), status: z.string(), attempts: z.int(), reason: z.string().exactOptional() }),
    )
    .exactOptional(),
  inputs: z
    .array(
      z.object({
        id,
        type: z.string(),
        path: z.string().exactOptional(),
        hash,
        scope: id,
        summary: z.string().exactOptional(),
      }),
    )
    .exactOptional(),
  handover: z.object({ from: z.string(), diff: z.string(), note: z.string() }).exactOptional(),
  notes,
});

export const published = z.object({
  id,
  status: z.string(),
  commit: z.string().exactOptional(),
  branch: z.string().exactOptional(),
  artifacts: z.array(z.object({ id, type: z.string(), path: z.string().exactOptional(), hash })),
  unblocked: ids,
  check: z.string().exactOptional().describe('With the status checking: a check that has not ended'),
  run: id.exactOptional().describe('The run of that check. The same call again goes on waiting'),
  notes,
});

export const released = z.object({
  id,
  status: z.string(),
  reverted: texts.describe('Paths whose changes were taken back'),
  published: z
    .object({ commit: z.string().exactOptional() })
    .exactOptional()
    .describe('What the scope had published before; it is not taken back'),
  notes,
});

export const undone = z.object({
  id,
  status: z
    .enum(['undone', 'already', 'unchanged', 'conflict'])
    .describe('already: nothing of it is left; unchanged: it changed no file; conflict: a conflict scope is open'),
  by: id.exactOptional().describe('The scope that took its changes back, or the conflict scope'),
  paths: texts,
  commit: z.string().exactOptional(),
  branch: z.string().exactOptional(),
});

export const blamed = z.object({
  path: z.string(),
  version: hash,
  total_lines: z.int(),
  ranges: z.array(
    z.object({
      from: z.int(),
      to: z.int(),
      by: z
        .enum(['scope', 'outside', 'before', 'unknown'])
        .describe(
          'outside: edited around Signalbox; before: older than what it knows; unknown: from a content not kept',
        ),
      scope: id.exactOptional(),
      title: z.string().exactOptional(),
      agent: z.string().exactOptional().describe('Who made the change under that scope'),
      run: id.exactOptional().describe('The command that wrote them'),
      seq: z.int().exactOptional().describe('The event of the change'),
      time: z.iso.datetime().exactOptional(),
      text: z.string(),
    }),
  ),
});

export const runRecord = z.object({
  run: id,
  scope: id.exactOptional(),
  agent: z.string(),
  command: z.string(),
  containment: z.string(),
  state: z.enum(['running', ...RUN_ENDINGS]),
  exit_code: z.int().exactOptional(),
  rejected: z.int(),
  log: hash.exactOptional(),
  diff: hash.exactOptional(),
  started_at: z.iso.datetime(),
});

const heldBy = z.object({ id, agent: z.string(), mode }).exactOptional();

export const readAnswer = z.object({
  files: z.array(
    z.union([
      z.object({
        path: z.string(),
        version: hash,
        text: z.string(),
        from: z.int(),
        to: z.int(),
        total_lines: z.int(),
        truncated: z.boolean().exactOptional(),
        held_by: heldBy,
      }),
      z.object({
        path: z.string(),
        version: hash,
        image: z.object({ data: z.string().describe('Base64'), mimeType: z.string() }),
        held_by: heldBy,
      }),
      z.object({
        path: z.string(),
        entries: z.array(
          z.object({ name: z.string(), kind: z.string(), size: z.int().exactOptional(), held_by: heldBy }),
        ),
        more: z.int().exactOptional(),
      }),
      z.object({ path: z.string(), error: z.string() }),
    ]),
  ),
  notes,
});

export const patched = z.object({
  seq: z.int().describe('The event of the change'),
  scope: z.string().exactOptional().describe('The handle, where the patch claimed for you'),
  files: z.array(
    z.object({
      path: z.string(),
      version,
      added: z.int(),
      removed: z.int(),
      rebased: z.boolean().exactOptional(),
      outside: z.boolean().exactOptional(),
    }),
  ),
  already: z.boolean().exactOptional(),
  claimed: texts.exactOptional(),
  notes,
});

export const runAnswer = z.object({
  run: id,
  state: z.enum(['running', ...RUN_ENDINGS]),
  exit_code: z.int().exactOptional(),
  output: z.string(),
  next: z.int().exactOptional().describe('Pass it as from to read on'),
  scope: z.string().exactOptional(),
  changed: z.array(z.object({ path: z.string(), version })),
  more_changed: z.int().exactOptional().describe('Further ones, which the diff shows'),
  rejected: z.array(z.object({ path: z.string(), reason: z.string() })),
  containment: z.enum(['transactional', 'confined', 'none']),
  log: hash.exactOptional().describe('An artifact: all that it printed'),
  diff: hash.exactOptional().describe('An artifact: what it changed'),
  rejections: hash.exactOptional().describe('An artifact: all that was rejected, where not all of it is told'),
  more_rejected: z.int().exactOptional().describe('Further ones'),
  advice: z.string().exactOptional(),
  duration_ms: z.number(),
  notes,
});
