import { lstat, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** Folders of the host that a contained command gets an empty one of. */
const COVERED = ['/tmp', '/run', '/dev'];
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
/** As bubblewrap does: what acts on the host even without capabilities, where the caller is root. */
const PROCFS = ['/proc/sys', '/proc/sysrq-trigger', '/proc/irq', '/proc/bus', '/proc/acpi', '/proc/fs'];
const SECRETS = [
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.kube',
  '.docker',
  '.netrc',
  '.git-credentials',
  '.pypirc',
  '.vault-token',
  '.password-store',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.config/gcloud',
  '.config/gh',
  '.config/glab-cli',
  '.config/git/credentials',
  '.local/share/keyrings',
  '.terraform.d/credentials.tfrc.json',
  '.mozilla',
  '.config/google-chrome',
  '.config/chromium',
  '.claude',
  '.claude.json',
  '.codex',
  '.gemini',
  '.config/opencode',
  '.local/share/opencode',
];
/** Each is a mount. */
const MOST_SOCKETS = 1_000;

export const isBelow = (path: string, folder: string): boolean => path.startsWith(folder === '/' ? '/' : `${folder}/`);
export const isCovered = (path: string): boolean => COVERED.some((folder) => isBelow(path, folder));

/** What a path is, links followed; undefined where it leads nowhere or may not be looked at. */
export interface Found {
  readonly path: string;
  readonly kind: 'folder' | 'file' | 'other';
}

export async function find(path: string): Promise<Found | undefined> {
  try {
    const real = await realpath(path);
    const info = await stat(real);
    return { path: real, kind: info.isDirectory() ? 'folder' : info.isFile() ? 'file' : 'other' };
  } catch {
    return undefined;
  }
}

async function findAll(paths: readonly string[]): Promise<readonly Found[]> {
  return (await Promise.all(paths.map(find))).filter((found) => found !== undefined);
}

export async function findDevices(): Promise<readonly string[]> {
  const found = await Promise.all(
    DEVICES.map(async (name) => ((await find(`/dev/${name}`)) === undefined ? [] : [name])),
  );
  return found.flat();
}

export async function findProcfs(): Promise<readonly string[]> {
  return (await findAll(PROCFS)).map(({ path }) => path);
}

/** Keys, tokens and agents' own files in the home folder, where they really lie. */
export async function findSecrets(home: string): Promise<readonly Found[]> {
  return findAll(SECRETS.map((name) => join(home, name)));
}

/** `.npmrc` without what it holds of credentials, if there is one: package managers need the rest. */
export async function npmrcWithoutCredentials(
  home: string,
): Promise<{ readonly at: string; readonly text: string } | undefined> {
  const found = await find(join(home, '.npmrc'));
  if (found?.kind !== 'file') return undefined;
  const text = await readFile(found.path, 'utf8').catch(() => '');
  const lines = text
    .split('\n')
    .filter((line) => !/(^|:)\s*(_\w+|username|email|key|cert|certfile|keyfile)\s*=/i.test(line));
  return { at: found.path, text: lines.join('\n') };
}

/** What git keeps of the workspace: its own folder, or that of the repository around or behind it. */
export async function findGitFolders(root: string): Promise<readonly Found[]> {
  for (let folder = root; ; folder = dirname(folder)) {
    const found = await find(join(folder, '.git'));
    if (found?.kind === 'folder') return [found];
    if (found?.kind === 'file') return [found, ...(await linkedGitFolders(found.path))];
    if (folder === dirname(folder)) return [];
  }
}

/** A worktree's or submodule's `.git` is a file that names its folder; a worktree's folder names the common one in turn. */
async function linkedGitFolders(file: string): Promise<readonly Found[]> {
  const named = /^gitdir: (.+)$/m.exec(await readFile(file, 'utf8'))?.[1]?.trim();
  const own = named === undefined ? undefined : await find(resolve(dirname(file), named));
  if (own?.kind !== 'folder') return [];
  const common = await readFile(join(own.path, 'commondir'), 'utf8').catch(() => '.');
  const shared = await find(resolve(own.path, common.trim()));
  return shared === undefined || shared.path === own.path ? [own] : [shared, own];
}

/** What lies in a covered folder and is needed all the same: name resolution, tools on the search path, node itself. */
export async function findNeeded(
  searchPath: string,
): Promise<readonly { readonly at: string; readonly found: Found }[]> {
  const resolver = await find('/etc/resolv.conf');
  const places = [...searchPath.split(':'), dirname(process.execPath), process.env.NODE_EXTRA_CA_CERTS ?? '']
    .filter(isAbsolute)
    .map((place) => resolve(place));
  const needed = await Promise.all(
    [...new Set(places)].filter(isCovered).map(async (at) => ({ at, found: await find(at) })),
  );
  const names = resolver !== undefined && isCovered(resolver.path) ? [{ at: resolver.path, found: resolver }] : [];
  return [
    ...names,
    ...needed.flatMap(({ at, found }) =>
      found === undefined || found.path === '/' || COVERED.includes(found.path) ? [] : [{ at, found }],
    ),
  ];
}

/**
 * Unix sockets that a command could connect to, where no private folder and no overlay keeps it from them: of those with a
 * path, what this network namespace has now, and `further` ones. More than can be hidden are too many.
 */
export async function findSockets(
  further: readonly string[],
  hidden: (path: string) => boolean,
): Promise<readonly string[]> {
  const table = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const paths = table.split('\n').flatMap((line) => /^\S+ \S+ \S+ \S+ \S+ \S+ +\d+ (\/.*)$/.exec(line)?.[1] ?? []);
  const candidates = [...new Set([...paths, ...further])].filter((path) => !hidden(path));
  const real = await Promise.all(
    candidates.map(async (path) => ((await isSocket(path)) && (await isReachable(path)) ? realIfThere(path) : [])),
  );
  const found = real.flat().filter((path) => !hidden(path));
  if (found.length > MOST_SOCKETS)
    throw new Error(`${found.length} Unix sockets lie where commands could connect to them, as ${found[0]}`);
  return found;
}

/** Sockets come and go while they are looked at. */
const realIfThere = (path: string): Promise<string[]> =>
  realpath(path).then(
    (real) => [real],
    () => [],
  );

const isSocket = (path: string): Promise<boolean> =>
  lstat(path).then(
    (info) => info.isSocket(),
    () => false,
  );

/** Whether somebody with our user and groups but no capabilities could walk to a path: root has less power inside than here. */
export async function isReachable(path: string): Promise<boolean> {
  const groups = new Set([process.getgid?.(), ...(process.getgroups?.() ?? [])]);
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const info = await stat(folder).catch(() => undefined);
    if (info === undefined) return false;
    const bit = info.uid === process.getuid?.() ? 0o100 : groups.has(info.gid) ? 0o010 : 0o001;
    if ((info.mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
