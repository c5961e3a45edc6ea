import { z } from 'zod';

const process = z.strictObject({
  match: z.array(z.string().min(1).max(200)).min(1).max(100).describe('Commands of this kind; * stands for anything'),
  capacity: z.int().min(1).max(1000).default(1).describe('How many may run at once'),
  network: z.boolean().default(true).describe('Whether its commands reach the network'),
});

/** `signalbox.yaml`. Every key has a default, so the file may leave out what it does not change. */
export const configSchema = z.strictObject({
  claims: z.enum(['auto', 'explicit']).default('auto').describe('Whether a patch may claim free paths by itself'),
  lease_seconds: z
    .number()
    .min(6)
    .max(3600)
    .default(60)
    .describe('How long the locks of a connection stand after it ended'),
  idle_minutes: z
    .number()
    .min(1)
    .max(24 * 60)
    .default(30)
    .describe('A connection without a call for this long counts as gone'),
  containment: z
    .enum(['auto', 'none'])
    .default('auto')
    .describe('none: commands run unguarded where nothing contains them'),
  unprotect: z
    .array(z.string().min(1).max(1000))
    .max(100)
    .default([])
    .describe('Protected paths that agents may write all the same'),
  publish: z
    .strictObject({
      commit: z.enum(['head', 'branch', 'none']).default('head').describe('What publish_output commits to'),
    })
    .prefault({}),
  run: z
    .strictObject({
      timeout_minutes: z
        .number()
        .min(0.01)
        .max(24 * 60)
        .default(30)
        .describe('The time limit of a command that names none'),
    })
    .prefault({}),
  serve: z
    .strictObject({
      hosts: z.array(z.string().min(1).max(255)).max(20).default([]).describe('Host names besides the loopback ones'),
    })
    .prefault({}),
  processes: z
    .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), process)
    .default({})
    .describe('Named processes, by name: their commands take the unit process:<name>'),
});

export type ConfigFile = z.infer<typeof configSchema>;
