import { z } from 'zod';

/** What the scripted agents use of the tools' answers (their structured content). */

export const claimed = z.object({
  scope: z.string(),
  id: z.string(),
  status: z.enum(['active', 'waiting']),
  inputs: z.array(z.object({ hash: z.string(), path: z.string().optional(), scope: z.string() })).default([]),
  handover: z.object({ from: z.string(), diff: z.string(), note: z.string() }).optional(),
});
export type Claimed = z.infer<typeof claimed>;

export const readFile = z.object({ files: z.tuple([z.object({ text: z.string(), version: z.string() })]) });

export const patched = z.object({
  scope: z.string().optional(),
  files: z.array(z.object({ path: z.string(), rebased: z.boolean().default(false) })),
});
export type Patched = z.infer<typeof patched>;

export const ran = z.object({
  state: z.string(),
  exit_code: z.number().optional(),
  output: z.string(),
  scope: z.string().optional(),
  changed: z.array(z.object({ path: z.string() })),
  rejected: z.array(z.object({ path: z.string(), reason: z.string() })),
  containment: z.string(),
});
export type Ran = z.infer<typeof ran>;

export const published = z.object({ id: z.string(), status: z.string(), commit: z.string().optional() });

export const refused = z.object({ code: z.string(), sentence: z.string() });
