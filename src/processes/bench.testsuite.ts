import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { openRunner, type RunnerOptions } from './open.js';
import type { Containment, Ended, Run, Runner, RunSpec, Written } from './runner.js';

export interface Places {
  readonly base?: string;
  readonly root?: string;
  readonly home?: string;
}

/** A small repository, a home and a folder outside, and a runner on them. */
export class Bench {
  #count = 0;
  readonly root: string;
  readonly home: string;
  readonly outside: string;
  #runner: Runner | undefined;
  readonly #home = process.env.HOME;

  private constructor(
    readonly base: string,
    { root = 'work space', home = 'home' }: Places,
  ) {
    this.root = join(base, root);
    this.home = join(base, home);
    this.outside = join(base, 'outside');
  }

  static async make(options: Partial<RunnerOptions> = {}, places: Places = {}): Promise<Bench> {
    const bench = new Bench(await realpath(await mkdtemp(places.base ?? '/tmp/signalbox-')), places);
    for (const folder of [bench.root, bench.home, bench.outside]) mkdirSync(folder, { recursive: true });
    bench.put(join(bench.outside, 'kept'), 'kept\n');
    bench.put(join(bench.home, '.ssh/id'), 'a secret\n');
    bench.put(join(bench.home, '.npmrc'), 'registry=https://r.example/\n//r.example/:_authToken=a-secret\n');
    for (const path of ['a.txt', 'src/one.txt', 'src/two.txt', 'src/deep/three.txt']) bench.put(path, `${path}\n`);
    bench.put('.gitignore', 'cache/\n.signalbox/\n.ssh/\n');
    bench.put('cache/old', 'old\n');
    bench.git('init', '-q');
    bench.git('add', '.');
    bench.git('-c', 'user.name=n', '-c', 'user.email=e', 'commit', '-qm', 'first');
    process.env.HOME = bench.home;
    bench.#runner = await openRunner({ root: bench.root, folder: join(bench.root, '.signalbox'), ...options });
    return bench;
  }

  get runner(): Runner {
    if (this.#runner === undefined) throw new Error('not opened');
    return this.#runner;
  }

  git(...args: string[]): string {
    return execFileSync('git', args, {
      cwd: this.root,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: this.home },
    });
  }

  /** A file; its path may be relative to the root. */
  put(path: string, text: string): void {
    const full = resolve(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }

  async begin(command: string, more: Partial<RunSpec> = {}): Promise<Run | Refusal> {
    this.#count += 1;
    return this.runner.start({
      id: `R${this.#count}`,
      command,
      cwd: '.',
      env: {},
      timeout: 20_000,
      writable: [],
      scratch: [],
      sealed: ['.git', '.mcp.json'],
      network: true,
      live: false,
      ...more,
    });
  }

  async start(command: string, more: Partial<RunSpec> = {}): Promise<Run> {
    const run = await this.begin(command, more);
    if (isRefusal(run)) throw new Error(run.sentence);
    return run;
  }

  /** Runs a command to its end, and removes its layer. */
  async run(
    command: string,
    more: Partial<RunSpec> = {},
  ): Promise<Ended & { text: string; written: readonly Written[] }> {
    const run = await this.start(command, more);
    const ended = await run.ended;
    const [{ text }, written] = [await run.output(), await run.written()];
    await run.dispose();
    return { ...ended, text, written };
  }

  /** Puts the tree back to its first commit. */
  reset(): void {
    this.git('checkout', '-q', '.');
    this.git('clean', '-fdq');
  }

  /** Everything on the host that a command could have changed, with kinds, modes and contents. */
  snapshot(): readonly string[] {
    const look = (path: string): string[] => {
      const info = lstatSync(path);
      const line = `${path} ${info.mode.toString(8)}`;
      if (info.isSymbolicLink()) return [`${line} ${readlinkSync(path)}`];
      if (info.isFile()) return [`${line} ${readFileSync(path, 'latin1')}`];
      if (!info.isDirectory() || path.endsWith('.signalbox')) return [line];
      return [line, ...readdirSync(path).flatMap((name) => look(join(path, name)))];
    };
    return look(this.base);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.env.HOME = this.#home;
    await this.runner.close();
    execFileSync('chmod', ['-R', 'u+rwx', this.base]);
    rmSync(this.base, { recursive: true });
  }
}

/** The levels that contain something and work on this machine; the reason is printed for each that does not. */
export async function levelsHere(): Promise<readonly Containment[]> {
  await using bench = await Bench.make();
  const levels = await bench.runner.levels();
  for (const { level, works, reason } of levels) if (!works) console.warn(`skipped: level ${level}: ${reason}`);
  if (process.platform !== 'darwin') console.warn('skipped: confined by sandbox-exec: it needs macOS');
  return levels.filter(({ works }) => works).map(({ level }) => level);
}

/** What was written, one line each, in a stable order. */
export function lines(written: readonly Written[]): readonly string[] {
  const line = (w: Written): string => {
    if (w.kind === 'file')
      return `file ${w.path} ${w.mode.toString(8)} ${Buffer.from(w.bytes).toString('latin1')}`.trimEnd();
    if (w.kind === 'link') return `link ${w.path} -> ${w.target}`;
    return `${w.kind} ${w.path}`;
  };
  return written.map(line).sort();
}
