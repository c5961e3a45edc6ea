import { join } from 'node:path';
import type { Rules } from '../coordinator/parts.js';
import { type Refusal, refuse } from '../domain/refusal.js';
import { DEFAULTS, type Settings } from '../domain/settings.js';
import type { Keep } from '../store/store.js';
import { BUILT_IN, BUILT_IN_CAPACITY } from './built-in-processes.js';
import { readYaml } from './yaml.js';

export const CONFIG_FILE = 'signalbox.yaml';

export interface Config {
  readonly settings: Settings;
  readonly rules: Rules;
  readonly containment: 'auto' | 'none';
  readonly unprotect: readonly string[];
  /** Patterns of what counts as scratch besides what git ignores. */
  readonly scratch: readonly string[];
  /** Host names besides the loopback ones that `serve` answers to. */
  readonly hosts: readonly string[];
}

const MINUTES = 60_000;
const DAYS = 24 * 60 * MINUTES;
const MAX_BYTES = 1_000_000;

const WITHOUT_FILE: Config = {
  settings: { ...DEFAULTS, capacity: BUILT_IN_CAPACITY },
  rules: {
    commit: 'head',
    sign: 'auto',
    processes: BUILT_IN,
    timeout: 30 * MINUTES,
    git: 'real',
    unprotect: [],
    keep: { contents: 30 * DAYS },
  },
  containment: 'auto',
  unprotect: [],
  scratch: [],
  hosts: [],
};

/** Reads `signalbox.yaml`. A file that is wrong is a refusal that says where and why; nothing is replaced by a default. */
export async function loadConfig(root: string): Promise<Config | Refusal> {
  const path = join(root, CONFIG_FILE);
  const file = await readYaml(path, MAX_BYTES);
  if ('fault' in file) return file.fault === 'missing' ? WITHOUT_FILE : wrong(path, file.reason);
  const { configSchema, configFaults } = await import('../wire/config.js');
  const parsed = configSchema.safeParse(file.value ?? {});
  if (!parsed.success) return wrong(path, configFaults(parsed.error.issues, file.value).join('; '));
  return fromFile(parsed.data);
}

function fromFile(file: import('../wire/config.js').ConfigFile): Config {
  const named = Object.entries(file.processes);
  const processes = named.map(([name, { capacity: _, timeout_minutes: minutes, on_failure: onFailure, ...rest }]) => {
    return { name, ...rest, onFailure, ...(minutes === undefined ? {} : { timeout: minutes * MINUTES }) };
  });
  const capacity = named.map(([name, { capacity }]) => [name, capacity] as const);
  const own = new Set(processes.map(({ name }) => name));
  return {
    settings: {
      ...DEFAULTS,
      claims: file.claims,
      lease: file.lease_seconds * 1000,
      maxAttempts: file.max_attempts,
      idle: file.idle_minutes * MINUTES,
      idleStateless: Math.min(file.idle_minutes, 10) * MINUTES,
      capacity: new Map([...BUILT_IN_CAPACITY, ...capacity]),
    },
    rules: {
      commit: file.publish.commit,
      sign: file.publish.sign,
      processes: [...processes, ...BUILT_IN.filter(({ name }) => !own.has(name))],
      timeout: file.run.timeout_minutes * MINUTES,
      git: file.run.git,
      unprotect: file.unprotect,
      keep: keepOf(file.keep),
    },
    containment: file.containment,
    unprotect: file.unprotect,
    scratch: file.scratch,
    hosts: file.serve.hosts,
  };
}

function keepOf({
  contents_days: contents,
  events_days: events,
}: import('../wire/config.js').ConfigFile['keep']): Keep {
  return {
    ...(contents === 'never' ? {} : { contents: contents * DAYS }),
    ...(events === 'never' ? {} : { events: events * DAYS }),
  };
}

function wrong(path: string, reason: string): Refusal {
  const next = `Put ${CONFIG_FILE} right, or remove it; the README lists its keys.`;
  return refuse('UNAVAILABLE', `${path}: ${reason}`, next, { file: path });
}
