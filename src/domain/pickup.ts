import type { Claimant } from './authority.js';
import { Bars } from './bars.js';
import { bar, liveScope } from './blockers.js';
import type { Draft } from './draft.js';
import { newcomer } from './grant.js';
import { reachOf } from './limits.js';
import { isWithin } from './pieces.js';
import { idOf } from './ready.js';
import { type Refusal, refuse } from './refusal.js';
import type { Phase, Scope } from './scope.js';
import type { State } from './state.js';
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
  const found = freeScope(draft.view, claimant, pickup);
  if (found !== undefined) return found;
  const { state } = draft.view;
  // What was lost since the last beat is open work too.
  sweep(draft);
  return draft.view.state === state ? undefined : freeScope(draft.view, claimant, pickup);
}

/** Goes through open work in its order. What was found to be barred once is not looked at again. */
function freeScope(view: View, { limits }: Claimant, { phase, mode }: Pickup): Scope | undefined {
  const reaches = reachOf(limits, view.settings);
  const bars = new Bars(view.settings.folds);
  for (const piece of view.state.ready) {
    if (bars.hasAll(piece)) continue;
    for (const ready of piece) {
      const { units, priority } = ready;
      if ((phase !== undefined && ready.phase !== phase) || !reaches(ready.phase, units)) continue;
      if (units.some((text) => bars.has(text))) continue;
      const id = idOf(ready);
      const found = bar(view, newcomer(view, id, priority, { units, mode }));
      if (found === undefined) return liveScope(view, id);
      bars.add(found);
    }
  }
  return undefined;
}

/** Whether there is any open work, though nobody may be able to take it up now. */
export function isWorkOpen({ ready, scopes }: State, { phase }: Pickup): boolean {
  const isOf = (other: Phase) => phase === undefined || other === phase;
  return (
    ready.some((piece) => piece.some((each) => isOf(each.phase))) ||
    scopes.some(({ status, contract }) => status === 'open' && isOf(contract.phase))
  );
}

/**
 * Whether whoever found nothing to take up in one state need not look at a later one: nothing was opened, freed or ended in
 * between. What is lost by the mere passing of time is made an event by the next beat.
 */
export function hasNoNews(before: State, after: State): boolean {
  const isHeld = before.locks.era === after.locks.era && before.queue.era === after.queue.era;
  return isHeld && before.runs === after.runs && isWithin(after.ready, before.ready);
}

/** Nothing can be taken up now: WAITING where something may be soon, NOT_FOUND where nothing is open. */
export function nothingToDo({ state }: View, { phase }: Pickup): Refusal {
  const where = phase === undefined ? '' : ` in the phase ${phase}`;
  const { open, blocked, atWork } = counted(state, phase);
  const facts = { open, blocked, at_work: atWork, ...(phase ? { phase } : {}) };
  const call = `claim_scope ${JSON.stringify(phase === undefined ? {} : { phase })}`;
  if (open === 0) {
    return refuse(
      'NOT_FOUND',
      `There is no open work${where}.`,
      'Declare your own: claim_scope {"title": …, "units": […]}; or finish here.',
      facts,
    );
  }
  return refuse(
    'WAITING',
    `None of the ${open} open scopes${where} can be taken up now: ${blocked} wait for outputs, the units of the others are held.`,
    `Call ${call} again to go on waiting, or declare work of your own.`,
    facts,
  );
}

function counted({ scopes }: State, phase: Phase | undefined): { open: number; blocked: number; atWork: number } {
  const counts = { open: 0, blocked: 0, atWork: 0 };
  for (const { status, pending, contract } of scopes.values()) {
    if (phase !== undefined && contract.phase !== phase) continue;
    if (status !== 'open') counts.atWork += 1;
    else {
      counts.open += 1;
      if (pending.length > 0) counts.blocked += 1;
    }
  }
  return counts;
}
