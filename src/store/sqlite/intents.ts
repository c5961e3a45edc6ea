import type { Intent, IntentId, StoredIntent } from '../../domain/intent.js';
import type { Driver, Row, Statement } from './driver.js';
import { integer, json, oneOf, optional, text, textOrNull } from './rows.js';

/** The rows of the intents. They come before an effect and go when its files are synced. */
export class Intents {
  readonly #insert: Statement;
  readonly #select: Statement;
  readonly #all: Statement;
  readonly #apply: Statement;
  readonly #drop: Statement;

  constructor(driver: Driver) {
    this.#insert = driver.prepare(
      "INSERT INTO intents (state, boot, at, scope, files, commit_json) VALUES ('pending', ?, ?, ?, ?, ?) RETURNING id",
    );
    this.#select = driver.prepare('SELECT * FROM intents WHERE id = ?');
    this.#all = driver.prepare('SELECT * FROM intents ORDER BY id');
    this.#apply = driver.prepare("UPDATE intents SET state = 'applied' WHERE id = ?");
    this.#drop = driver.prepare('DELETE FROM intents WHERE id = ?');
  }

  insert({ scope, files, commit }: Intent, boot: string, at: number): IntentId {
    const written = commit === undefined ? null : JSON.stringify(commit);
    return integer(this.#insert.get(boot, at, scope ?? null, JSON.stringify(files), written), 'id');
  }

  get(id: IntentId): StoredIntent | undefined {
    const row = this.#select.get(id);
    return row && intentOfRow(row);
  }

  /** All of them, oldest first, with the lock time at which each was recorded. */
  all(): { readonly intent: StoredIntent; readonly at: number }[] {
    return this.#all.all().map((row) => ({ intent: intentOfRow(row), at: integer(row, 'at') }));
  }

  applied(id: IntentId): void {
    this.#apply.run(id);
  }

  drop(id: IntentId): void {
    this.#drop.run(id);
  }
}

function intentOfRow(row: Row): StoredIntent {
  return {
    id: integer(row, 'id'),
    state: oneOf(row, 'state', ['pending', 'applied'] as const),
    boot: text(row, 'boot'),
    ...optional('scope', textOrNull(row, 'scope')),
    files: json(row, 'files'),
    ...(row.commit_json === null ? {} : { commit: json(row, 'commit_json') }),
  };
}
