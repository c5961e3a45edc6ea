import { knownUnit } from '../domain/blockers.js';
import { isGlob } from '../domain/glob.js';
import { overlaps } from '../domain/overlap.js';
import { canonicalPath } from '../domain/path.js';
import type { Scope } from '../domain/scope.js';
import type { ScratchRules } from '../processes/runner.js';
import { PROTECTED_NAMES } from '../workspace/files/protected.js';
import { holds, ownerOfScratch } from './owned-units.js';
import type { NamedProcess, Parts } from './parts.js';

/** Dependency folders and caches: where they exist and are ignored, a command works in them directly. */
const NAMES: ReadonlySet<string> = new Set([
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
]);

/** Who wrote scratch: the scope that a command ran for, and the named processes that it was of or that its scope holds. */
export interface Writer {
  readonly own: Scope | undefined;
  readonly held: ReadonlySet<string>;
}

/** What the runner needs to know of scratch. */
export function scratchRules(from: Pick<Parts, 'git' | 'scratch'>): ScratchRules {
  return { sealed: PROTECTED_NAMES, among: (paths, alone) => scratchAmong(from, paths, new Set(alone)) };
}

/** The dependency folders and caches of the workspace, but for those that others own. */
export async function cacheFolders(parts: Parts, held: ReadonlySet<string>): Promise<string[]> {
  const found = await scratchFolders(parts, parts.workspace.named(NAMES));
  return found.filter((path) => ownerInside(parts, held, path) === undefined);
}

/** Of these folders those of which all that is in them is scratch: by a rule for the folder, or by a `.gitignore` in it. */
export async function scratchFolders(parts: Parts, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const inside = (path: string): string => `${path}/.gitignore`;
  const scratch = await scratchAmong(
    parts,
    paths.flatMap((path) => [`${path}/`, inside(path)]),
  );
  return paths.filter((path) => scratch.has(`${path}/`) || scratch.has(inside(path)));
}

/**
 * Whether a command looks as if it would remove this folder, which it can't where it writes to it directly: a mount point
 * stays. Then what it does there is better captured. Only a matter of convenience, never of safety.
 */
export function clears(command: string, folder: string): boolean {
  if (/\bclean\b/.test(command)) return true;
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  const steps = command.split(/[;&|()\n]+/).map((step) => step.split(/[\s'"`=]+/));
  return steps.some((words) => words.some(removes) && words.some((word) => lastName(word) === name));
}

function removes(word: string): boolean {
  return ['rm', 'rmdir', 'rimraf', 'mv'].includes(lastName(word));
}

function lastName(path: string): string {
  return path.split('/').findLast((part) => part !== '') ?? '';
}

/** Scratch folders that a process owns: its commands work in them directly where nothing is captured. */
export async function ownScratch(parts: Parts, named: NamedProcess | undefined): Promise<string[]> {
  const owned = (named?.owns ?? []).filter((unit) => unit.endsWith('/') && !isGlob(unit));
  const paths = owned.map((unit) => canonicalPath(unit));
  const scratch = await scratchAmong(parts, paths);
  return paths.filter((path) => scratch.has(path)).map((path) => path.slice(0, -1));
}

/** Which of these paths are scratch: git ignores them, or the operator says so, or they are `alone`, and they are not tracked. */
export async function scratchAmong(
  { git, scratch }: Pick<Parts, 'git' | 'scratch'>,
  paths: readonly string[],
  alone: ReadonlySet<string> = new Set(),
): Promise<ReadonlySet<string>> {
  const also = (path: string): boolean => scratch(path) || alone.has(path);
  return git === undefined
    ? new Set(paths.filter((path) => also(path) || isScratchName(path)))
    : git.ignored(paths, also);
}

/** A process of which the command is not, that owns this path, or this folder as a whole. */
export function otherOwner(
  parts: Parts,
  { own, held }: Writer,
  { path, folder }: { readonly path: string; readonly folder: boolean },
): NamedProcess | undefined {
  const owner = ownerOfScratch(parts, path, held);
  return owner === undefined || holds(own, folder ? `${path}/` : path, parts.workspace.folds) ? undefined : owner;
}

/** A process that is not held and owns something in a folder. */
export function ownerInside(
  { rules, workspace: { folds } }: Parts,
  held: ReadonlySet<string>,
  folder: string,
): NamedProcess | undefined {
  const unit = knownUnit(`${folder}/`, folds);
  return rules.processes.find(
    ({ name, owns }) => !held.has(name) && owns.some((each) => overlaps(knownUnit(each, folds), unit)),
  );
}

/** Without git there is nothing that says what is ignored: then these names are. */
function isScratchName(path: string): boolean {
  return path.split('/').some((part) => NAMES.has(part) || ['dist', 'build', 'coverage'].includes(part));
}
