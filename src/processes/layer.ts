import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rm, rmdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { searchPath } from './environment.js';
import {
  type Found,
  find,
  findDevices,
  findGitFolders,
  findNeeded,
  findProcfs,
  findSecrets,
  findSockets,
  isBelow,
  isCovered,
  npmrcWithoutCredentials,
} from './host.js';
import { adopt, isServed, processMark } from './identity.js';
import { PRIVATE_HOME, type View } from './mounts.js';
import type { Launched } from './sandbox.js';
import type { Grant } from './sockets.js';

const run = promisify(execFile);

/** Homes that outlive a run; more runs than this at once get one each that doesn't. */
const HOMES = ['0', '1', '2', '3', '4', '5', '6', '7'];

const MARK = '.server';

/** Entries of a layer that are removed one by one. */
const FEW = 200;

/** The folder of one run inside `.signalbox/layers`. */
export interface Layer {
  readonly path: string;
  /** From the workspace root. */
  readonly relative: string;
  /** Homes to try in order, relative to the root, each locked while in use. */
  readonly homes: readonly string[];
}

/** Makes what all runs of a workspace share: mount points that a private folder needs, and the homes. */
export async function makeSkeleton(folder: string): Promise<void> {
  const skeleton = join(folder, 'skeleton');
  for (const name of ['empty', 'dev/pts', 'dev/shm'])
    await mkdir(join(skeleton, name), { recursive: true, mode: 0o755 });
  for (const name of ['nothing', ...(await findDevices()).map((device) => `dev/${device}`)])
    await touch(join(skeleton, name));
  // Relative, so that they lead nowhere where they lie: a tool that walks the workspace must not end up in `/proc`.
  const links = {
    fd: '../proc/self/fd',
    stdin: '../proc/self/fd/0',
    stdout: '../proc/self/fd/1',
    stderr: '../proc/self/fd/2',
    ptmx: 'pts/ptmx',
  };
  for (const [name, target] of Object.entries(links))
    await symlink(target, join(skeleton, 'dev', name)).catch(unlessThere);
  for (const slot of HOMES) await makeHome(join(folder, 'home', slot));
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

const touch = (path: string): Promise<void> => writeFile(path, '', { flag: 'a', mode: 0o644 });

async function makeHome(path: string): Promise<void> {
  await Promise.all(['upper', 'work', 'plain'].map((name) => mkdir(join(path, name), { recursive: true })));
  await touch(join(path, 'lock'));
}

async function makeLayer(root: string, folder: string, id: string): Promise<Layer> {
  const path = join(folder, 'layers', id);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Of an earlier ledger, whose numbers began anew.
  if (existsSync(markOf(path)) && !(await isServed(markOf(path)))) await removeLayer(path);
  await writeFile(markOf(path), processMark(process.pid) ?? '', { flag: 'wx', mode: 0o600 });
  await mkdir(path, { mode: 0o700 });
  const places = HOMES.map((slot) => join(folder, 'home', slot));
  await Promise.all([
    ...['upper', 'work', 'root', 'run'].map((name) => mkdir(join(path, name))),
    mkdir(join(path, 'tmp')).then(() => chmod(join(path, 'tmp'), 0o1777)),
    symlink(places[0] ?? join(path, 'spare'), join(path, 'slot')),
  ]);
  const homes = [...places, join(path, 'spare')].map((home) => relative(root, home));
  return { path, relative: relative(root, path), homes };
}

/** The layer that a run left whose server is gone, marked as this server's from now on. */
export async function adoptLayer(root: string, folder: string, id: string): Promise<Layer | undefined> {
  const path = join(folder, 'layers', id);
  if (!(await lstat(path).catch(() => undefined))?.isDirectory()) return undefined;
  await adopt(markOf(path));
  return { path, relative: relative(root, path), homes: [] };
}

/** Makes a layer for a run and starts it there; of one that did not start, nothing is left. */
export async function withLayer(
  root: string,
  folder: string,
  id: string,
  work: (layer: Layer) => Promise<Launched | Refusal>,
): Promise<Launched | Refusal> {
  const layer = await makeLayer(root, folder, id);
  try {
    const launched = await work(layer);
    if (isRefusal(launched)) await removeLayer(layer.path);
    return launched;
  } catch (error) {
    await removeLayer(layer.path);
    throw error;
  }
}

/** Names the server of a layer. It is there before the layer and after it, so that no other server takes that for left over. */
const markOf = (layer: string): string => `${layer}${MARK}`;

/** Folders that a run left can be closed to us, and paths too deep for Node. */
export async function removeLayer(path: string): Promise<void> {
  await removeFew(path, { left: FEW })
    .catch(() => run('rm', ['-rf', '--', path]))
    .catch(async () => {
      await run('chmod', ['-R', 'u+rwx', '--', path]);
      await run('rm', ['-rf', '--', path]);
    });
  await rm(markOf(path), { force: true });
}

/** Most layers hold next to nothing: to start a program for that would take longer. Throws where it is no such layer. */
async function removeFew(folder: string, budget: { left: number }): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    budget.left -= 1;
    if (budget.left < 0) throw new Error(`${folder} holds too much`);
    const path = join(folder, entry.name);
    await (entry.isDirectory() ? removeFew(path, budget) : unlink(path));
  }
  await rmdir(folder);
}

/** Removes the layers of servers that are gone, but for those that hold a result which is not settled. */
export async function sweepLayers(folder: string, isNeeded: (id: string) => Promise<boolean>): Promise<void> {
  const layers = join(folder, 'layers');
  const marks = (await readdir(layers).catch(() => [])).filter((name) => name.endsWith(MARK));
  for (const mark of marks) {
    const id = mark.slice(0, -MARK.length);
    if (!(await isServed(join(layers, mark))) && !(await isNeeded(id))) await removeLayer(join(layers, id));
  }
}

/** Where a command finds its home folder: the caller's, or `/tmp` for somebody who has none. */
export async function homeFolder(): Promise<string> {
  const found = await find(homedir());
  return found?.kind === 'folder' && found.path !== '/' ? found.path : '/tmp';
}

/** What a level of containment wants its commands to see. */
export interface Plan {
  /** Whether the workspace and the home folder are overlays; otherwise they are read-only. */
  readonly overlay: boolean;
  /** Folders that are bound read-write, relative to the root; what is no real folder of the tree is left out. */
  readonly writable: readonly string[];
  /** Paths below those that stay read-only, absolute. */
  readonly sealed: readonly string[];
  readonly home: string;
  /** Sockets that the command may connect to. */
  readonly grants: readonly Grant[];
}

/** Gathers what the mount table of a run is made from, and makes the mount points for it. */
export async function prepareView(
  root: string,
  folder: string,
  layer: Layer,
  { overlay, writable, sealed, home, grants }: Plan,
): Promise<View> {
  const owned = overlay && home !== '/tmp' && home !== root && !isBelow(home, root);
  const places = [root, ...(owned ? [home] : [])];
  const inPlace = (path: string): boolean => places.some((place) => path === place || isBelow(path, place));
  await symlink(home, join(layer.path, 'home'));
  const [devices, procfs, git, needed, folders] = await Promise.all([
    findDevices(),
    findProcfs(),
    findGitFolders(root),
    findNeeded(searchPath(process.env)),
    realFolders(root, writable),
  ]);
  const kept = [
    ...needed
      .filter(({ at }) => !inPlace(at))
      .map(({ at, found }) => ({ at, from: found.path, folder: found.kind === 'folder' })),
    ...git.map(({ path, kind }) => ({ at: path, from: path, folder: kind === 'folder' })),
    ...sealed
      .filter((path) => !git.some((found) => found.path === path))
      .map((path) => ({ at: path, from: path, folder: true })),
    ...grants.map((grant) => ({ ...grant, folder: false })),
  ];
  // Sockets below an overlay can't be connected to.
  const cutOff = (path: string): boolean => overlay && inPlace(path) && !folders.some((place) => isBelow(path, place));
  const covered = (path: string): boolean =>
    isCovered(path) && !inPlace(path) && !kept.some(({ at }) => isBelow(path, at));
  await mountPoints(
    layer.path,
    [...[...places, ...(overlay ? [] : [PRIVATE_HOME])].map((at) => ({ at, folder: true })), ...kept].filter(({ at }) =>
      isCovered(at),
    ),
  );
  const isGranted = (path: string): boolean => grants.some(({ at }) => at === path);
  const sockets = await findSockets((path) => cutOff(path) || covered(path) || isGranted(path));
  const secrets = (await findSecrets(home)).filter(({ path }) => !covered(path));
  const veiled = await Promise.all(secrets.map((secret) => veil(secret, root, folder, layer)));
  const nothing = join(folder, 'skeleton/nothing');
  return {
    root,
    folder,
    layer: layer.path,
    relativeLayer: layer.relative,
    overlay,
    home: owned ? home : undefined,
    devices,
    procfs,
    writable: folders,
    kept,
    hidden: [...veiled, ...sockets.map((at) => ({ at, as: nothing })), ...(await npmrc(home, layer))].filter(
      ({ at }) => !covered(at),
    ),
  };
}

type Hidden = View['hidden'][number];

/** What stands in a secret's place: nothing, or the way to a workspace that lies inside it. */
async function veil({ path, kind }: Found, root: string, folder: string, layer: Layer): Promise<Hidden> {
  if (kind !== 'folder') return { at: path, as: join(folder, 'skeleton/nothing') };
  if (!isBelow(root, path)) return { at: path, as: join(folder, 'skeleton/empty') };
  const as = join(layer.path, 'veil');
  await mkdir(join(as, relative(path, root)), { recursive: true });
  return { at: path, as };
}

async function npmrc(home: string, layer: Layer): Promise<readonly Hidden[]> {
  const found = await npmrcWithoutCredentials(home);
  if (found === undefined) return [];
  const as = join(layer.path, 'npmrc');
  await writeFile(as, found.text, { mode: 0o600 });
  return [{ at: found.at, as }];
}

/** Mount points under `/tmp` and `/run` have to be made: what the host has there is hidden. */
async function mountPoints(
  layer: string,
  points: readonly { readonly at: string; readonly folder: boolean }[],
): Promise<void> {
  for (const { at, folder } of points) {
    await mkdir(folder ? join(layer, at) : join(layer, dirname(at)), { recursive: true });
    if (!folder) await touch(join(layer, at));
  }
}

/** Of some folders, those that are what their names say: real folders of the tree, reached without a link. */
async function realFolders(root: string, folders: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    folders.map(async (name) => ({ path: join(root, name), found: await find(join(root, name)) })),
  );
  const guarded = [join(root, '.git'), join(root, '.signalbox')];
  return found
    .filter(
      ({ path, found: real }) =>
        real?.kind === 'folder' && real.path === path && (path === root || isBelow(path, root)),
    )
    .filter(({ path }) => !guarded.some((place) => path === place || isBelow(path, place)))
    .map(({ path }) => path);
}
