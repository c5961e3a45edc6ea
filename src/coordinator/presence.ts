import { draft } from '../domain/draft.js';
import { isStateless, scopeKey, ticketKey } from '../domain/leases.js';
import type { ScopeId } from '../domain/scope.js';
import { arrive, sweep } from '../domain/sweep.js';
import type { LifeChange, Store } from '../store/store.js';

/** At the most; a shorter lease needs a faster beat. */
const BEAT = 10_000;
/** A lease stands through this many beats. */
const BEATS = 6;
const SERVER = { agent: 'signalbox', connection: 'server' };

/**
 * Beats for the connections of this process, every ten seconds, while one of them owns a scope; what has run out is
 * swept with the same commit. A process with nothing to keep alive has no timer.
 */
export class Presence {
  readonly #store: Store;
  readonly #alive: () => boolean;
  readonly #log: (sentence: string) => void;
  readonly #connections = new Set<string>();
  /** Connections that called since the last beat without a commit of their own. */
  readonly #called = new Set<string>();
  #swept: () => Promise<void> = async () => undefined;
  /** Waiting claims whose call is open here. */
  readonly #waiting = new Map<ScopeId, number>();
  readonly #collected = new Set<ScopeId>();
  /** Whose commands and waiting claims are under way here, once for each. */
  readonly #working: string[] = [];
  #keeps = false;
  #beat = BEAT;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param alive whether whoever these connections belong to is still there (the parent process, for stdio).
   */
  constructor(store: Store, alive: () => boolean, log: (sentence: string) => void) {
    this.#store = store;
    this.#alive = alive;
    this.#log = log;
  }

  connected(connection: string): void {
    if (!isStateless(connection)) this.#connections.add(connection);
  }

  /** A call that commits nothing by itself is a sign of life too. */
  called(connection: string): void {
    if (this.#connections.has(connection)) this.#called.add(connection);
  }

  /**
   * After a commit: starts the beat where this process has something to keep alive.
   *
   * @param lease the one in force, where the caller knows it, in milliseconds.
   */
  async noticed(connection: string, lease?: number): Promise<void> {
    if (lease !== undefined) this.#keepPace(lease);
    if (this.#timer !== undefined || !this.#connections.has(connection)) return;
    // Where that cannot be seen just now, a beat too many does no harm.
    if (await this.#owns().catch(() => true)) this.#start();
  }

  /** An open claim call is a sign of life of its caller as long as it waits, and of the ticket. */
  waits(connection: string, scope: ScopeId): void {
    this.#waiting.set(scope, (this.#waiting.get(scope) ?? 0) + 1);
    this.works(connection, scope);
  }

  stopsWaiting(connection: string, scope: ScopeId, collected: boolean): void {
    this.stopsWorking(connection, scope);
    const left = (this.#waiting.get(scope) ?? 1) - 1;
    if (left > 0) this.#waiting.set(scope, left);
    else this.#waiting.delete(scope);
    if (collected) this.#collected.add(scope);
  }

  /**
   * From now on this process also sees to the scopes of others: what a killed agent held then expires, and goes on record,
   * though nobody is left to beat or wait. For servers that stay.
   */
  keep(): void {
    this.#keeps = true;
    this.#start();
  }

  /** What else is to be seen to with each beat. */
  afterwards(work: () => Promise<void>): void {
    this.#swept = work;
  }

  /** Says that a connection has ended. Its scopes stay its own for the length of a lease. */
  async disconnected(connection: string): Promise<void> {
    if (!this.#connections.delete(connection)) return;
    this.#called.delete(connection);
    await this.#store.transact(SERVER, {}, (tx) => {
      const decision = draft(tx);
      // A goodbye is a sign of life too: one that comes too late renews nothing.
      arrive(decision, connection);
      return { events: decision.events, answer: undefined, life: [{ key: connection, touch: 'ended' as const }] };
    });
  }

  /** What is under way counts as a sign of life of its caller, or of its scope where the caller has no connection. */
  works(connection: string, scope: ScopeId | undefined): void {
    this.#working.push(this.#lifeOf(connection, scope));
    this.#start();
  }

  stopsWorking(connection: string, scope: ScopeId | undefined): void {
    const at = this.#working.indexOf(this.#lifeOf(connection, scope));
    if (at >= 0) this.#working.splice(at, 1);
  }

  #lifeOf(connection: string, scope: ScopeId | undefined): string {
    return isStateless(connection) && scope !== undefined ? scopeKey(scope) : connection;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #start(): void {
    this.#timer ??= setInterval(() => void this.beat(), this.#beat).unref();
  }

  /** The lease in force changes when nobody owns anything: then it is beaten for anew. */
  #keepPace(lease: number): void {
    const beat = Math.min(BEAT, lease / BEATS);
    if (beat === this.#beat) return;
    this.#beat = beat;
    if (this.#timer === undefined) return;
    this.stop();
    this.#start();
  }

  async #owns(): Promise<boolean> {
    return this.#store.view({}, ({ state: { owned }, settings: { lease } }) => {
      this.#keepPace(lease);
      if (this.#working.length > 0) return true;
      return this.#keeps ? !owned.isEmpty() : [...this.#connections].some((connection) => owned.has(connection));
    });
  }

  /** One beat. A lease that ran out before it is not renewed by it. */
  async beat(): Promise<void> {
    if (!this.#alive()) return this.stop();
    try {
      if (!(await this.#owns())) return this.#keeps ? undefined : this.stop();
      const called = new Set(this.#called);
      const collected = [...this.#collected];
      await this.#store.transact(SERVER, {}, (tx) => {
        const decision = draft(tx);
        for (const connection of this.#connections) arrive(decision, connection);
        sweep(decision);
        return { events: decision.events, answer: undefined, life: this.#signs(called, collected) };
      });
      for (const connection of called) this.#called.delete(connection);
      for (const scope of collected) this.#collected.delete(scope);
      await this.#swept();
    } catch (error) {
      this.#log(`beat failed, trying again in ${this.#beat / 1000} s: ${String(error)}`);
    }
  }

  #signs(called: ReadonlySet<string>, collected: readonly ScopeId[]): LifeChange[] {
    return [
      ...[...this.#connections].map((key) => ({
        key,
        touch: called.has(key) ? ('called' as const) : ('seen' as const),
      })),
      ...[...new Set(this.#working)].map((key) => ({ key, touch: 'called' as const })),
      ...[...this.#waiting.keys()].map((scope) => ({ key: ticketKey(scope), touch: 'seen' as const })),
      ...collected.map((scope) => ({ key: ticketKey(scope), touch: 'gone' as const })),
    ];
  }
}
