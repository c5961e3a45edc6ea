import { isRefusal, type Refusal, refuse } from '../../../domain/refusal.js';
import type { Repository } from '../repository.js';
import { affectedPaths, between, dirtyPaths, headOf } from './affected.js';
import type { RealCommand } from './command.js';
import { unsafeSettings } from './guard.js';
import { type Program, realProgram } from './program.js';

/** A command that is ready to run on the repository itself. */
export interface Ready {
  readonly program: Program;
  /** Paths whose files it may change, relative to the root. */
  readonly paths: readonly string[];
  /** The commit of HEAD before it. */
  readonly head: string | undefined;
}

/** After the command: every path that it may have changed, those foreseen and those not, and where HEAD is. */
export interface Arrived {
  readonly paths: readonly string[];
  readonly head: string | undefined;
}

/** Checks settings and reach of a judged command. DENIED, BLOCKED and INVALID say why it may not run. */
export async function makeReady(repository: Repository, command: RealCommand): Promise<Ready | Refusal> {
  const unsafe = await unsafeSettings(repository, command);
  if (unsafe !== undefined) return unsafe;
  if (command.fetch !== undefined) {
    const failed = await fetchFirst(repository, command.fetch);
    if (failed !== undefined) return failed;
  }
  const paths = await affectedPaths(repository, command);
  if (isRefusal(paths)) return paths;
  return { program: realProgram(repository, command), paths, head: await headOf(repository) };
}

export async function arrived(repository: Repository, { paths, head }: Ready): Promise<Arrived> {
  const now = await headOf(repository);
  const moved = head === undefined || now === undefined ? [] : await between(repository, head, now);
  return { paths: [...new Set([...paths, ...moved, ...(await dirtyPaths(repository, false))])], head: now };
}

/** The first half of a pull: what it brings has to be known before files move. */
async function fetchFirst(repository: Repository, words: readonly string[]): Promise<Refusal | undefined> {
  const { execa } = await import('execa');
  const { argv, env } = realProgram(repository, { program: 'git', args: ['fetch', ...words] });
  const [file = '', ...args] = argv;
  const options = {
    cwd: repository.top,
    env,
    extendEnv: false,
    reject: false,
    timeout: 120_000,
    input: '',
    all: true,
  } as const;
  const ended = await execa(file, args, options);
  if (ended.exitCode === 0) return undefined;
  const said = String(ended.all ?? '')
    .trim()
    .slice(-1_000);
  return refuse('BLOCKED', `git fetch failed, so nothing was pulled: ${said}`, 'Put that right and call run again.', {
    exit_code: ended.exitCode ?? null,
  });
}
