import { Map as ImmutableMap, Set as ImmutableSet } from 'immutable';
import type { OpenRun } from '../../domain/open-runs.js';
import { readyAfter } from '../../domain/ready.js';
import type { Lock, Scope, ScopeId, Ticket } from '../../domain/scope.js';
import { isEnded } from '../../domain/scope.js';
import { EMPTY_STATE, type State } from '../../domain/state.js';
import type { LockTime } from './clock.js';
import type { Driver, Row, Statement } from './driver.js';
import { integer, integerOrNull, optional, real, text, textOrNull } from './rows.js';
import { lockOfRow, numberOf, scopeOfRow, ticketOfRow } from './scope-rows.js';

/** Where the ledger ends. */
export interface Head {
  readonly seq: number;
  /** The last link of the hash chain; empty before the first event. */
  readonly hash: string;
  /** Lock time at the last commit. */
  readonly time: LockTime;
  /** The lease in force, in milliseconds; 0 where none is on record. */
  readonly lease: number;
  /** The last event that was cut; 0 where none was. */
  readonly cut: number;
}

/** Reads the state from the tables: only scopes that are live, so the cost does not grow with the ledger. */
export class Loader {
  readonly #driver: Driver;
  readonly #head: Statement;
  readonly #numbers: Statement;
  readonly #scope: Statement;

  constructor(driver: Driver) {
    this.#driver = driver;
    this.#head = driver.prepare('SELECT seq, hash, lock_ms, mono_ms, boot, lease, cut FROM ledger');
    this.#numbers = driver.prepare('SELECT seq, generation, scopes, runs, artifacts FROM ledger');
    this.#scope = driver.prepare('SELECT * FROM scopes WHERE number = ?');
  }

  head(): Head {
    const row = this.#head.get();
    const time = { lock: integer(row, 'lock_ms'), mono: real(row, 'mono_ms'), boot: text(row, 'boot') };
    const [seq, lease, cut] = [integer(row, 'seq'), integer(row, 'lease'), integer(row, 'cut')];
    return { seq, hash: text(row, 'hash'), time, lease, cut };
  }

  /** A scope that has ended. */
  ended(id: ScopeId): Scope | undefined {
    const number = numberOf(id);
    const row = number === undefined ? undefined : this.#scope.get(number);
    if (row === undefined) return undefined;
    const scope = scopeOfRow(row);
    return scope.id === id && isEnded(scope.status) ? scope : undefined;
  }

  state(): State {
    const numbers = this.#numbers.get();
    return {
      ...indexed(this.#live()),
      runs: this.#runs(),
      seq: integer(numbers, 'seq'),
      generation: integer(numbers, 'generation'),
      scopeCount: integer(numbers, 'scopes'),
      runCount: integer(numbers, 'runs'),
      artifactCount: integer(numbers, 'artifacts'),
    };
  }

  #runs(): State['runs'] {
    const rows = this.#driver.prepare('SELECT * FROM runs WHERE ended IS NULL').all();
    return ImmutableMap(rows.map((row) => [text(row, 'run'), openRunOfRow(row)]));
  }

  #live(): Scope[] {
    const locks = new Map<ScopeId, Lock[]>();
    for (const row of this.#driver.prepare('SELECT * FROM locks').all()) {
      const held = locks.get(text(row, 'scope'));
      if (held === undefined) locks.set(text(row, 'scope'), [lockOfRow(row)]);
      else held.push(lockOfRow(row));
    }
    const tickets = new Map<ScopeId, Ticket>();
    for (const row of this.#driver.prepare('SELECT * FROM tickets').all()) {
      tickets.set(text(row, 'scope'), ticketOfRow(row));
    }
    const live = this.#driver.prepare("SELECT * FROM scopes WHERE status NOT IN ('done', 'failed', 'cancelled')");
    return live.all().map((row) => {
      const id = text(row, 'id');
      return scopeOfRow(row, locks.get(id), tickets.get(id));
    });
  }
}

function openRunOfRow(row: Row): OpenRun {
  return {
    run: text(row, 'run'),
    command: text(row, 'command'),
    by: { agent: text(row, 'agent'), connection: text(row, 'connection') },
    ...optional('scope', textOrNull(row, 'scope')),
    ...optional('tenure', integerOrNull(row, 'tenure')),
    ...optional('turn', textOrNull(row, 'turn')),
    containment: text(row, 'containment'),
    started: integer(row, 'started'),
    ...optional('changed', integerOrNull(row, 'changed')),
  };
}

/** The state with these live scopes: everything but the numbers can be told from them. */
export function indexed(scopes: readonly Scope[]): State {
  let { locks, queue, ready } = EMPTY_STATE;
  const consumers = ImmutableMap<ScopeId, ImmutableSet<ScopeId>>().asMutable();
  const owned = ImmutableMap<string, ImmutableSet<ScopeId>>().asMutable();
  for (const scope of scopes) {
    const { id, ticket, owner } = scope;
    ready = readyAfter(ready, undefined, scope);
    for (const { unit, mode } of scope.locks.values()) locks = locks.with({ scope: id, unit, mode });
    for (const unit of ticket?.units ?? []) queue = queue.with({ scope: id, unit, mode: ticket?.mode ?? 'write' });
    for (const consumed of scope.pending) consumers.update(consumed, ImmutableSet<ScopeId>(), (ids) => ids.add(id));
    if (owner !== undefined) owned.update(owner.connection, ImmutableSet<ScopeId>(), (ids) => ids.add(id));
  }
  return {
    ...EMPTY_STATE,
    scopes: ImmutableMap(scopes.map((scope) => [scope.id, scope])),
    locks,
    queue,
    ready,
    consumers: consumers.asImmutable(),
    owned: owned.asImmutable(),
  };
}
