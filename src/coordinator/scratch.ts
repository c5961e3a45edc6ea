import { isRefusal } from '../domain/refusal.js';
import type { Parts } from './parts.js';

/** Dependency folders and caches: where they exist and are ignored, a command works in them directly. */
const NAMES = [
  'node_modules',
  '.venv',
  'venv',
  'target',
  'vendor',
  '.gradle',
  '.cache',
  '.pytest_cache',
  '.mypy_cache',
  '.tox',
];

/** The scratch folders of the workspace, at its top and in the folders below it. */
export async function scratchFolders(parts: Parts): Promise<string[]> {
  const top = await folders(parts, '.');
  const below = await Promise.all(top.filter((name) => !NAMES.includes(name)).map((name) => folders(parts, name)));
  const found = [...top, ...below.flat()].filter((path) => NAMES.includes(path.split('/').at(-1) ?? ''));
  if (parts.git === undefined) return found;
  const ignored = await parts.git.ignored(found.map((path) => `${path}/`));
  return found.filter((path) => ignored.has(`${path}/`) || ignored.has(path));
}

async function folders(parts: Parts, path: string): Promise<string[]> {
  const looked = await parts.workspace.look(path);
  if (isRefusal(looked) || looked.kind !== 'folder') return [];
  const prefix = path === '.' ? '' : `${path}/`;
  return looked.entries.filter((entry) => entry.kind === 'folder').map((entry) => prefix + entry.name);
}

/** Without git there is nothing that says what is ignored: then these names are. */
export function isScratchName(path: string): boolean {
  return path.split('/').some((part) => NAMES.includes(part) || ['dist', 'build', 'coverage'].includes(part));
}
