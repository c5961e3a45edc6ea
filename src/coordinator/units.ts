import { dirname } from 'node:path';
import { isGlob } from '../domain/glob.js';
import { covers } from '../domain/overlap.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Product } from '../domain/scope.js';
import { parseUnit } from '../domain/unit.js';
import { inArgument, quoted, wrongArgument } from './argument.js';
import type { Disk } from './patient-disk.js';

type Purpose = 'read' | 'write';

/** Units to be claimed, as agents write them → canonical units. */
export async function parseUnits(workspace: Disk, given: readonly string[]): Promise<string[] | Refusal> {
  const units: string[] = [];
  for (const [at, text] of given.entries()) {
    const unit = await canonicalUnit(workspace, text, 'write');
    if (isRefusal(unit)) return inArgument(unit, `units[${at}]`);
    units.push(unit);
  }
  return [...new Set(units)];
}

/** A unit as it is compared with others. Its path is resolved, so that a link and its target are one unit. */
export async function canonicalUnit(workspace: Disk, text: string, purpose: Purpose): Promise<string | Refusal> {
  if (text.startsWith('process:')) return printed(workspace, text);
  const { above, pattern } = splitGlob(text);
  const path = await workspace.resolve(above, purpose);
  if (isRefusal(path)) return path;
  const prefix = path === '.' ? '' : `${path}/`;
  if (pattern !== '') return printed(workspace, prefix + pattern);
  return printed(workspace, isFolder(workspace, text, path) ? prefix || './' : path);
}

function printed(workspace: Disk, text: string): string | Refusal {
  const unit = parseUnit(text, workspace.folds);
  return isRefusal(unit) ? unit : unit.text;
}

/** What is claimed to write a file: the file itself; where its name reads as something else, the folder around it. */
export function unitOfPath(path: string, folds: boolean): string {
  const unit = parseUnit(path, folds);
  return !isRefusal(unit) && covers(unit, path) ? unit.text : `${dirname(path)}/`;
}

/** A glob's folders before its first wildcard can be links like those of any path. */
function splitGlob(text: string): { readonly above: string; readonly pattern: string } {
  const names = text.split('/');
  const first = names.findIndex(isGlob);
  if (first < 0) return { above: text, pattern: '' };
  const above = names.slice(0, first).join('/');
  return { above: above || (first === 0 ? '.' : '/'), pattern: names.slice(first).join('/') };
}

/** `src` without its slash means the folder where there is a folder of that name. */
function isFolder(workspace: Disk, given: string, path: string): boolean {
  return path === '.' || /\/\.?$/.test(given) || workspace.isFolder(path);
}

/** Files that a scope promises to publish → with canonical paths. Only files can be outputs. */
export async function parseProduces(
  workspace: Disk,
  given: readonly (string | Product)[],
): Promise<Product[] | Refusal> {
  const products = new Map<string, Product>();
  for (const [at, product] of given.entries()) {
    const { path: text, type } = typeof product === 'string' ? { path: product, type: 'file' } : product;
    const argument = `produces[${at}]`;
    const path = await workspace.resolve(text, 'write');
    if (isRefusal(path)) return inArgument(path, argument);
    if (/[*?]/.test(text) || isFolder(workspace, text, path)) {
      return wrongArgument(argument, 'the path of a file', quoted(text), 'Name each file that will be published.');
    }
    products.set(path, { path, type });
  }
  return [...products.values()];
}
