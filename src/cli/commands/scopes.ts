import type { Coordinator, ListInput } from '../../coordinator/contract.js';
import { isRefusal } from '../../domain/refusal.js';
import { fail, print, printJson, safe, table } from '../output.js';
import { person } from '../person.js';

/** `scopes`: the scopes of the workspace, live ones unless a status says otherwise. */
export async function scopes(coordinator: Coordinator, input: ListInput, json: boolean): Promise<void> {
  const listed = await coordinator.list(person(), input);
  if (isRefusal(listed)) return fail(listed);
  if (json) return printJson(listed);
  if (listed.scopes.length === 0) return print('No scopes.');
  const rows = listed.scopes.map((scope) => [
    scope.id,
    scope.status,
    scope.phase,
    safe(scope.agent ?? ''),
    scope.units.join(' '),
    [...(scope.waiting_for ?? []), ...(scope.blocked_on ?? [])].join(' '),
    safe(scope.title),
  ]);
  print(table([['scope', 'status', 'phase', 'agent', 'units', 'waits for', 'title'], ...rows]));
  if (listed.more !== undefined) print(`… and ${listed.more} more`);
}
