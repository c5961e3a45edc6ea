import { type Refusal, refuse } from '../../domain/refusal.js';
import { partsOf } from './paths.js';
import { isTemp, STATE_FOLDER } from './temps.js';

/** No setting opens these. */
const ALWAYS = new Set(['.git', STATE_FOLDER]);

/** What steers agents, editors and Signalbox itself: who writes these decides what others run. */
const CONFIGURATION = new Set([
  'signalbox.yaml',
  '.mcp.json',
  'mcp.json',
  '.claude',
  '.cursor',
  '.vscode',
  '.codex',
  '.gemini',
]);

/** All of them, wherever they stand. */
export const PROTECTED_NAMES: readonly string[] = [...ALWAYS, ...CONFIGURATION];

/** Disks that fold names would take any of these spellings for the same file; elsewhere nobody misses them. */
function fold(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

/** Canonical path → the protected name on its way, existing or not. `unprotect` lists excepted paths; what lies below them is excepted too. */
export function protectedName(path: string, unprotect: readonly string[]): string | undefined {
  const parts = partsOf(path);
  const always = parts.find((part) => ALWAYS.has(fold(part)) || isTemp(part));
  if (always !== undefined) return always;
  const name = parts.find((part) => CONFIGURATION.has(fold(part)));
  return name !== undefined && !unprotect.some((entry) => covers(entry, path)) ? name : undefined;
}

/** Whether a path leads into our own state: never read either, since it holds tokens and the open database. */
export function isState(path: string): boolean {
  return partsOf(path).some((part) => fold(part) === STATE_FOLDER);
}

export function protectedRefusal(path: string, name: string): Refusal {
  return refuse('PROTECTED', `${path} is protected: ${name} is not for agents to change.`, wayAround(name), {
    path,
    name,
  });
}

function wayAround(name: string): string {
  if (fold(name) === '.git') return 'To commit, call publish_output; leave all else of git to the person.';
  if (ALWAYS.has(fold(name)) || isTemp(name)) return 'Leave it to Signalbox; list_scopes shows what there is to know.';
  return 'Ask the person to change it, or to list it under `unprotect:` in signalbox.yaml.';
}

function covers(entry: string, path: string): boolean {
  const bare = entry.replace(/^\.\//, '').replace(/\/+$/, '');
  return bare !== '' && (path === bare || path.startsWith(`${bare}/`));
}
