import type { IntentId } from '../../domain/intent.js';
import type { Intents } from './intents.js';
import { DROP_AFTER } from './options.js';

/** Intents that may go. Each transaction drops those that there are by then; without one, a commit of their own does. */
export class Settled {
  readonly #intents: Intents;
  readonly #commit: () => Promise<void>;
  readonly #ids: IntentId[] = [];
  #later: NodeJS.Timeout | undefined;

  constructor(intents: Intents, commit: () => Promise<void>) {
    this.#intents = intents;
    this.#commit = commit;
  }

  add(id: IntentId): void {
    this.#ids.push(id);
    this.#later ??= setTimeout(() => void this.flush(), DROP_AFTER).unref();
  }

  /** In a transaction, before all but an interrupted effect: a settled intent is not there any more. */
  drop(): void {
    for (const id of this.#ids) this.#intents.drop(id);
  }

  committed(): void {
    this.#ids.length = 0;
  }

  /** A row that stays, because the database is busy or broken, is no harm: a later start drops it. */
  async flush(): Promise<void> {
    clearTimeout(this.#later);
    this.#later = undefined;
    if (this.#ids.length > 0) await this.#commit().catch(() => undefined);
  }
}
