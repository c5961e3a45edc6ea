import type { Claimant } from '../../../src/domain/authority.js';
import { claim } from '../../../src/domain/claim.js';
import { type Draft, draft } from '../../../src/domain/draft.js';
import { publish, release, requireOwn } from '../../../src/domain/end.js';
import type { EventBody } from '../../../src/domain/event.js';
import { scopeOf } from '../../../src/domain/event.js';
import { evolve } from '../../../src/domain/evolve.js';
import { evolveScope } from '../../../src/domain/evolve-scope.js';
import { printHandle } from '../../../src/domain/handle.js';
import { isStateless, scopeKey, statelessConnection, ticketKey } from '../../../src/domain/leases.js';
import { isRefusal, type Refusal } from '../../../src/domain/refusal.js';
import type { Scope as DomainScope, Owner } from '../../../src/domain/scope.js';
import { DEFAULTS, type Settings } from '../../../src/domain/settings.js';
import { EMPTY_STATE, type State } from '../../../src/domain/state.js';
import { arrive, sweep } from '../../../src/domain/sweep.js';
import type { Life, View } from '../../../src/domain/view.js';
import { allowWrite } from '../../../src/domain/write.js';
import * as model from './lock-table.js';
import { CAPACITY, type Units } from './places.js';

const SETTINGS: Settings = {
  ...DEFAULTS,
  lease: model.LEASE,
  idle: model.IDLE,
  idleStateless: model.IDLE_STATELESS,
  ticket: model.TICKET,
  collect: model.COLLECT,
  aging: model.AGING,
  maxAttempts: model.MAX_ATTEMPTS,
  capacity: CAPACITY,
};

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';

/** Six letters that differ for each scope and tenure, as the real mint's do. */
function mint(id: string, tenure: number): string {
  const digits = (Number(id.slice(1)) * 100_003 + tenure).toString(32).padStart(6, '0');
  return [...digits].map((digit) => LETTERS[Number.parseInt(digit, 32)]).join('');
}

/** The rules of the product, driven as the coordinator and the store drive them, with a clock that is set by hand. */
export class Rules {
  state: State = EMPTY_STATE;
  readonly #ended = new Map<string, DomainScope>();
  readonly #life = new Map<string, Life>();
  #now = 1_000_000;

  claim(who: model.Who, units: Units, mode: model.Mode, priority: number): model.Answer {
    const opening = {
      title: 'Work',
      phase: 'build' as const,
      units,
      consumes: [],
      produces: [],
      priority,
      standing: false,
    };
    return this.#claim(who, { opening, units, mode });
  }

  claimAgain(who: model.Who, id: string, further: Units, mode: model.Mode, handle: string | undefined): model.Answer {
    const opening = {
      title: '',
      phase: 'build' as const,
      units: [],
      consumes: [],
      produces: [],
      priority: 0,
      standing: false,
    };
    return this.#claim(who, { scope: handle ?? id, opening, units: further, mode });
  }

  write(who: model.Who, scope: string, path: string): model.Answer {
    const allowed = this.#act(who, (decision) => {
      const answer = allowWrite(decision, this.#claimant(who), { scope, paths: [path], title: 'Write' });
      if (!isRefusal(answer)) decision.emit(changed(answer.scope, path));
      return answer;
    });
    if (isRefusal(allowed)) return no(allowed);
    this.#used(who, allowed.scope.id);
    return { is: 'done' };
  }

  release(who: model.Who, scope: string): model.Answer {
    const answer = this.#act(who, (decision) => release(decision, this.#claimant(who), scope, 'not needed', false));
    return isRefusal(answer) ? no(answer) : { is: 'done' };
  }

  publish(who: model.Who, scope: string): model.Answer {
    const answer = this.#act(who, (decision) => {
      const own = requireOwn(decision, this.#claimant(who), scope);
      if (isRefusal(own)) return own;
      return publish(decision, own, { scope: own.id, status: 'done', summary: 'as asked', artifacts: [] });
    });
    return isRefusal(answer) ? no(answer) : { is: 'done' };
  }

  leave(who: model.Who): void {
    const { connection } = ownerOf(who);
    const life = this.#life.get(connection);
    if (life !== undefined) this.#life.set(connection, { ...life, ended: this.#now });
  }

  pass(ms: number, beating: readonly model.Who[], asking: boolean): void {
    this.#now += ms;
    const decision = draft(this.#view());
    for (const who of beating) arrive(decision, ownerOf(who).connection);
    sweep(decision);
    this.#record(decision.events);
    for (const who of beating) {
      const { connection } = ownerOf(who);
      if (isStateless(connection)) continue;
      this.#life.set(connection, { seen: this.#now, called: this.#life.get(connection)?.called ?? this.#now });
    }
    if (!asking) return;
    for (const { id, ticket } of this.state.scopes.values()) if (ticket !== undefined) this.#called(ticketKey(id));
  }

  /** The handle of a scope as it is owned now. */
  handle(id: string): string {
    const scope = this.#view().scope(id);
    if (scope === undefined) throw new Error(`the rules know no ${id}`);
    return printHandle(scope, mint);
  }

  #claim(who: model.Who, request: Parameters<typeof claim>[2]): model.Answer {
    const claimed = this.#act(who, (decision) => claim(decision, this.#claimant(who), request));
    if (isRefusal(claimed)) return no(claimed);
    const scope = this.state.scopes.get(claimed.scope);
    if (scope === undefined) throw new Error(`${claimed.scope} was claimed and is not there`);
    this.#used(who, scope.id);
    if (scope.ticket === undefined) this.#life.delete(ticketKey(scope.id));
    else this.#called(ticketKey(scope.id));
    const ahead = claimed.ahead.map((blocker) => blocker.scope.id).sort();
    return { is: scope.status === 'active' ? 'active' : 'waiting', id: scope.id, ahead };
  }

  #act<T>(who: model.Who, rule: (decision: Draft) => T | Refusal): T | Refusal {
    const decision = draft(this.#view());
    const { connection } = ownerOf(who);
    arrive(decision, connection);
    const answer = rule(decision);
    this.#record(decision.events);
    if (!isStateless(connection)) this.#called(connection);
    return answer;
  }

  #record(bodies: readonly EventBody[]): void {
    for (const body of bodies) {
      const before = this.state;
      const event = { seq: before.seq + 1, at: this.#now, wall: 0, agent: '', connection: '', hash: '', body };
      this.state = evolve(before, event);
      const scope = before.scopes.get(scopeOf(body) ?? '');
      if (scope !== undefined && !this.state.scopes.has(scope.id)) this.#ended.set(scope.id, evolveScope(scope, event));
    }
  }

  #view(): View {
    const { state } = this;
    return {
      state,
      now: this.#now,
      settings: SETTINGS,
      life: (key) => this.#life.get(key),
      file: () => undefined,
      scope: (id) => state.scopes.get(id) ?? this.#ended.get(id),
    };
  }

  #claimant(who: model.Who): Claimant {
    return { owner: ownerOf(who), mint };
  }

  #called(key: string): void {
    this.#life.set(key, { seen: this.#now, called: this.#now });
  }

  /** Where there is no connection, each use of a scope is its sign of life. */
  #used(who: model.Who, id: string): void {
    if (isStateless(ownerOf(who).connection)) this.#called(scopeKey(id));
  }
}

function ownerOf({ agent, connection }: model.Who): Owner {
  return { agent, connection: connection ?? statelessConnection(agent) };
}

function no({ code }: Refusal): model.Answer {
  return { is: 'refused', code };
}

function changed({ id, generation }: DomainScope, path: string): EventBody {
  const files = [{ path, before: null, after: 'hash' }];
  return { type: 'files.changed', scope: id, cause: 'patch', generation, files };
}
