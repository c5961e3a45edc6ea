import type { EventBody } from '../../domain/event.js';
import type { Content, IntentFile, IntentId, StoredPublication } from '../../domain/intent.js';
import type { Hash } from '../../domain/scope.js';
import { type Author, type Recovery, StoreBroken } from '../store.js';
import type { Contents } from './contents.js';
import { reason } from './folder.js';
import type { Intents, Unsynced } from './intents.js';
import type { Effect, Journal } from './journal.js';
import type { Moment } from './ledger.js';

/** By then the system has long written the files of an effect whose maker is gone. */
const FORGOTTEN = 10 * 60_000;

/** Who is on record for what recovery finds. */
export const RECOVERY: Author = { agent: 'signalbox', connection: 'recovery' };

/** The version of a path that the ledger has. */
type Recorded = (path: string) => Hash | null | undefined;

export interface Parts {
  readonly intents: Intents;
  readonly contents: Contents;
  readonly journal: Journal;
  readonly recovery: Recovery;
  /** The boot of the machine. */
  readonly boot: string;
  /** The last link of the ledger, now. */
  readonly end: () => Hash;
}

/** Effects on files: begun so that they can be undone, and finished where a crash cut them off. Runs under the write lock. */
export class Settling {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Before the first rename: what is needed to undo is on the disk, and what is needed to redo goes with the transaction. */
  begin(onto: Moment, files: readonly IntentFile[], contents: readonly Content[]): IntentId {
    const { boot, intents, journal } = this.#parts;
    const added = this.#parts.contents.insert(contents);
    const id = intents.effect(files, boot, onto.time.lock);
    const former = new Set(files.map(({ before }) => before));
    // What was added just now goes with a ROLLBACK; all other contents are in the database for good.
    const lost = added.filter(({ hash }) => former.has(hash));
    const kept = Object.fromEntries(lost.map(({ hash, bytes }) => [hash, Buffer.from(bytes).toString('base64')]));
    journal.write({ onto: onto.hash, boot, files, contents: kept });
    return id;
  }

  /** The effect that was begun last is committed. */
  committed(): void {
    this.#parts.journal.committed();
  }

  /**
   * Undoes the effect that was cut off before its COMMIT. Undefined where there is none; the events are the caller's to
   * record, and as long as they are not on record, it is found again.
   */
  interrupted(): readonly EventBody[] | undefined {
    const { journal, boot, end, recovery } = this.#parts;
    const effect = journal.unfinished(end);
    if (effect === undefined) return undefined;
    const intent = { files: effect.files, rebooted: effect.boot !== boot };
    const bodies = settled(effect.files, () => recovery.undo(intent, (hash) => this.#former(effect, hash)));
    // Events take the ledger past the effect; where there are none, the journal itself has to forget it.
    if (bodies.length === 0) journal.clear();
    return bodies;
  }

  /** The paths whose files are being changed right now, or were when their server died. Needs no lock. */
  underWay(): readonly string[] {
    const effect = this.#parts.journal.unfinished(this.#parts.end);
    return effect?.files.map(({ path }) => path) ?? [];
  }

  /** Whether `left` has something to do. */
  hasLeft(now: number): boolean {
    return this.#parts.intents.unsynced().some((intent) => this.#isLeft(intent, now));
  }

  /** What earlier boots and dead servers have left behind; the events are the caller's to record. */
  left(now: number, recorded: Recorded): readonly EventBody[] {
    const { intents, contents, boot, recovery } = this.#parts;
    const left = intents.unsynced().filter((intent) => this.#isLeft(intent, now));
    const earlier = left.filter((intent) => intent.boot !== boot);
    const bodies = standing(earlier, recorded).flatMap((files) =>
      settled(files, () => recovery.redo({ files, rebooted: true }, (hash) => contents.get(hash), recorded)),
    );
    for (const { id } of left) intents.drop(id);
    return bodies;
  }

  /** Publications recorded by then whose end is not on record: only git can say whether they came about. */
  unfinished(until: number): StoredPublication[] {
    return this.#parts.intents.publications(until);
  }

  close(): void {
    this.#parts.journal.close();
  }

  #isLeft({ boot, at }: Unsynced, now: number): boolean {
    return boot !== this.#parts.boot || now - at > FORGOTTEN;
  }

  #former({ contents }: Effect, hash: Hash): Uint8Array | undefined {
    const kept = contents[hash];
    return kept === undefined ? this.#parts.contents.get(hash) : Buffer.from(kept, 'base64');
  }
}

/**
 * The files of these effects, oldest first, but for those that the ledger has since left by another way than by them:
 * what they wrote there was replaced long ago, and must not come back.
 */
function standing(effects: readonly Unsynced[], recorded: Recorded): (readonly IntentFile[])[] {
  const due = new Map<string, Hash | null | undefined>();
  const chains = effects.toReversed().map(({ files }) => {
    const chained = files.filter(({ path, after }) => after === (due.has(path) ? due.get(path) : recorded(path)));
    for (const { path, before } of chained) due.set(path, before);
    return chained;
  });
  return chains.reverse();
}

function settled(files: readonly IntentFile[], put: () => readonly EventBody[]): readonly EventBody[] {
  try {
    return put();
  } catch (cause) {
    const paths = files.map(({ path }) => path).join(', ');
    throw new StoreBroken(`an interrupted change of ${paths} could not be settled: ${reason(cause)}`, { cause });
  }
}
