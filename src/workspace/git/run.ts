import { execFile, spawnSync } from 'node:child_process';

/** A hung filter or credential helper must not hold a publication for ever. Milliseconds. */
const TIMEOUT = 120_000;
/** Of one answer, in bytes. */
const MAX_OUTPUT = 100_000_000;
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

/** Runs git once, with an argument array and without a shell. */
export function runGit(args: readonly string[], call: GitCall): Promise<GitAnswer> {
  return new Promise((resolve, reject) => {
    const settings = { ...settingsOf(call), timeout: TIMEOUT };
    const child = execFile('git', [...NEUTRAL, ...args], settings, (error, stdout, stderr) => {
      const code = error === null ? 0 : (error.code ?? null);
      try {
        resolve(answer(args, call, { code, stdout, stderr }));
      } catch (refused) {
        reject(refused);
      }
    });
    // Git may come to its end before it has read everything.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(call.input ?? '');
  });
}

/** The same for what has to happen inside a transaction. */
export function runGitSync(args: readonly string[], call: GitCall): GitAnswer {
  const settings = { ...settingsOf(call), input: call.input ?? '', timeout: SYNC_TIMEOUT };
  const { error, status, stdout, stderr } = spawnSync('git', [...NEUTRAL, ...args], settings);
  const failed = error as NodeJS.ErrnoException | undefined;
  return answer(args, call, { code: failed === undefined ? status : (failed.code ?? null), stdout, stderr });
}

/** Work that needs git several times, some of it side by side, written once for both ways to run it. */
export type GitSteps<T> = Generator<readonly GitStep[], T, readonly GitAnswer[]>;
type GitStep = GitCall & { readonly args: readonly string[] };

export async function runSteps<T>(steps: GitSteps<T>): Promise<T> {
  let step = steps.next();
  while (step.done !== true) step = steps.next(await Promise.all(step.value.map((call) => runGit(call.args, call))));
  return step.value;
}

export function runStepsSync<T>(steps: GitSteps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next(step.value.map((call) => runGitSync(call.args, call)));
  return step.value;
}

function settingsOf({ cwd, env }: GitCall) {
  return { cwd, env: { ...cleanEnvironment(), ...env }, encoding: 'utf8', maxBuffer: MAX_OUTPUT } as const;
}

interface Ended {
  /** The exit code, or what kept git from one: null where it was killed, a name where it did not start or said too much. */
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function answer(args: readonly string[], call: GitCall, { code, stdout, stderr }: Ended): GitAnswer {
  if (code === 'ENOENT') throw new GitMissing('git was not found on the PATH');
  if (typeof code === 'number' && (call.codes ?? [0]).includes(code)) return { code, stdout, stderr };
  throw new GitFailed(args, typeof code === 'number' ? code : null, stderr);
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
