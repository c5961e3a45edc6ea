import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { PHASES, type Phase } from '../domain/scope.js';
import { parseUnit } from '../domain/unit.js';
import type { Workspace } from '../workspace/workspace.js';

/** Units as agents write them → canonical units. A file's path is resolved, so that a link and its target are one unit. */
export async function parseUnits(workspace: Workspace, given: readonly string[]): Promise<string[] | Refusal> {
  const units: string[] = [];
  for (const text of given) {
    const unit = parseUnit(await asFolder(workspace, text), workspace.folds);
    if (isRefusal(unit)) return unit;
    if (unit.kind !== 'file' && unit.kind !== 'folder') {
      units.push(unit.text);
      continue;
    }
    const path = await workspace.resolve(unit.text === './' ? '.' : unit.text.replace(/\/$/, ''), 'write');
    if (isRefusal(path)) return path;
    const resolved = parseUnit(
      unit.kind === 'folder' ? `${path === '' || path === '.' ? '.' : path}/` : path,
      workspace.folds,
    );
    if (isRefusal(resolved)) return resolved;
    units.push(resolved.text);
  }
  return [...new Set(units)];
}

/** `src` without its slash means the folder where there is a folder of that name. */
async function asFolder(workspace: Workspace, text: string): Promise<string> {
  if (text === '.') return './';
  if (text.startsWith('process:') || /[*?[\]{}]/.test(text) || text.endsWith('/'))
    return absoluteInside(workspace, text);
  const looked = await workspace.look(text);
  const inside = absoluteInside(workspace, text);
  return !isRefusal(looked) && looked.kind === 'folder' ? `${inside}/` : inside;
}

function absoluteInside(workspace: Workspace, text: string): string {
  return text.startsWith(`${workspace.root}/`) ? text.slice(workspace.root.length + 1) : text;
}

export function parsePhase(given: string | undefined): Phase | Refusal {
  if (given === undefined) return 'build';
  const phase = PHASES.find((known) => known === given);
  if (phase !== undefined) return phase;
  return refuse(
    'INVALID',
    `phase: expected one of ${PHASES.join(', ')}, got ${JSON.stringify(given.slice(0, 40))}.`,
    'Call again with one of these, or leave phase out (build).',
    { argument: 'phase' },
  );
}
