import { knownUnit } from '../domain/blockers.js';
import { isGlob } from '../domain/glob.js';
import { overlaps } from '../domain/overlap.js';
import { canonicalPath } from '../domain/path.js';
import { isRefusal } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import { holds, ownerOfScratch } from './owned-units.js';
import type { NamedProcess, Parts } from './parts.js';

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

/** Who wrote scratch: the scope that a command ran for, and the named processes that it was of or that its scope holds. */
export interface Writer {
  readonly own: Scope | undefined;
  readonly held: ReadonlySet<string>;
}

/** The scratch folders of the workspace, at its top and in the folders below it, but for those that others own. */
export async function scratchFolders(parts: Parts, held: ReadonlySet<string>): Promise<string[]> {
  const top = await folders(parts, '.');
  const below = await Promise.all(top.filter((name) => !NAMES.includes(name)).map((name) => folders(parts, name)));
  const found = [...top, ...below.flat()].filter((path) => NAMES.includes(path.split('/').at(-1) ?? ''));
  const scratch = await scratchAmong(
    parts,
    found.map((path) => `${path}/`),
  );
  const ours = found.filter((path) => scratch.has(`${path}/`) || scratch.has(path));
  return ours.filter((path) => !isOthers(parts, held, path));
}

/** Scratch folders that a process owns: its commands work in them directly where nothing is captured. */
export async function ownScratch(parts: Parts, named: NamedProcess | undefined): Promise<string[]> {
  const owned = (named?.owns ?? []).filter((unit) => unit.endsWith('/') && !isGlob(unit));
  const paths = owned.map((unit) => canonicalPath(unit));
  const scratch = await scratchAmong(parts, paths);
  return paths.filter((path) => scratch.has(path)).map((path) => path.slice(0, -1));
}

/** Which of these paths are scratch: git ignores them, or the operator says so and they are not tracked. */
export async function scratchAmong(parts: Parts, paths: readonly string[]): Promise<ReadonlySet<string>> {
  if (parts.git !== undefined) return parts.git.ignored(paths, parts.scratch);
  return new Set(paths.filter((path) => parts.scratch(path) || isScratchName(path)));
}

/** Why a command may not write a path that is scratch: a process owns it that the command is not of. */
export function notItsScratch(parts: Parts, { own, held }: Writer, path: string): string | undefined {
  const owner = ownerOfScratch(parts, path, held);
  if (owner === undefined || holds(own, path, parts.workspace.folds)) return undefined;
  return `NOT_CLAIMED: only commands of process:${owner.name} write here; run one of those, or claim process:${owner.name}`;
}

/** Whether something in a folder is for the commands of a process that is not held. */
function isOthers({ rules, workspace: { folds } }: Parts, held: ReadonlySet<string>, folder: string): boolean {
  const unit = knownUnit(`${folder}/`, folds);
  return rules.processes.some(
    ({ name, owns }) => !held.has(name) && owns.some((each) => overlaps(knownUnit(each, folds), unit)),
  );
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
