import type { Scope, ScopeId } from '../../domain/scope.js';
import type { Settings } from '../../domain/settings.js';
import type { FileRecord, View } from '../../domain/view.js';
import type { Needs } from '../store.js';
import type { Driver, Statement } from './driver.js';
import type { Moment } from './ledger.js';
import type { LifeTable } from './life.js';
import type { Loader } from './load.js';
import { integer, optional, textOrNull } from './rows.js';

/** Makes the views that rules look at, inside the transaction that is open. */
export class Looks {
  readonly #loader: Loader;
  readonly #life: LifeTable;
  readonly #settings: Settings;
  readonly #file: Statement;

  constructor(driver: Driver, loader: Loader, life: LifeTable, settings: Settings) {
    this.#loader = loader;
    this.#life = life;
    this.#settings = settings;
    this.#file = driver.prepare('SELECT * FROM files WHERE path = ?');
  }

  at({ state, time, lease }: Moment, needs: Needs): View {
    const paths = new Map((needs.paths ?? []).map((path) => [path, this.file(path)]));
    const ended = new Map(
      (needs.scopes ?? []).map((id) => [id, state.scopes.has(id) ? undefined : this.#loader.ended(id)]),
    );
    return {
      state,
      now: time.lock,
      settings: lease === this.#settings.lease ? this.#settings : { ...this.#settings, lease },
      life: (key) => this.#life.get(key),
      file: (path) => {
        // A database across a network has only what was asked for; so a rule that forgot to ask is found here.
        if (!paths.has(path)) throw new Error(`the record of ${path} was not among the needs`);
        return paths.get(path);
      },
      scope: (id: ScopeId): Scope | undefined => state.scopes.get(id) ?? ended.get(id),
    };
  }

  file(path: string): FileRecord | undefined {
    const row = this.#file.get(path);
    if (row === undefined) return undefined;
    return {
      path,
      hash: textOrNull(row, 'hash'),
      mode: integer(row, 'mode'),
      ...optional('scope', textOrNull(row, 'scope')),
      seq: integer(row, 'seq'),
    };
  }
}
