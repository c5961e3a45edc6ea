import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isBelow } from './host.js';
import { parseMountinfo } from './mounts.js';

/** Those that a command has its own of, and what holds no sockets. */
const APART = ['/tmp', '/run', '/dev', '/proc', '/sys'];

/**
 * A read-only mount keeps nobody from connecting to a Unix socket, and there is no list of all: one may be of another
 * network namespace (as Docker's is inside a container) or be made while the command runs. A socket below an overlay is
 * another one than the host's. So everything is shown through overlays, each as high up as the kernel allows: not above a
 * mount that is not ours.
 */
export interface Cuts {
  /** Folders to be shown through an overlay, and sockets that lie between them. */
  find(): Promise<{ readonly folders: readonly Cut[]; readonly sockets: readonly string[] }>;
  /** While levels are being tried: these can't be shown that way. */
  giveUp(folders: readonly string[]): void;
  /** No more are given up: from now on a run whose folders can't be cut off does not start. → those given up. */
  settle(): readonly string[];
}

export interface Cut {
  readonly at: string;
  /** A link to it, relative to the root, under a name that overlay options can hold. */
  readonly via: string;
}

interface Split {
  readonly folders: readonly string[];
  readonly sockets: readonly string[];
}

/** `folder` is `.signalbox`, inside `root`. */
export function newCuts(root: string, folder: string): Cuts {
  const links = join(folder, 'skeleton/lower');
  const known = new Map<string, Cut>();
  const open = new Set<string>();
  let settled = false;
  return {
    async find() {
      const mounted = parseMountinfo(await readFile('/proc/self/mountinfo', 'utf8')).map(({ target }) => target);
      const { folders, sockets } = await split('/', mounted);
      const wanted = folders.filter((path) => !open.has(path));
      for (const path of wanted) if (!known.has(path)) known.set(path, await link(root, links, path));
      return { folders: wanted.flatMap((path) => known.get(path) ?? []), sockets };
    },
    giveUp(folders) {
      if (!settled) for (const folder of folders) open.add(folder);
    },
    settle() {
      settled = true;
      return [...open];
    },
  };
}

async function link(root: string, links: string, path: string): Promise<Cut> {
  const name = join(links, createHash('sha256').update(path).digest('hex'));
  await mkdir(links, { recursive: true });
  await symlink(path, name).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return { at: path, via: relative(root, name) };
}

/** The largest folders without a mount inside. */
export async function split(
  folder: string,
  mounted: readonly string[],
  list: (folder: string) => Promise<readonly Entry[] | undefined> = entries,
): Promise<Split> {
  if (APART.includes(folder)) return { folders: [], sockets: [] };
  const inside = mounted.filter((target) => isBelow(target, folder) && target !== folder);
  if (inside.length === 0) return { folders: [folder], sockets: [] };
  const found = (await list(folder)) ?? onTheWay(folder, inside);
  const parts = await Promise.all(
    found.filter((entry) => entry.isDirectory()).map(({ name }) => split(join(folder, name), inside, list)),
  );
  return {
    folders: parts.flatMap((part) => part.folders),
    sockets: [
      ...found.filter((entry) => entry.isSocket()).map(({ name }) => join(folder, name)),
      ...parts.flatMap((part) => part.sockets),
    ],
  };
}

type Entry = Pick<Dirent, 'name' | 'isDirectory' | 'isSocket'>;

const entries = (folder: string): Promise<Entry[] | undefined> =>
  readdir(folder, { withFileTypes: true }).catch(() => undefined);

/** Of a folder that we may not list, what is known to be in it. */
function onTheWay(folder: string, inside: readonly string[]): readonly Entry[] {
  const start = folder === '/' ? 1 : folder.length + 1;
  const names = new Set(inside.map((target) => target.slice(start).split('/', 1)[0] ?? ''));
  return [...names].map((name) => ({ name, isDirectory: () => true, isSocket: () => false }));
}
