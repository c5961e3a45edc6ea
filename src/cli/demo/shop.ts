import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How long the locks of a connection that ended stand in the demo, in seconds. Elsewhere it is a minute. */
export const LEASE = 6;

const EXAMPLE = fileURLToPath(new URL('../../../examples/shop', import.meta.url));
const LEFT_OUT = ['node_modules', '.signalbox', 'coverage', '.git'];

/** Copies the example to a temporary folder and makes it a git repository. Returns its root. */
export function makeShop(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-demo-')));
  cpSync(EXAMPLE, root, { recursive: true, filter: (path) => !LEFT_OUT.some((name) => path.endsWith(`/${name}`)) });
  // A packed package has no .gitignore files.
  writeFileSync(join(root, '.gitignore'), 'node_modules/\ncoverage/\n.signalbox/\n');
  appendFileSync(join(root, 'signalbox.yaml'), `\n# The demo kills an agent and does not want to wait a minute for its locks.\nlease_seconds: ${LEASE}\n`);
  git(root, 'init', '--quiet');
  for (const [name, value] of SETTINGS) git(root, 'config', name, value);
  git(root, 'add', '--all');
  git(root, 'commit', '--quiet', '--message', 'A small shop');
  return root;
}

/** The user's own settings must not reach into the demo: no signatures, no hooks, no other line ends. */
const SETTINGS = [
  ['user.name', 'Signalbox demo'],
  ['user.email', 'demo@example.org'],
  ['commit.gpgSign', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.autocrlf', 'false'],
] as const;

export function git(root: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', env: withoutGit(process.env), stdio: ['ignore', 'pipe', 'pipe'] });
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
