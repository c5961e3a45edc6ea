import { Map as PersistentMap } from 'immutable';
import { type Event, type EventBody, scopeOf } from './event.js';
import { evolve } from './evolve.js';
import { evolveScope } from './evolve-scope.js';
import { isRefusal, type Refusal } from './refusal.js';
import type { Scope, ScopeId } from './scope.js';
import type { State } from './state.js';
import type { Life, View } from './view.js';

/** A decision in the making: the events so far, and a view of the state as it would be after them. */
export interface Draft {
  readonly view: View;
  readonly events: readonly EventBody[];
  emit(body: EventBody): void;
  /** Whoever this sign of life belongs to counts as alive from here on; it is written with the decision. */
  touch(key: string): void;
  /** Runs a part of the decision that leaves no event when it is refused. */
  attempt<T>(part: () => T | Refusal): T | Refusal;
}

export function draft(base: View): Draft {
  let state = base.state;
  let ended = PersistentMap<ScopeId, Scope>();
  const events: EventBody[] = [];
  const signs = new Map<string, Life | undefined>();
  const view: View = {
    get state(): State {
      return state;
    },
    now: base.now,
    settings: base.settings,
    life(key) {
      if (!signs.has(key)) signs.set(key, base.life(key));
      return signs.get(key);
    },
    file: (path) => base.file(path),
    scope: (id) => state.scopes.get(id) ?? ended.get(id) ?? base.scope(id),
  };
  return {
    view,
    events,
    emit(body) {
      const event = unrecorded(state.seq + 1, base.now, body);
      const next = evolve(state, event);
      const id = scopeOf(body);
      const former = id === undefined ? undefined : state.scopes.get(id);
      if (former !== undefined && !next.scopes.has(former.id)) ended = ended.set(former.id, evolveScope(former, event));
      state = next;
      events.push(body);
    },
    touch(key) {
      signs.set(key, { seen: base.now, called: base.now });
    },
    attempt(part) {
      const before = { state, ended, count: events.length };
      const result = part();
      if (isRefusal(result)) {
        ({ state, ended } = before);
        events.length = before.count;
      }
      return result;
    },
  };
}

/** The event as a fold sees it: who, when by the wall, and the hash are added when it is recorded. */
function unrecorded(seq: number, at: number, body: EventBody): Event {
  return { seq, at, body, wall: 0, agent: '', connection: '', hash: '' };
}
