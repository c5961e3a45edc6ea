import type { Claimant } from './authority.js';
import { liveScope } from './blockers.js';
import type { Draft } from './draft.js';
import { obstacles } from './grant.js';
import { denied } from './limits.js';
import { readyScopes } from './ready.js';
import { type Refusal, refuse } from './refusal.js';
import type { Phase, Scope } from './scope.js';
import { sweep } from './sweep.js';
import type { Mode } from './unit.js';
import type { View } from './view.js';

/** Which open work somebody would take up. */
export interface Pickup {
  readonly phase?: Phase;
  readonly mode: Mode;
}

/** The next open scope that the claimant can do: highest priority, then oldest, whose inputs have come and whose units are free. */
export function nextScope(draft: Draft, claimant: Claimant, pickup: Pickup): Scope | undefined {
  const found = freeScope(draft, claimant, pickup);
  if (found !== undefined) return found;
  // What was lost since the last beat is open work too.
  sweep(draft);
  return freeScope(draft, claimant, pickup);
}

function freeScope(draft: Draft, claimant: Claimant, { phase, mode }: Pickup): Scope | undefined {
  for (const id of readyScopes(draft.view.state, phase)) {
    const scope = liveScope(draft.view, id);
    const { units } = scope.contract;
    if (denied(claimant, draft.view, scope.contract.phase, units) !== undefined) continue;
    if (obstacles(draft, scope, { units, mode }).length === 0) return scope;
  }
  return undefined;
}

/** Nothing can be taken up now: WAITING where something may be soon, NOT_FOUND where nothing is open. */
export function nothingToDo({ state }: View, { phase }: Pickup): Refusal {
  const where = phase === undefined ? '' : ` in the phase ${phase}`;
  const all = [...state.scopes.values()].filter(({ contract }) => phase === undefined || contract.phase === phase);
  const open = all.filter(({ status }) => status === 'open');
  const blocked = open.filter(({ pending }) => pending.length > 0).length;
  const facts = { open: open.length, blocked, at_work: all.length - open.length, ...(phase ? { phase } : {}) };
  const call = `claim_scope ${JSON.stringify(phase === undefined ? {} : { phase })}`;
  if (open.length === 0) {
    return refuse(
      'NOT_FOUND',
      `There is no open work${where}.`,
      'Declare your own: claim_scope {"title": …, "units": […]}; or finish here.',
      facts,
    );
  }
  return refuse(
    'WAITING',
    `None of the ${open.length} open scopes${where} can be taken up now: ${blocked} wait for outputs, the units of the others are held.`,
    `Call ${call} again to go on waiting, or declare work of your own.`,
    facts,
  );
}
