import { z } from 'zod';
import { ignoreFault } from '../domain/ignore-pattern.js';
import { isRefusal } from '../domain/refusal.js';
import { parseUnit } from '../domain/unit.js';
import { unknownKey } from './names.js';
import { fault, type Issue } from './parse.js';

const MINUTES_A_DAY = 24 * 60;
const MAX_DAYS = 36_500;
const SOCKETS = ['docker', 'ssh-agent', 'display'];

const pattern = z
  .string()
  .max(1000)
  .superRefine((text, context) => {
    const wrong = ignoreFault(text);
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
  });

/** After how many days something goes. */
const days = z.union([z.number().min(1).max(MAX_DAYS), z.literal('never')], {
  error: `a number of days from 1 to ${MAX_DAYS}, or never`,
});

/** Paths that a process can own: what only it may write. */
const owned = z
  .string()
  .max(1000)
  .refine((text) => !text.startsWith('process:') && !isRefusal(parseUnit(text)), {
    error: 'a file, folder/ or glob inside the workspace',
  });

const socket = z.string().refine((name) => SOCKETS.includes(name) || /^\/(?!.*(^|\/)\.\.(\/|$))[^\0]+$/.test(name), {
  error: `one of ${SOCKETS.join(', ')}, or the absolute path of a socket`,
});

const process = z
  .strictObject({
    match: z.array(z.string().min(1).max(200)).min(1).max(100).describe('Commands of this kind; * stands for anything'),
    capacity: z.int().min(1).max(1000).default(1).describe('How many may run at once'),
    owns: z
      .array(owned)
      .max(100)
      .default([])
      .describe('Files, folders/ and globs that its command holds while it runs; ignored ones nobody else ever writes'),
    timeout_minutes: z
      .number()
      .min(0.01)
      .max(MINUTES_A_DAY)
      .exactOptional()
      .describe('The time limit of its commands, where a call names none; a day for those that run live'),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), z.string().max(10_000))
      .default({})
      .describe('Environment variables of its commands; those of a call come after'),
    network: z.boolean().default(true).describe('Whether its commands reach the network'),
    live: z.boolean().default(false).describe('Servers and watchers: they see at once what others change'),
    on_failure: z
      .enum(['nothing', 'open_scope'])
      .default('nothing')
      .describe('open_scope: a command that fails opens a scope for whoever mends it, once until that has ended'),
    sockets: z
      .array(socket)
      .max(20)
      .default([])
      .describe('Unix sockets that its commands may connect to: docker, ssh-agent, display, or a path'),
  })
  .refine(({ capacity, owns }) => capacity === 1 || owns.length === 0, {
    path: ['capacity'],
    error: '1 for a process that owns something',
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
    .max(MINUTES_A_DAY)
    .default(30)
    .describe('A connection without a call for this long counts as gone'),
  max_attempts: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe('A scope that was lost or failed more often than this has failed for good'),
  containment: z
    .enum(['auto', 'none'])
    .default('auto')
    .describe('none: commands run unguarded where nothing contains them'),
  unprotect: z
    .array(z.string().min(1).max(1000))
    .max(100)
    .default([])
    .describe('Protected paths that agents may write all the same'),
  scratch: z
    .array(pattern)
    .max(1000)
    .default([])
    .describe('What counts as scratch besides what git ignores, in the syntax of .gitignore'),
  publish: z
    .strictObject({
      commit: z.enum(['head', 'branch', 'none']).default('head').describe('What publish_output commits to'),
      sign: z
        .literal(['auto', true, false])
        .default('auto')
        .describe('Whether its commits are signed; auto: where commit.gpgsign of git says so'),
    })
    .prefault({}),
  run: z
    .strictObject({
      timeout_minutes: z
        .number()
        .min(0.01)
        .max(MINUTES_A_DAY)
        .default(30)
        .describe('The time limit of a command that names none and does not run live'),
      git: z
        .enum(['real', 'contained'])
        .default('real')
        .describe('real: known harmless git and gh commands run on the repository itself, as process:git'),
    })
    .prefault({}),
  keep: z
    .strictObject({
      contents_days: days
        .default(30)
        .describe('Days after which former versions and logs go that nothing needs any more; never: they stay'),
      events_days: days.default('never').describe('Days after which events are cut; never: they stay'),
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

/** What is wrong with a `signalbox.yaml`, a sentence for each place. */
export function configFaults(issues: readonly Issue[], file: unknown): string[] {
  return issues.flatMap((issue) => {
    const { place, expected, got } = fault(issue, file);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(place, key, keysAt(place)));
    if (issue.code === 'invalid_key') return [`${place}: ${NAMES[issue.path.length > 2 ? 'variable' : 'process']}`];
    return [`${place || 'the file'}: expected ${expected}, got ${got}`];
  });
}

const NAMES = {
  process: 'a name has 1 to 64 of the characters A-Z a-z 0-9 _ . -',
  variable: 'a variable has a name of A-Z a-z 0-9 _, without a digit first',
};

/** The keys that may stand at a place; a process has the same ones under any name. */
function keysAt(place: string): string[] {
  if (place === '') return Object.keys(configSchema.shape);
  return place.startsWith('processes.') ? Object.keys(process.shape) : sectionKeys(place);
}

function sectionKeys(place: string): string[] {
  const section: unknown = Reflect.get(configSchema.shape, place);
  const inner = section instanceof z.ZodPrefault ? section.unwrap() : section;
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}
