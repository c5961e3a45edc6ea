import { knownUnit } from '../domain/blockers.js';
import { handOn } from '../domain/hand-on.js';
import { covers } from '../domain/overlap.js';
import { isRefusal } from '../domain/refusal.js';
import type { Scope } from '../domain/scope.js';
import type { Written } from '../processes/runner.js';
import type { Caller } from './contract.js';
import { act, claimant, type Parts } from './parts.js';
import type { Acquired } from './process-unit.js';
import { titleFrom } from './title.js';

/**
 * The scope that the writes of an ended command go to. What it changed in units that it held of its own goes on to the
 * scope that it ran for, or to a new one, before anybody else can have them.
 */
export async function heirOf(
  parts: Parts,
  caller: Caller,
  own: Scope | undefined,
  acquired: Acquired,
  { command, written }: { readonly command: string; readonly written: readonly Written[] },
): Promise<Scope | undefined> {
  const id = acquired.scope;
  if (id === undefined || written.length === 0) return own;
  const held = await parts.store.view({}, ({ state }) => [...(state.scopes.get(id)?.locks.keys() ?? [])]);
  const units = held.filter((unit) => !unit.startsWith('process:'));
  if (units.length === 0) return own;
  const paths = written.filter(({ kind }) => kind !== 'scratch').map(({ path }) => path);
  const { folds } = parts.workspace;
  const changed = units.filter((unit) => paths.some((path) => covers(knownUnit(unit, folds), path)));
  if (changed.length === 0) return own;
  const request = { command: id, units: changed, heir: own, title: titleFrom(`Run ${command}`) };
  const heir = await act<{ scope: Scope | undefined }>(parts, caller, 'run', {}, (draft) => {
    const scope = handOn(draft, claimant(parts, caller), request);
    return { answer: isRefusal(scope) ? scope : { scope } };
  });
  return isRefusal(heir) ? own : (heir.scope ?? own);
}
