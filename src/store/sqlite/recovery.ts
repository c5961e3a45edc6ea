import type { EventBody } from '../../domain/event.js';
import type { Intent, IntentId, StoredIntent } from '../../domain/intent.js';
import type { FileRecord } from '../../domain/view.js';
import { type Author, type Recovery, StoreBroken } from '../store.js';
import type { Contents } from './contents.js';
import { reason } from './folder.js';
import type { Intents } from './intents.js';
import type { Marker } from './marker.js';

/** By then an intent that was never applied has no maker any more, and the system has long written an applied one's files. */
const FORGOTTEN = 10 * 60_000;

/** Who is on record for what recovery finds. */
export const RECOVERY: Author = { agent: 'signalbox', connection: 'recovery' };

export interface Parts {
  readonly intents: Intents;
  readonly contents: Contents;
  readonly marker: Marker;
  readonly recovery: Recovery;
  /** What the ledger knows of a path. */
  readonly file: (path: string) => FileRecord | undefined;
}

/** Finishes what a crash cut off. Runs under the write lock; the events that it returns are the caller's to record. */
export class Settling {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The effect that was cut off before its COMMIT, undone. Undefined where there is nothing to record. */
  interrupted(): readonly EventBody[] | undefined {
    const { intents, marker } = this.#parts;
    const named = marker.read();
    if (named === 'none') return undefined;
    const intent = named === 'torn' ? undefined : intents.get(named);
    if (intent?.state === 'pending') return this.#settle(intent, 'undo');
    marker.clear();
    return undefined;
  }

  /** The paths of the intent whose files are being changed right now, or were when their server died. */
  underWay(): readonly string[] {
    const named = this.#parts.marker.read();
    const intent = typeof named === 'number' ? this.#parts.intents.get(named) : undefined;
    return intent?.state === 'pending' ? intent.files.map(({ path }) => path) : [];
  }

  /** Whether `left` has something to do. */
  hasLeft(boot: string, now: number): boolean {
    return this.#parts.intents.all().some(({ intent, at }) => isLeft(intent, at, boot, now));
  }

  /** What earlier boots and dead servers have left behind. */
  left(boot: string, now: number): readonly EventBody[] {
    const bodies: EventBody[] = [];
    for (const { intent, at } of this.#parts.intents.all()) {
      if (!isLeft(intent, at, boot, now)) continue;
      if (intent.boot === boot) this.#parts.intents.drop(intent.id);
      else if (intent.state === 'applied') bodies.push(...this.#settle(intent, 'redo'));
      else bodies.push(...this.#settle(this.#unrecorded(intent), 'undo'));
    }
    return bodies;
  }

  /** Publications recorded by then and never applied: only git can say whether they came about. */
  unfinished(until: number): StoredIntent[] {
    const recorded = this.#parts.intents.all().filter(({ at }) => at <= until);
    return recorded
      .map(({ intent }) => intent)
      .filter(({ commit, state }) => commit !== undefined && state === 'pending');
  }

  /** Puts the marker of an intent on the disk. Throws where the intent is no longer pending. */
  mark(id: IntentId): void {
    if (this.#parts.intents.get(id)?.state !== 'pending') throw new Error(`intent ${id} is not pending`);
    this.#parts.marker.write(id);
  }

  #settle(intent: StoredIntent, how: keyof Recovery): readonly EventBody[] {
    const { recovery, contents, intents } = this.#parts;
    try {
      const bodies = recovery[how](intent, (hash) => contents.get(hash));
      intents.drop(intent.id);
      return bodies;
    } catch (cause) {
      const paths = intent.files.map(({ path }) => path).join(', ');
      throw new StoreBroken(`an interrupted change of ${paths} could not be settled: ${reason(cause)}`, { cause });
    }
  }

  /**
   * After a power cut the marker proves nothing: its bytes may not have reached the disk though the renames did.
   * So such an intent is undone, but only where the ledger does not itself say that the new content belongs there.
   */
  #unrecorded<T extends Intent>(intent: T): T {
    const files = intent.files.filter(({ path, after }) => this.#parts.file(path)?.hash !== after);
    return { ...intent, files };
  }
}

/** A publication is not settled here: whether its commit was made, git has to be asked (see `unfinished`). */
function isLeft(intent: StoredIntent, at: number, boot: string, now: number): boolean {
  if (intent.commit !== undefined) return false;
  return intent.boot !== boot || now - at > FORGOTTEN;
}
