import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NamedProcess, Rules } from '../coordinator/parts.js';
import { type Refusal, refuse } from '../domain/refusal.js';
import { DEFAULTS, type Settings } from '../domain/settings.js';

export const CONFIG_FILE = 'signalbox.yaml';

export interface Config {
  readonly settings: Settings;
  readonly rules: Rules;
  readonly containment: 'auto' | 'none';
  readonly unprotect: readonly string[];
  /** Host names besides the loopback ones that `serve` answers to. */
  readonly hosts: readonly string[];
}

/** Package managers change the dependency folders and the lock files of the whole tree: one at a time. */
const INSTALL: NamedProcess = {
  name: 'install',
  match: ['npm', 'pnpm', 'yarn', 'bun', 'pip', 'pip3', 'uv', 'poetry', 'cargo', 'go', 'bundle', 'composer'].flatMap(
    (tool) =>
      [
        'install',
        'install *',
        'i',
        'i *',
        'ci',
        'ci *',
        'add *',
        'remove *',
        'update',
        'update *',
        'sync',
        'get *',
      ].map((verb) => `${tool} ${verb}`),
  ),
  network: true,
};

const MINUTES = 60_000;

const WITHOUT_FILE: Config = {
  settings: DEFAULTS,
  rules: { commit: 'head', processes: [INSTALL], timeout: 30 * MINUTES },
  containment: 'auto',
  unprotect: [],
  hosts: [],
};

/** Reads `signalbox.yaml`. A file that is wrong is a refusal that says where and why; nothing is replaced by a default. */
export async function loadConfig(root: string): Promise<Config | Refusal> {
  const path = join(root, CONFIG_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return WITHOUT_FILE;
    return wrong(`${CONFIG_FILE} cannot be read: ${String(error)}`);
  }
  // Loaded only here: most starts have no such file, and a start has to be quick.
  const [{ parseDocument }, { configSchema }] = await Promise.all([import('yaml'), import('../wire/config.js')]);
  const document = parseDocument(text, { prettyErrors: true, maxAliasCount: 0 } as never);
  const [error] = document.errors;
  if (error !== undefined) return wrong(`${CONFIG_FILE}: ${error.message}`);
  const parsed = configSchema.safeParse(document.toJS() ?? {});
  if (!parsed.success) {
    const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`);
    return wrong(`${CONFIG_FILE}: ${reasons.join('; ')}`);
  }
  return fromFile(parsed.data);
}

function fromFile(file: import('../wire/config.js').ConfigFile): Config {
  const named = Object.entries(file.processes);
  const processes = named.map(([name, { match, network }]) => ({ name, match, network }));
  const capacity = Object.fromEntries(named.map(([name, { capacity }]) => [name, capacity]));
  const own = new Set(processes.map(({ name }) => name));
  return {
    settings: {
      ...DEFAULTS,
      claims: file.claims,
      lease: file.lease_seconds * 1000,
      idle: file.idle_minutes * MINUTES,
      idleStateless: Math.min(file.idle_minutes, 10) * MINUTES,
      capacity,
    },
    rules: {
      commit: file.publish.commit,
      processes: [...processes, ...(own.has(INSTALL.name) ? [] : [INSTALL])],
      timeout: file.run.timeout_minutes * MINUTES,
    },
    containment: file.containment,
    unprotect: file.unprotect,
    hosts: file.serve.hosts,
  };
}

function wrong(sentence: string): Refusal {
  return refuse('UNAVAILABLE', sentence, `Put ${CONFIG_FILE} right, or remove it; the README lists its keys.`, {
    file: CONFIG_FILE,
  });
}
