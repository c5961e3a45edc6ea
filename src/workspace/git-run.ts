import { errno } from './errno.js';

/** A hung filter or credential helper must not hold a publication for ever. Milliseconds. */
const TIMEOUT = 120_000;

/** The user's filters, line endings and LFS apply; what could start a foreign program or wait for a person does not. */
const NEUTRAL = [
  '--no-pager',
  '--literal-pathspecs',
  ...['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.editor=true', 'gc.auto=0', 'maintenance.auto=false'],
  // What is acknowledged is durable: objects and refs are synced, in batches where git can.
  ...['core.fsync=objects,reference', 'core.fsyncMethod=batch'],
].flatMap((word) => (word.startsWith('--') ? [word] : ['-c', word]));

export interface GitCall {
  readonly cwd: string;
  readonly env?: { readonly [name: string]: string };
  readonly input?: string | Uint8Array;
  /** Exit codes that are answers; 0 where left out. Any other throws `GitFailed`. */
  readonly codes?: readonly number[];
}

export interface GitAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Git did not do what it was asked to. */
export class GitFailed extends Error {
  override readonly name = 'GitFailed';
  constructor(
    readonly command: string,
    /** Null where git was killed or took too long. */
    readonly code: number | null,
    readonly stderr: string,
  ) {
    super(`git ${command} failed: ${reasonIn(stderr) ?? (code === null ? 'it was stopped' : `exit code ${code}`)}`);
  }
}

/** There is no git on this machine. */
export class GitMissing extends Error {
  override readonly name = 'GitMissing';
}

/** Runs git once, with an argument array and without a shell. */
export async function runGit(args: readonly string[], call: GitCall): Promise<GitAnswer> {
  // Loaded when first needed: most calls of the server never touch git, and its start-up time counts.
  const { execa } = await import('execa');
  const result = await execa('git', [...NEUTRAL, ...args], {
    cwd: call.cwd,
    env: { ...cleanEnvironment(), ...call.env },
    extendEnv: false,
    ...(call.input === undefined ? { stdin: 'ignore' as const } : { input: call.input }),
    stripFinalNewline: false,
    reject: false,
    timeout: TIMEOUT,
  });
  if (errno(result) === 'ENOENT') throw new GitMissing('git was not found on the PATH');
  const code = result.exitCode ?? null;
  if (code === null || result.isMaxBuffer || !(call.codes ?? [0]).includes(code)) {
    throw new GitFailed(args.find((arg) => !arg.startsWith('-')) ?? '', code, result.stderr);
  }
  return { code, stdout: result.stdout, stderr: result.stderr };
}

/** NUL-separated output → its items. */
export function splitNul(text: string): string[] {
  return text.split('\0').filter((item) => item !== '');
}

/** Items → NUL-terminated input. */
export function joinNul(items: readonly string[]): string {
  return items.map((item) => `${item}\0`).join('');
}

/** Inherited GIT_* variables would point git at another repository or index (a server started from a hook has them). */
function cleanEnvironment(): { [name: string]: string } {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  // English messages without changing the character set that the user's filters see.
  return { ...Object.fromEntries(kept), LANGUAGE: 'en', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };
}

function reasonIn(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.find((line) => /^(fatal|error): /.test(line)) ?? lines.at(-1);
  return telling?.replace(/^(fatal|error): /, '');
}
