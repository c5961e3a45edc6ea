import { isAbsolute, join, relative } from 'node:path/posix';
import { knownUnit } from '../domain/blockers.js';
import { installsIn } from '../domain/installs.js';
import { covers } from '../domain/overlap.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import type { NamedProcess, Parts } from './parts.js';
import type { Spec } from './run-spec.js';
import { canonicalUnit } from './units.js';

type Asked = Pick<Spec, 'command' | 'cwd'>;

/** The units that a command of this process holds while it runs, besides the process itself. */
export async function ownedUnits(parts: Parts, named: NamedProcess, spec: Asked): Promise<string[] | Refusal> {
  const near = named.nearest === undefined ? [] : await manifests(parts, named.nearest, spec);
  const units = new Set<string>();
  for (const text of [...named.owns, ...near]) {
    const unit = await canonicalUnit(parts.workspace, text, 'write');
    if (isRefusal(unit)) return { ...unit, sentence: `process:${named.name} owns ${text}. ${unit.sentence}` };
    units.add(unit);
  }
  return [...units];
}

/** What the package managers of a command line read and write, each where it looks for that. */
async function manifests(
  parts: Parts,
  names: NonNullable<NamedProcess['nearest']>,
  { command, cwd }: Asked,
): Promise<string[]> {
  const found: string[] = [];
  for (const { tool, folder } of installsIn(command)) {
    const path = isAbsolute(folder) ? relative(parts.workspace.root, folder) || '.' : join(cwd, folder);
    const place = await parts.workspace.resolve(path, 'read');
    found.push(...(await nearest(parts, names[tool] ?? [], isRefusal(place) ? cwd : place)));
  }
  return found;
}

/** Each file where it lies nearest above the folder; one that is nowhere yet, beside the first that is somewhere. */
async function nearest(parts: Parts, names: readonly string[], cwd: string): Promise<string[]> {
  const found = await Promise.all(names.map((name) => folderOf(parts, name, cwd)));
  const beside = found.find((folder) => folder !== undefined) ?? cwd;
  return names.map((name, at) => inFolder(found[at] ?? beside, name));
}

async function folderOf(parts: Parts, name: string, cwd: string): Promise<string | undefined> {
  for (let folder = cwd; ; folder = above(folder)) {
    const looked = await parts.workspace.look(inFolder(folder, name));
    if (isRefusal(looked) || looked.kind !== 'none') return folder;
    if (folder === '.') return undefined;
  }
}

function above(folder: string): string {
  const end = folder.lastIndexOf('/');
  return end < 0 ? '.' : folder.slice(0, end);
}

function inFolder(folder: string, name: string): string {
  return folder === '.' ? name : `${folder}/${name}`;
}

/** Whether a scope may write all that a unit covers. False where that is hard to tell. */
export function holds(scope: Scope | undefined, unit: string, folds: boolean): boolean {
  return [...(scope?.locks.values() ?? [])].some(({ unit: held, mode }) => {
    if (mode !== 'write') return false;
    if (held === unit || held === './') return true;
    const asked = knownUnit(unit, folds);
    if (asked.kind === 'file') return covers(knownUnit(held, folds), unit);
    return asked.kind === 'folder' && held.endsWith('/') && unit.startsWith(held);
  });
}

/** The named process of which a path is scratch that nobody else writes, unless one of those held is it. */
export function ownerOfScratch(parts: Parts, path: string, held: ReadonlySet<string>): NamedProcess | undefined {
  const owners = parts.rules.processes.filter(({ owns }) =>
    owns.some((unit) => covers(knownUnit(unit, parts.workspace.folds), path)),
  );
  return owners.some(({ name }) => held.has(name)) ? undefined : owners[0];
}

/** The named processes that these scopes hold: their commands may write what only those write. */
export function heldProcesses(scopes: readonly (Scope | undefined)[]): Set<string> {
  const units = scopes.flatMap((scope) => [...(scope?.locks.keys() ?? [])]);
  return new Set(units.flatMap((unit) => (unit.startsWith('process:') ? [unit.slice('process:'.length)] : [])));
}
