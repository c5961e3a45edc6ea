import type { ControlPlane, UndoInput, UndoOutput } from '../../coordinator/control-plane-contract.js';
import { isRefusal } from '../../domain/refusal.js';
import { fail, print, printJson, safe, shortHash } from '../output.js';
import { person } from '../person.js';

/** `undo`: takes back exactly what one scope changed, as a scope of the person's own. */
export async function undo(plane: ControlPlane, scope: string, input: UndoInput, json: boolean): Promise<void> {
  const undone = await plane.undo(person(), scope, input);
  if (isRefusal(undone)) return fail(undone);
  if (json) return printJson(undone);
  print(sentence(undone));
  for (const path of undone.paths) print(`  ${safe(path)}`);
}

function sentence({ id, status, by, paths, commit, branch }: UndoOutput): string {
  if (status === 'unchanged') return `${id} changed no file: there is nothing to undo.`;
  if (status === 'already')
    return by === undefined ? `Nothing of ${id} is left.` : `${id} was undone by ${by} already.`;
  if (status === 'conflict')
    return `${by} is open: somebody brings ${id} out of these files and keeps what was built on it.`;
  const where = branch === undefined ? '' : ` on ${safe(branch)}`;
  const made = commit === undefined ? '' : `, committed as ${shortHash(commit)}${where}`;
  return `${id} is undone by ${by}${made}: ${paths.length} ${paths.length === 1 ? 'file' : 'files'}.`;
}
