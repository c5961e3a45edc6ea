import { readFile, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type Refusal, refuse } from '../../../domain/refusal.js';
import { isThere, type Repository } from '../repository.js';
import { runGit, splitNul } from '../run.js';
import type { RealCommand } from './command.js';

/** One setting, and the file that it stands in, if in one. */
interface Setting {
  readonly key: string;
  readonly value: string;
  readonly file: string | undefined;
}

/** Settings whose value is a command, but for those that are switched off. */
const COMMANDS =
  /^(core\.(sshcommand|askpass|gitproxy|alternaterefscommand)|credential\.(.+\.)?helper|gpg\.(.+\.)?program|gpg\.ssh\.defaultkeycommand|diff\.(.+\.)?(external|command|textconv)|remote\..+\.(uploadpack|receivepack|vcs)|http\..*cookiefile)$/;
const DRIVERS = /^(filter\..+\.(clean|smudge|process)|merge\..+\.driver)$/;
/** Programs that take nothing from the tree but what they are to convert. */
const KNOWN_DRIVERS = /^(git-lfs|git lfs|git-crypt|"git-crypt"|git crypt) /;

/**
 * Why a command may not run on the repository itself, though its words are harmless: what git's settings make it start
 * lies where agents can write. BLOCKED names the setting.
 */
export async function unsafeSettings(repository: Repository, command: RealCommand): Promise<Refusal | undefined> {
  const args = ['config', '--list', '--show-origin', '--includes', '-z'];
  const { stdout } = await runGit(args, { cwd: repository.top });
  const settings = parse(splitNul(stdout));
  for (const setting of settings) {
    const wrong = await unsafe(repository, command, setting);
    if (wrong !== undefined) return blocked(setting.key, wrong);
  }
  return command.remote === undefined ? undefined : unsafeRemote(repository, command.remote, settings);
}

function parse(items: readonly string[]): Setting[] {
  const settings: Setting[] = [];
  for (let at = 0; at + 1 < items.length; at += 2) {
    const [origin = '', setting = ''] = items.slice(at, at + 2);
    const end = setting.indexOf('\n');
    const key = end < 0 ? setting : setting.slice(0, end);
    const file = origin.startsWith('file:') ? origin.slice('file:'.length) : undefined;
    settings.push({ key, value: end < 0 ? '' : setting.slice(end + 1), file });
  }
  return settings;
}

async function unsafe(repository: Repository, command: RealCommand, setting: Setting): Promise<string | undefined> {
  const { key, value, file } = setting;
  if (file !== undefined && (await isAgents(repository, resolve(repository.top, file)))) {
    return `stands in ${file}, which agents can write`;
  }
  if (command.reach !== undefined && DRIVERS.test(key) && value !== '' && !KNOWN_DRIVERS.test(`${value} `)) {
    return 'runs a program on files that come into the tree, and that program may take its parts from the tree';
  }
  if (COMMANDS.test(key) && (await namesPathInTree(repository, value))) return 'starts something that lies in the tree';
  return undefined;
}

/** Whether a path lies in the workspace, and not in git's own folder there. Agents can write nowhere else. */
async function isAgents({ root, dir }: Repository, path: string): Promise<boolean> {
  const real = await realpath(path).catch(() => path);
  const own = dirname(dir).endsWith('/worktrees') ? dirname(dirname(dir)) : dir;
  const below = (folder: string): boolean => real === folder || real.startsWith(`${folder}/`);
  return below(root) && !below(dir) && !below(own);
}

async function namesPathInTree(repository: Repository, value: string): Promise<boolean> {
  const words = value.split(/[\s"'!;=]+/).filter((word) => word !== '');
  for (const word of words) {
    const path = resolve(repository.top, word);
    if ((await isThere(path)) && (await isAgents(repository, path))) return true;
  }
  return false;
}

/** A remote that is a repository in the tree runs hooks from there; git knows others only by name. */
async function unsafeRemote(
  repository: Repository,
  { name, push }: NonNullable<RealCommand['remote']>,
  settings: readonly Setting[],
): Promise<Refusal | undefined> {
  const urls = settings.flatMap(({ key, value }) => {
    const match = /^remote\.(.+)\.(push)?url$/.exec(key);
    return match?.[1] === undefined ? [] : [{ key, remote: match[1], url: value }];
  });
  const names = new Set(urls.map(({ remote }) => remote));
  const defaults = settings.filter(({ key }) => /^(branch\..+\.(push)?remote|remote\.pushdefault)$/.test(key));
  const used = name === undefined ? defaults.map(({ value }) => value) : [name];
  const unknown = used.find((remote) => !names.has(remote) && (push || remote !== '.'));
  if (unknown !== undefined) {
    return refuse('DENIED', `${unknown} is no configured remote.`, 'Name one: git remote -v lists them.', {
      remote: unknown,
    });
  }
  for (const { key, remote, url } of urls) {
    if (name !== undefined && remote !== name) continue;
    const path = url.replace(/^file:\/\//, '');
    const isPath = path !== url || isAbsolute(path) || !/^[^/]*:/.test(path);
    if (isPath && (await isAgents(repository, resolve(repository.top, path)))) {
      return blocked(key, 'is a repository in the tree, which agents can write');
    }
  }
  return push ? lfsHook(repository) : undefined;
}

/** Hooks do not run; where large files are sent by one, a push without it would send half. */
async function lfsHook({ top, dir }: Repository): Promise<Refusal | undefined> {
  const { stdout } = await runGit(['rev-parse', '--git-common-dir'], { cwd: top });
  const common = resolve(top, stdout.trim());
  const hooks = await Promise.all(
    [dir, common].map((folder) => readFile(join(folder, 'hooks/pre-push'), 'utf8').catch(() => '')),
  );
  if (!hooks.some((text) => /git[ -]lfs/.test(text))) return undefined;
  return blocked('hooks/pre-push', 'sends large files (git-lfs), and hooks do not run here');
}

function blocked(what: string, why: string): Refusal {
  return refuse(
    'BLOCKED',
    `Git is not run on the repository itself: ${what} ${why}.`,
    'Ask the person to run the command.',
    { setting: what },
  );
}
