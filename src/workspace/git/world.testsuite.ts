import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import { rebaseBytes } from '../text/rebase.js';
import { type BuildSpec, type Built, type Git, openGit, type PathChange, type Planned } from './git.js';

const NEUTRAL = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };

/** A real repository in a temporary folder, with a person who works in it beside Signalbox. */
export class World {
  readonly root: string;

  constructor(root?: string) {
    this.root = root ?? realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-git-')));
    if (root !== undefined) return;
    this.person('init', '--quiet', '--initial-branch=main');
    this.person('config', 'user.name', 'Ada');
    this.person('config', 'user.email', 'ada@example.org');
    this.write('.git/info/exclude', '.signalbox/\n');
  }

  /** With one commit that holds these files. */
  static with(files: { readonly [path: string]: string }): World {
    const world = new World();
    for (const [path, text] of Object.entries(files)) world.write(path, text);
    world.person('add', '--all');
    world.person('commit', '--quiet', '--message=first');
    return world;
  }

  /** What a person types. Throws where git exits with anything but 0. */
  person(...args: readonly string[]): string {
    const env = { ...process.env, ...NEUTRAL, GIT_EDITOR: 'true' };
    return execFileSync('git', args, { cwd: this.root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** `git status`, one line per path that is not clean. */
  status(): string[] {
    return this.person('status', '--porcelain', '--untracked-files=all')
      .split('\n')
      .filter((line) => line !== '');
  }

  head(): string {
    return this.person('rev-parse', 'HEAD').trim();
  }

  /** The committed content of a path. */
  committed(path: string, at = 'HEAD'): string {
    return this.person('cat-file', 'blob', `${at}:${path}`);
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
    chmodSync(join(this.root, path), mode);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true });
  }

  /** A scope writes a file: on disk, and as the change that it will publish. */
  patch(path: string, before: string | null, after: string | null, mode = 0o644): PathChange {
    if (after === null) this.remove(path);
    else this.write(path, after, mode);
    return change(path, before, after, mode);
  }

  async git(): Promise<Git> {
    const git = await openGit(this.root);
    if (git === undefined || isRefusal(git)) throw new Error(`no git: ${JSON.stringify(git)}`);
    return git;
  }

  async built(changes: readonly PathChange[], more: Partial<BuildSpec> = {}): Promise<Built> {
    return accepted(await this.build(changes, more));
  }

  async build(changes: readonly PathChange[], more: Partial<BuildSpec> = {}): Promise<Built | Refusal> {
    const git = await this.git();
    return git.build({ changes, message: 'Publish it', trailers: () => [], merge, lost, ...more });
  }

  async planned(changes: readonly PathChange[], more: Partial<BuildSpec> = {}): Promise<Planned> {
    const { planned } = await this.built(changes, more);
    if (planned === undefined) throw new Error('there is nothing to commit');
    return planned;
  }

  /** Builds and moves. */
  async publish(changes: readonly PathChange[], more: Partial<BuildSpec> = {}): Promise<Built> {
    const built = await this.built(changes, more);
    if (built.planned !== undefined) accepted(await (await this.git()).move(built.planned));
    return built;
  }

  dispose(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function change(path: string, before: string | null, after: string | null, mode = 0o644): PathChange {
  return { path, steps: [{ before: bytes(before), after: bytes(after) }], current: bytes(after), mode };
}

export function merge(base: Uint8Array, ours: Uint8Array, theirs: Uint8Array): Uint8Array | null {
  const merged = rebaseBytes(base, ours, theirs);
  return merged !== null && 'bytes' in merged ? merged.bytes : null;
}

function lost(path: string): Refusal {
  return refuse('STALE_BASE', `${path} is lost.`, 'Read it.', { path });
}

export function bytes(text: string | null): Uint8Array | null {
  return text === null ? null : Buffer.from(text);
}

export function accepted<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(`${answer.code}: ${answer.sentence}`);
  return answer;
}
