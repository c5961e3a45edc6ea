import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rm, rmdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { find, findDevices } from './host.js';
import { adopt, isServed, processMark } from './identity.js';
import type { Launched } from './sandbox.js';

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

export const touch = (path: string): Promise<void> => writeFile(path, '', { flag: 'a', mode: 0o644 });

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
    ...['upper', 'work', 'root', 'run', 'void'].map((name) => mkdir(join(path, name))),
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
