import { conflict, coversPath, room, type Units } from './places.js';

/*
 * What the lock table is, said once more: no indices, no events, no laziness, no code of the product. All scopes stand in
 * one list; whatever is due happens at once; every question is answered by looking at everything.
 */

export const LEASE = 60_000;
export const IDLE = 30 * 60_000;
export const IDLE_STATELESS = 10 * 60_000;
export const TICKET = 60_000;
export const COLLECT = 120_000;
export const AGING = 5 * 60_000;
export const MAX_ATTEMPTS = 3;

export type Mode = 'write' | 'read';

export interface Who {
  readonly agent: string;
  /** Undefined where each request stands alone. */
  readonly connection: string | undefined;
}

interface Ticket {
  readonly units: Units;
  readonly mode: Mode;
  readonly since: number;
  readonly place: number;
}

interface Life {
  seen: number;
  called: number;
  ended?: number;
}

export interface Scope {
  readonly id: string;
  readonly wanted: Units;
  readonly priority: number;
  status: 'open' | 'waiting' | 'active' | 'ended';
  owner?: Who;
  locks: Map<string, Mode>;
  ticket?: Ticket;
  attempts: number;
  changed: boolean;
  /** When a wait ended without its agent having heard of it. */
  grantedAt?: number;
  /** When its agent last asked after its ticket. */
  asked?: number;
  /** The last call for it, where there is no connection. */
  called: number;
}

export type Answer =
  | { readonly is: 'active' | 'waiting'; readonly id: string; readonly ahead: readonly string[] }
  | { readonly is: 'done' }
  | { readonly is: 'refused'; readonly code: string };

const done: Answer = { is: 'done' };

export class LockTable {
  now = 1_000_000;
  scopes: Scope[] = [];
  #opened = 0;
  #places = 0;
  readonly #lives = new Map<string, Life>();

  claim(who: Who, units: Units, mode: Mode, priority: number): Answer {
    this.#call(who);
    const id = `S${String(this.#opened + 1).padStart(3, '0')}`;
    const scope: Scope = {
      id,
      wanted: units,
      priority,
      status: 'open',
      locks: new Map(),
      attempts: 0,
      changed: false,
      called: this.now,
    };
    return this.#whole(() => {
      this.#opened += 1;
      this.scopes.push(scope);
      return this.#ask(who, scope, units, mode);
    });
  }

  /** A claim of an open scope, of further units for one's own, or that only goes on waiting. */
  claimAgain(who: Who, id: string, further: Units, mode: Mode): Answer {
    this.#call(who);
    const scope = this.scope(id);
    const asked = scope.status === 'open' ? [...scope.wanted, ...further] : further;
    const missing = [...new Set(asked)].filter((unit) => !this.#hasOrAwaits(scope, unit, mode));
    if (scope.status !== 'open' && missing.length === 0) return this.#standing(scope);
    return this.#whole(() => this.#ask(who, scope, missing, mode));
  }

  write(who: Who, id: string, path: string): Answer {
    this.#call(who);
    const scope = this.scope(id);
    if (scope.status === 'waiting') return refused('WAITING');
    const isHeld = [...scope.locks].some(([unit, mode]) => mode === 'write' && coversPath(unit, path));
    const answer = isHeld ? done : this.#whole(() => this.#take(scope, [path]));
    if (answer.is !== 'done') return answer;
    scope.changed = true;
    delete scope.grantedAt;
    scope.called = this.now;
    return done;
  }

  release(who: Who, id: string): Answer {
    this.#call(who);
    const scope = this.scope(id);
    this.#disown(scope, scope.changed ? 'open' : 'ended');
    this.#grantAll();
    return done;
  }

  publish(who: Who, id: string): Answer {
    this.#call(who);
    this.#disown(this.scope(id), 'ended');
    this.#grantAll();
    return done;
  }

  /** A handle of an ownership that is over. */
  stale(who: Who, id: string): Answer {
    this.#call(who);
    return refused(this.scope(id).status === 'ended' ? 'UNKNOWN_SCOPE' : 'LEASE_LOST');
  }

  leave({ connection }: Who): void {
    const life = connection === undefined ? undefined : this.#lives.get(connection);
    if (life !== undefined) life.ended = this.now;
  }

  /** Time goes by; then servers beat for these, and for the calls that wait. */
  pass(ms: number, beating: readonly Who[], asking: boolean): void {
    this.now += ms;
    this.#expireAll();
    for (const { connection } of beating) {
      if (connection === undefined) continue;
      this.#lives.set(connection, { seen: this.now, called: this.#lives.get(connection)?.called ?? this.now });
    }
    if (asking) for (const scope of this.scopes) if (scope.ticket !== undefined) scope.asked = this.now;
  }

  scope(id: string): Scope {
    const scope = this.scopes.find((each) => each.id === id);
    if (scope === undefined) throw new Error(`the model knows no ${id}`);
    return scope;
  }

  #call({ connection }: Who): void {
    if (connection !== undefined) this.#lives.set(connection, { seen: this.now, called: this.now });
  }

  /** All of it or nothing. */
  #whole(part: () => Answer): Answer {
    const before = { scopes: this.scopes.map((scope) => ({ ...scope, locks: new Map(scope.locks) })) };
    const opened = this.#opened;
    const answer = part();
    if (answer.is === 'refused') {
      this.scopes = before.scopes;
      this.#opened = opened;
    }
    return answer;
  }

  #ask(who: Who, scope: Scope, units: Units, mode: Mode): Answer {
    const { ticket } = scope;
    const all =
      ticket !== undefined && scope.owner !== undefined
        ? { units: [...new Set([...ticket.units, ...units])], mode: ticket.mode === 'write' ? ticket.mode : mode }
        : { units, mode };
    const wish = scope.status === 'active' ? { units, mode } : all;
    const last: Ticket = { ...wish, since: this.now, place: Number.POSITIVE_INFINITY };
    const ahead = this.#ahead(scope, last);
    if (ahead.length === 0) this.#grant(scope, who, last);
    else {
      if (ahead.some(({ by, units: theirs }) => isSibling(who, by) && theirs.some(isNoProcess))) return refused('HELD');
      this.#queue(scope, who, all);
      this.#grantAll();
    }
    return this.#isStuck(scope) ? refused('DEADLOCK') : this.#standing(scope);
  }

  /** Free units are claimed with a write; nobody waits for it. */
  #take(scope: Scope, units: Units): Answer {
    const wish: Ticket = { units, mode: 'write', since: this.now, place: Number.POSITIVE_INFINITY };
    if (this.#ahead(scope, wish).length > 0) return refused('HELD');
    this.#grant(scope, ownerOf(scope), wish);
    return this.#isStuck(scope) ? refused('DEADLOCK') : done;
  }

  #standing(scope: Scope): Answer {
    scope.called = this.now;
    if (scope.ticket === undefined) {
      delete scope.grantedAt;
      delete scope.asked;
    } else scope.asked = this.now;
    const ahead = scope.ticket === undefined ? [] : this.#ahead(scope, scope.ticket).map(({ by }) => by.id);
    return { is: scope.status === 'active' ? 'active' : 'waiting', id: scope.id, ahead: [...ahead].sort() };
  }

  #grant(scope: Scope, who: Who, { units, mode }: Ticket): void {
    scope.owner ??= who;
    scope.status = 'active';
    scope.called = Math.max(scope.called, this.now);
    for (const unit of units) scope.locks.set(unit, scope.locks.get(unit) === 'write' ? 'write' : mode);
  }

  #queue(scope: Scope, who: Who, { units, mode }: { readonly units: Units; readonly mode: Mode }): void {
    if (scope.owner === undefined) scope.called = this.now;
    scope.owner ??= who;
    scope.ticket = { units, mode, since: this.now, place: ++this.#places };
    delete scope.grantedAt;
    if (scope.status !== 'active') scope.status = 'waiting';
  }

  /** Whoever stands in the way of these units: holders, where no place is left, and those whose turn comes first. */
  #ahead(scope: Scope, ticket: Ticket, isFull = this.#isFull): { readonly by: Scope; readonly units: string[] }[] {
    const found = new Map<Scope, string[]>();
    const meets = (by: Scope, unit: string) => found.set(by, [...(found.get(by) ?? []), unit]);
    for (const unit of ticket.units) {
      for (const other of this.scopes) {
        if (other === scope) continue;
        for (const [theirs, mode] of other.locks) {
          if (conflict(unit, ticket.mode, theirs, mode) && isFull(unit, scope)) meets(other, theirs);
        }
        if (other.ticket === undefined || !this.#isFirst(other, other.ticket, scope, ticket)) continue;
        for (const theirs of other.ticket.units) {
          if (conflict(unit, ticket.mode, theirs, other.ticket.mode)) meets(other, theirs);
        }
      }
    }
    return [...found].map(([by, units]) => ({ by, units }));
  }

  readonly #isFull = (unit: string, asker: Scope): boolean =>
    room(unit) === 1 || this.scopes.filter((each) => each !== asker && each.locks.has(unit)).length >= room(unit);

  #isFirst(other: Scope, theirs: Ticket, scope: Scope, mine: Ticket): boolean {
    return (
      order(other, theirs) - order(scope, mine) <= 0 &&
      byPlace(other, theirs, scope, mine) &&
      !this.#awaits(other, scope)
    );
  }

  /** Whether a ticket surely waits for what this scope holds itself: of a process it may get another place. */
  #awaits({ ticket }: Scope, holder: Scope): boolean {
    return [...holder.locks].some(
      ([unit, mode]) =>
        room(unit) === 1 && ticket?.units.some((theirs) => conflict(theirs, ticket.mode, unit, mode)) === true,
    );
  }

  /** Whether all would wait for each other, each agent for whatever any of its scopes queues for. */
  #isStuck(start: Scope): boolean {
    const home = crewOf(start);
    const seen = new Set<string>();
    const next = [home];
    for (const crew of next) {
      for (const scope of this.scopes) {
        if (scope.ticket === undefined || crewOf(scope) !== crew) continue;
        // A place that is left now may be gone by its turn.
        for (const { by } of this.#ahead(scope, scope.ticket, () => true)) {
          if (crewOf(by) === home) return true;
          if (!seen.has(crewOf(by))) next.push(crewOf(by));
          seen.add(crewOf(by));
        }
      }
    }
    return false;
  }

  #hasOrAwaits({ locks, ticket }: Scope, unit: string, mode: Mode): boolean {
    const suffices = (own: Mode | undefined) => own === 'write' || (own === 'read' && mode === 'read');
    return suffices(locks.get(unit)) || (ticket?.units.includes(unit) === true && suffices(ticket.mode));
  }

  #disown(scope: Scope, status: 'open' | 'ended'): void {
    scope.status = status;
    scope.locks = new Map();
    delete scope.owner;
    delete scope.ticket;
    delete scope.grantedAt;
    delete scope.asked;
  }

  #grantAll(): void {
    for (let went = true; went; ) {
      went = false;
      const queue = this.scopes.filter((scope) => scope.ticket !== undefined).sort(inOrder);
      for (const scope of queue) {
        const { ticket } = scope;
        if (ticket === undefined || this.#ahead(scope, ticket).length > 0) continue;
        if (scope.status === 'waiting') scope.grantedAt = this.now;
        const { called } = scope;
        this.#grant(scope, ownerOf(scope), ticket);
        scope.called = called;
        delete scope.ticket;
        went = true;
      }
    }
  }

  #expireAll(): void {
    for (const scope of this.scopes) {
      if (scope.owner === undefined) continue;
      if (scope.status === 'active' && (this.#isGone(scope) || this.#isUncollected(scope))) {
        scope.attempts += 1;
        this.#disown(scope, scope.attempts > MAX_ATTEMPTS ? 'ended' : 'open');
      } else if (scope.ticket !== undefined && (this.#isGone(scope) || this.#isForgotten(scope, scope.ticket))) {
        if (scope.status === 'active') delete scope.ticket;
        else this.#disown(scope, scope.changed ? 'open' : 'ended');
      }
    }
    this.#grantAll();
  }

  #isGone({ owner, called }: Scope): boolean {
    if (owner?.connection === undefined) return this.now - called > IDLE_STATELESS;
    const life = this.#lives.get(owner.connection);
    if (life === undefined) return true;
    return this.now - (life.ended ?? life.seen) > LEASE || this.now - life.called > IDLE;
  }

  #isUncollected({ grantedAt, asked }: Scope): boolean {
    return grantedAt !== undefined && asked !== undefined && this.now - Math.max(grantedAt, asked) > COLLECT;
  }

  #isForgotten({ asked = 0 }: Scope, { since }: Ticket): boolean {
    return this.now - Math.max(since, asked) > TICKET;
  }
}

function refused(code: string): Answer {
  return { is: 'refused', code };
}

/** Priority, then arrival; a step of priority is worth so much waiting. */
function order({ priority }: Scope, { since }: Ticket): number {
  return since - priority * AGING;
}

function byPlace(other: Scope, theirs: Ticket, scope: Scope, mine: Ticket): boolean {
  return order(other, theirs) < order(scope, mine) || theirs.place < mine.place;
}

function inOrder(a: Scope, b: Scope): number {
  if (a.ticket === undefined || b.ticket === undefined) return 0;
  return order(a, a.ticket) - order(b, b.ticket) || a.ticket.place - b.ticket.place;
}

/** Scopes that only go on when their agent does; of a stateless agent nobody knows which are its own. */
function crewOf({ id, owner }: Scope): string {
  return owner?.connection === undefined ? id : `${owner.connection} ${owner.agent}`;
}

function isSibling({ connection }: Who, { owner }: Scope): boolean {
  return connection !== undefined && owner?.connection === connection;
}

function isNoProcess(unit: string): boolean {
  return !unit.startsWith('process:');
}

function ownerOf({ id, owner }: Scope): Who {
  if (owner === undefined) throw new Error(`the model's ${id} has no owner`);
  return owner;
}
