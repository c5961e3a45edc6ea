import type { Event, EventBody } from './event.js';
import { evolve } from './evolve.js';
import { isRefusal, type Refusal } from './refusal.js';
import type { Scope, ScopeId } from './scope.js';
import type { State } from './state.js';
import type { View } from './view.js';

/** A decision in the making: the events so far, and a view of the state as it would be after them. */
export interface Draft {
  readonly view: View;
  readonly events: readonly EventBody[];
  emit(body: EventBody): void;
  /** Runs a part of the decision that leaves no event when it is refused. */
  attempt<T>(part: () => T | Refusal): T | Refusal;
}

export function draft(base: View): Draft {
  let state = base.state;
  const events: EventBody[] = [];
  const view: View = {
    get state(): State {
      return state;
    },
    now: base.now,
    settings: base.settings,
    life: (key) => base.life(key),
    file: (path) => base.file(path),
    scope: (id) => state.scopes.get(id) ?? endedIn(base, id, events),
  };
  return {
    view,
    events,
    emit(body) {
      state = evolve(state, unrecorded(state.seq + 1, base.now, body));
      events.push(body);
    },
    attempt(part) {
      const before = state;
      const count = events.length;
      const result = part();
      if (isRefusal(result)) {
        state = before;
        events.length = count;
      }
      return result;
    },
  };
}

/** A live scope is read from the state alone, so that one that ended in this draft is not found alive. */
function endedIn(base: View, id: ScopeId, events: readonly EventBody[]): Scope | undefined {
  const here = base.state.scopes.has(id) || events.some((body) => body.type === 'scope.opened' && body.scope === id);
  return here ? undefined : base.scope(id);
}

/** The event as a fold sees it: who, when by the wall, and the hash are added when it is recorded. */
function unrecorded(seq: number, at: number, body: EventBody): Event {
  return { seq, at, body, wall: 0, agent: '', connection: '', hash: '' };
}
