import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { type RealCommand, realCommand } from '../workspace/git/real/command.js';
import { inArgument, quoted, wrongArgument } from './argument.js';
import type { RunInput } from './contract.js';
import type { NamedProcess, Parts } from './parts.js';
import { processOf } from './process-unit.js';

/** Also for what runs live, unless something else is said: a server ends with whoever wants it. */
const LONGEST_S = 24 * 3600;

/** A command as a call asks for it. */
export interface Spec {
  readonly command: string;
  /** From the root. */
  readonly cwd: string;
  readonly env: { readonly [name: string]: string };
  /** Milliseconds. */
  readonly timeout: number;
  /** What kind of command it is, if it is of a named one. */
  readonly named: NamedProcess | undefined;
  /** Set where it runs on the repository itself. */
  readonly real?: RealCommand;
  /** The call says nothing but the command: it runs from the root, with no variable and no time limit of the call. */
  readonly asIs: boolean;
}

/** Reads the arguments of a call that starts a command. */
export async function parseSpec(parts: Parts, input: RunInput): Promise<Spec | Refusal> {
  const command = input.command?.trim();
  if (!command) {
    const got = input.command === undefined ? 'neither command nor run' : quoted(input.command);
    return wrong('command', 'a command, or run with the id of an earlier one', got);
  }
  const env = parseEnv(input.env ?? []);
  if (isRefusal(env)) return env;
  const cwd = await folder(parts, input.cwd ?? '.');
  if (isRefusal(cwd)) return cwd;
  const named = processOf(parts, command);
  const usual = named?.timeout ?? (named?.live ? LONGEST_S * 1000 : parts.rules.timeout);
  const seconds = Math.min(input.timeout_s ?? usual / 1000, LONGEST_S);
  if (!(seconds > 0)) return wrong('timeout_s', 'seconds above 0', String(input.timeout_s));
  const real = named === undefined ? realOf(parts, command, input) : undefined;
  if (isRefusal(real)) return real;
  const asIs = cwd === '.' && Object.keys(env).length === 0 && input.timeout_s === undefined;
  const spec = { command, cwd, env: { ...named?.env, ...env }, timeout: seconds * 1000, asIs };
  return real === undefined ? { ...spec, named } : { ...spec, named: GIT, real };
}

/** Commands on the repository itself take turns. */
const GIT: NamedProcess = {
  name: 'git',
  match: [],
  owns: [],
  env: {},
  network: true,
  live: false,
  onFailure: 'nothing',
  sockets: [],
};

/** A command for the repository itself, if it is one; a process of the name `git` in the configuration is instead of it. */
function realOf({ rules, git }: Parts, command: string, input: RunInput): RealCommand | Refusal | undefined {
  if (rules.git !== 'real' || git === undefined || rules.processes.some(({ name }) => name === GIT.name))
    return undefined;
  const real = realCommand(command);
  if (real === undefined || isRefusal(real) || (input.env ?? []).length === 0) return real;
  return refuse(
    'DENIED',
    'Commands on the repository itself have the environment of the person, and take no variables.',
    'Call run again without env.',
    { argument: 'env' },
  );
}

function parseEnv(pairs: readonly string[]): Spec['env'] | Refusal {
  const env: { [name: string]: string } = {};
  for (const [at, pair] of pairs.entries()) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=([^\0]*)$/s.exec(pair);
    if (match?.[1] === undefined || match[2] === undefined) return wrong(`env[${at}]`, '"NAME=value"', quoted(pair));
    env[match[1]] = match[2];
  }
  return env;
}

async function folder(parts: Parts, given: string): Promise<string | Refusal> {
  const cwd = await parts.workspace.resolve(given, 'read');
  if (isRefusal(cwd)) return inArgument(cwd, 'cwd');
  const looked = await parts.workspace.look(cwd);
  if (isRefusal(looked)) return inArgument(looked, 'cwd');
  if (looked.kind === 'folder') return cwd;
  return wrong(
    'cwd',
    'a folder in the workspace',
    looked.kind === 'none' ? `${quoted(given)}, which does not exist` : `the file ${quoted(given)}`,
  );
}

function wrong(argument: string, expected: string, got: string): Refusal {
  return wrongArgument(argument, expected, got, `Call run again with ${argument} as ${expected}.`);
}
