import { constants, type Stats } from 'node:fs';
import { copyFile, lstat, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { type Claimed, changedSince, MOST_BYTES, type Names } from './changed-since.js';
import { isBelow } from './host.js';
import { adoptLayer, removeLayer } from './layer.js';
import { NO_SCRATCH, type ScratchRules, type Written } from './runner.js';
import type { Recovered } from './sandbox.js';
import { isSealed, MOST_FILES, walk } from './walk.js';

/** What a successor needs of it, besides the copies. */
interface Kept extends Pick<Claimed, 'folders' | 'sealed' | 'narrow' | 'others'> {
  readonly names: Names;
}

/** Looks through the claimed folders and copies what is in them. Refuses what a direct write could not be kept from harming. */
export async function survey(
  root: string,
  spec: Names,
  layer: string,
  rules: ScratchRules,
): Promise<Claimed | Refusal> {
  const copies = join(layer, 'before');
  const named = spec.writable.find((unit) => unit.split('/').some((name) => isSealed(name, spec.sealed)));
  if (named !== undefined) return protectedFolder(named);
  const folders = await claimedFolders(root, spec.writable);
  if (isRefusal(folders)) return folders;
  const { sealed, files, closed, narrow } = await walk(root, folders, spec, rules);
  const wrong =
    closedFolder(root, closed) ??
    (await linkedSeal(root, sealed)) ??
    tooMuch(files) ??
    sharedFile(files) ??
    (await copyAll(root, files, copies));
  if (wrong !== undefined) return wrong;
  const { writable, scratch, sealed: names } = spec;
  const others = [...files].flatMap(([path, info]) => (info.isFile() ? [] : [path]));
  const kept: Kept = { names: { writable, scratch, sealed: names }, folders, sealed, narrow, others };
  await writeFile(join(layer, 'claimed'), JSON.stringify(kept), { mode: 0o600 });
  return { folders, sealed, narrow, files, others, copies };
}

/** What a command wrote directly whose server is gone: it is on disk, and the copies tell what was there. */
export async function recoverClaimed(
  root: string,
  folder: string,
  id: string,
  rules: ScratchRules,
): Promise<Recovered | undefined> {
  const layer = await adoptLayer(root, folder, id);
  const text = layer && (await readFile(join(layer.path, 'claimed'), 'utf8').catch(() => undefined));
  if (layer === undefined) return undefined;
  return {
    written: async () => (text === undefined ? [] : changedSinceCopies(root, layer.path, JSON.parse(text), rules)),
    dispose: () => removeLayer(layer.path),
  };
}

async function changedSinceCopies(
  root: string,
  layer: string,
  kept: Kept,
  rules: ScratchRules,
): Promise<readonly Written[]> {
  const copies = join(layer, 'before');
  const { files } = await walk(copies, [copies], { scratch: [], sealed: [] }, NO_SCRATCH);
  const { names, ...before } = kept;
  const written = await changedSince(root, { ...before, files, copies }, names, rules);
  return written.filter(({ path }) => !kept.others.includes(path));
}

function protectedFolder(unit: string): Refusal {
  return refuse(
    'PROTECTED',
    `${unit} is protected, and this command would write to it directly.`,
    'Run the command under a scope that has not claimed it, and change it with patch where that is allowed.',
    { path: unit },
  );
}

/** The folders themselves, made where they do not exist yet. */
async function claimedFolders(root: string, units: readonly string[]): Promise<readonly string[] | Refusal> {
  const paths: string[] = [];
  for (const unit of units) {
    const path = join(root, unit).replace(/(?<=.)\/$/, '');
    if (!unit.endsWith('/') || (path !== root && !isBelow(path, root))) return onlyFolders(unit);
    const present = await nearest(path);
    if ((await realpath(present).catch(() => undefined)) !== present) return onlyFolders(unit);
    await mkdir(path, { recursive: true }).catch(() => undefined);
    const info = await lstat(path).catch(() => undefined);
    if (!info?.isDirectory() || (await realpath(path)) !== path) return onlyFolders(unit);
    paths.push(path);
  }
  return paths.filter((path) => !paths.some((other) => isBelow(path, other)));
}

async function nearest(path: string): Promise<string> {
  const found = await lstat(path).catch(() => undefined);
  return found === undefined ? nearest(join(path, '..')) : path;
}

function onlyFolders(unit: string): Refusal {
  return refuse(
    'UNAVAILABLE',
    `This command writes directly to the folders that its scope has claimed, and ${unit} is not such a folder.`,
    'Claim the folder (claim_scope with a unit that ends in /), or use patch.',
    { unit },
  );
}

async function linkedSeal(root: string, sealed: readonly string[]): Promise<Refusal | undefined> {
  for (const path of sealed) {
    if (!(await lstat(path)).isSymbolicLink()) continue;
    const shown = relative(root, path);
    return refuse(
      'PROTECTED',
      `${shown} is protected and a link, which a command could replace.`,
      'Claim a folder without it, or use patch.',
      { path: shown },
    );
  }
  return undefined;
}

function tooMuch(files: ReadonlyMap<string, Stats>): Refusal | undefined {
  const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
  if (files.size <= MOST_FILES && bytes <= MOST_BYTES) return undefined;
  return refuse(
    'LIMIT',
    `The claimed folders hold more than ${MOST_FILES} files or ${MOST_BYTES / 1024 / 1024} MB, too much to tell afterwards what a command changed.`,
    'Claim smaller folders, or use patch.',
    { files: files.size, bytes },
  );
}

/** A file with another name outside the claim would be changed there too. */
function sharedFile(files: ReadonlyMap<string, Stats>): Refusal | undefined {
  const linked = [...files].filter(([, info]) => info.isFile() && info.nlink > 1);
  const known = new Map<string, number>();
  const key = ({ dev, ino }: Stats): string => `${dev}:${ino}`;
  for (const [, info] of linked) known.set(key(info), (known.get(key(info)) ?? 0) + 1);
  const shared = linked.find(([, info]) => (known.get(key(info)) ?? 0) < info.nlink);
  if (shared === undefined) return undefined;
  return refuse(
    'UNAVAILABLE',
    `${shared[0]} has another name outside the claimed folders (a hard link), and a command would change both.`,
    'Claim the folder that holds the other name too, or use patch, which takes the names apart.',
    { path: shared[0] },
  );
}

const closedFolder = (root: string, [folder]: readonly string[]): Refusal | undefined =>
  folder === undefined ? undefined : unreadable(`${relative(root, folder)}/`);

function unreadable(path: string): Refusal {
  return refuse(
    'BLOCKED',
    `${path} lies in a claimed folder and can't be read here, so that nobody could tell afterwards what a command changed in it.`,
    'Claim a folder without it, or ask the person to change its permissions.',
    { path },
  );
}

/** Copies the files; one that goes away meanwhile was not there. */
async function copyAll(root: string, files: Map<string, Stats>, copies: string): Promise<Refusal | undefined> {
  for (const [path, info] of files) {
    if (!info.isFile()) continue;
    try {
      await copy(join(root, path), join(copies, path));
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') return unreadable(path);
      if (code !== 'ENOENT') throw error;
      files.delete(path);
    }
  }
  return undefined;
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(join(to, '..'), { recursive: true });
  await copyFile(from, to, constants.COPYFILE_FICLONE);
}
