import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How long the locks of a connection that ended stand in the demo, in seconds. Elsewhere it is a minute. */
export const LEASE = 6;

const EXAMPLE = fileURLToPath(new URL('../../../examples/shop', import.meta.url));
/** What is no part of the project. */
const LEFT_OUT = ['node_modules', 'coverage', '.signalbox', '.git'];

/** Copies the example to a temporary folder and makes it a git repository. Returns its root. */
export function makeShop(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-demo-')));
  try {
    furnish(root);
    return root;
  } catch (error) {
    rmSync(root, { recursive: true, force: true });
    if (!String(error).includes('spawnSync git ENOENT')) throw error;
    throw new Error('git is needed, and is not in PATH');
  }
}

function furnish(root: string): void {
  cpSync(EXAMPLE, root, { recursive: true, filter: (path) => !LEFT_OUT.includes(basename(path)) });
  // A packed package has no .gitignore files.
  writeFileSync(join(root, '.gitignore'), 'node_modules/\ncoverage/\n.signalbox/\n');
  appendFileSync(join(root, 'signalbox.yaml'), SHORT_LEASE);
  git(root, 'init', '--quiet');
  for (const [name, value] of SETTINGS) git(root, 'config', name, value);
  git(root, 'add', '--all');
  git(root, 'commit', '--quiet', '--message', 'A small shop');
}

const SHORT_LEASE = `
# The demo kills an agent, and does not want to wait a minute for its locks.
lease_seconds: ${LEASE}
`;

/** The user's own settings must not reach into the demo: no signatures, no hooks, no other line ends. */
const SETTINGS = [
  ['user.name', 'Signalbox demo'],
  ['user.email', 'demo@example.org'],
  ['commit.gpgSign', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.autocrlf', 'false'],
] as const;

export function git(root: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    env: withoutGit(process.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Started from a git hook, the demo must not work on the repository of that hook. */
export function withoutGit(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')));
}

/** Every file of the workspace that belongs to the project, by path. */
export function filesOf(root: string, folder = ''): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (LEFT_OUT.includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) found.set(path, readFileSync(join(root, path)));
    else for (const [below, bytes] of filesOf(root, path)) found.set(below, bytes);
  }
  return found;
}
