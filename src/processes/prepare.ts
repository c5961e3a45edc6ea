import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Cuts } from './cuts.js';
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
import { type Layer, touch } from './layer.js';
import { PRIVATE_HOME, type View } from './mounts.js';
import type { Grant } from './sockets.js';

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
  /** What keeps commands from the sockets of the host. */
  readonly cuts: Cuts;
}

/** Gathers what the mount table of a run is made from, and makes the mount points for it. */
export async function prepareView(
  root: string,
  folder: string,
  layer: Layer,
  { overlay, writable, sealed, home, grants, cuts }: Plan,
): Promise<View> {
  const owned = overlay && home !== '/tmp' && home !== root && !isBelow(home, root);
  const places = [root, ...(owned ? [home] : [])];
  const inPlace = (path: string): boolean => places.some((place) => path === place || isBelow(path, place));
  await symlink(home, join(layer.path, 'home'));
  const [host, devices, procfs, git, needed, folders] = await Promise.all([
    cuts.find(),
    findDevices(),
    findProcfs(),
    findGitFolders(root),
    findNeeded(searchPath(process.env)),
    realFolders(root, writable),
  ]);
  const kept = [
    ...needed.filter(({ at }) => !inPlace(at)).map(asKept),
    ...[...git, ...sealed.filter((path) => !git.some((found) => found.path === path)).map(asFolder)].map(inItsPlace),
    ...grants.map((grant) => ({ ...grant, folder: false })),
  ];
  const isKept = (path: string): boolean => kept.some(({ at }) => isBelow(path, at));
  const covered = (path: string): boolean => isCovered(path) && !inPlace(path) && !isKept(path);
  await mountPoints(
    layer.path,
    [...[...places, ...(overlay ? [] : [PRIVATE_HOME])].map((at) => ({ at, folder: true })), ...kept].filter(({ at }) =>
      isCovered(at),
    ),
  );
  const cut = host.folders.filter(({ at }) => !inPlace(at));
  const isCutOff = among([...cut.map(({ at }) => at), ...(overlay ? places : [])]);
  const isShown = among([...folders, ...kept.map(({ at }) => at), ...(overlay ? [] : [root])]);
  const outOfReach = (path: string): boolean =>
    grants.some(({ at }) => at === path) || (!isShown(path) && (isCovered(path) || isCutOff(path)));
  const sockets = await findSockets(host.sockets, outOfReach);
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
    cuts: cut,
    kept,
    hidden: [...veiled, ...sockets.map((at) => ({ at, as: nothing })), ...(await npmrc(home, layer))].filter(
      ({ at }) => !covered(at),
    ),
  };
}

interface Kept extends Grant {
  readonly folder: boolean;
}

const asKept = ({ at, found }: { readonly at: string; readonly found: Found }): Kept => ({
  at,
  from: found.path,
  folder: found.kind === 'folder',
});
const inItsPlace = (found: Found): Kept => asKept({ at: found.path, found });
const asFolder = (path: string): Found => ({ path, kind: 'folder' });

const among =
  (folders: readonly string[]) =>
  (path: string): boolean =>
    folders.some((folder) => isBelow(path, folder));

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
async function mountPoints(layer: string, points: readonly Pick<Kept, 'at' | 'folder'>[]): Promise<void> {
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
