/** A hung filter or credential helper must not hold a publication for ever. Milliseconds. */
const TIMEOUT = 120_000;
/** Everybody waits for the transaction meanwhile. */
const SYNC_TIMEOUT = 10_000;

/** The user's filters, line endings and LFS apply; what could start a foreign program or wait for a person does not. */
const NEUTRAL = [
  '--no-pager',
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
  readonly command: string;
  constructor(
    args: readonly string[],
    /** Null where git was killed or took too long. */
    readonly code: number | null,
    readonly stderr: string,
  ) {
    const command = commandIn(args);
    super(`git ${command} failed: ${reasonIn(stderr) ?? (code === null ? 'it was stopped' : `exit code ${code}`)}`);
    this.command = command;
  }
}

/** There is no git on this machine. */
export class GitMissing extends Error {
  override readonly name = 'GitMissing';
}

export type GitSync = (args: readonly string[], call: GitCall) => GitAnswer;

/** Runs git once, with an argument array and without a shell. */
export async function runGit(args: readonly string[], call: GitCall): Promise<GitAnswer> {
  // Loaded when first needed: most calls of the server never touch git, and its start-up time counts.
  const { execa } = await import('execa');
  return answer(args, call, await execa('git', [...NEUTRAL, ...args], { ...settings(call), timeout: TIMEOUT }));
}

/** The same for what has to happen inside a transaction. */
export async function loadGitSync(): Promise<GitSync> {
  const { execaSync } = await import('execa');
  return (args, call) =>
    answer(args, call, execaSync('git', [...NEUTRAL, ...args], { ...settings(call), timeout: SYNC_TIMEOUT }));
}

/** Work that needs git several times, written once for both ways to run it. */
export type GitSteps<T> = Generator<GitCall & { readonly args: readonly string[] }, T, GitAnswer>;

export async function runSteps<T>(steps: GitSteps<T>): Promise<T> {
  let step = steps.next();
  while (step.done !== true) step = steps.next(await runGit(step.value.args, step.value));
  return step.value;
}

export function runStepsSync<T>(steps: GitSteps<T>, git: GitSync): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next(git(step.value.args, step.value));
  return step.value;
}

function settings(call: GitCall) {
  return {
    cwd: call.cwd,
    env: { ...cleanEnvironment(), ...call.env },
    extendEnv: false,
    input: call.input ?? '',
    stripFinalNewline: false,
    reject: false,
  } as const;
}

interface Ended {
  readonly exitCode?: number | undefined;
  readonly code?: string | undefined;
  readonly isMaxBuffer: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

function answer(args: readonly string[], call: GitCall, ended: Ended): GitAnswer {
  const { exitCode, stdout, stderr } = ended;
  if (ended.code === 'ENOENT') throw new GitMissing('git was not found on the PATH');
  if (exitCode === undefined || ended.isMaxBuffer || !(call.codes ?? [0]).includes(exitCode)) {
    throw new GitFailed(args, exitCode ?? null, stderr);
  }
  return { code: exitCode, stdout, stderr };
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
  const quiet = { GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', GIT_LITERAL_PATHSPECS: '1' };
  // English messages without changing the character set that the user's filters see.
  return { ...Object.fromEntries(kept), ...quiet, LANGUAGE: 'en' };
}

function reasonIn(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.find((line) => /^(fatal|error): /.test(line)) ?? lines.at(-1);
  return telling?.replace(/^(fatal|error): /, '');
}

/** `-c key=value update-index --add` → `update-index`. */
function commandIn(args: readonly string[]): string {
  return args.find((arg, at) => !arg.startsWith('-') && args[at - 1] !== '-c') ?? '';
}
