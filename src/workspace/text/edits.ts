import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import type { Hash } from '../../domain/scope.js';
import { applyHunks } from './apply-hunks.js';
import { basesOf, isStale, type PresentFiles, presentAt } from './bases.js';
import type { Hunk } from './hunk.js';
import { MAX_RESULT, MAX_SEARCHED, MAX_TOTAL } from './limits.js';
import { hunkRefusal, noMatch, severalMatches } from './no-match.js';
import { invalid, type Operation, placeOf, sourceFacts } from './operation.js';
import { rebase } from './rebase.js';
import { type Replacement, replace } from './replace.js';
import { binary, goneBase, missingBase, notFound, type Subject, staleBase } from './stale-base.js';
import { decodeText, encodeText } from './text.js';

/** What a path shall become, and the version on disk that this was worked out from. */
export interface Outcome {
  readonly path: string;
  /** Null: the file is deleted. They can equal the present bytes. */
  readonly bytes: Uint8Array | null;
  /** Null: there was no file. */
  readonly base: Hash | null;
  /** The edits were made from an older version and merged with what changed since. */
  readonly rebased?: true;
  /** The file was moved here from this path and keeps its permission bits. */
  readonly from?: string;
}

/**
 * Works out what operations make of files, in order: later ones see what earlier ones did. Nothing is guessed. `bases`
 * holds the contents of the versions that `staleBases` named, by path, as far as they are known.
 *
 * Refuses INVALID, NOT_FOUND, BINARY, NO_MATCH, STALE_BASE or LIMIT; then nothing of the patch shall be done. Throws for
 * a path that is missing in `files`.
 */
export function outcomes(
  operations: readonly Operation[],
  files: PresentFiles,
  bases: ReadonlyMap<string, Uint8Array>,
): Outcome[] | Refusal {
  const named = basesOf(operations, files);
  if (isRefusal(named)) return named;
  const tree = new Tree(files, named, bases);
  for (const operation of operations) {
    const refusal = tree.take(operation);
    if (refusal !== undefined) return refusal;
  }
  return tree.outcomes();
}

/** A file as the operations have made it so far. */
interface Entry {
  content: Uint8Array | string;
  /** Where it stood before the patch; null for a file that the patch made. */
  readonly origin: string | null;
  /** The text as the agent sees it, where its edits were made from an older version: then and with its edits. */
  view?: { readonly former: string; readonly text: string; readonly last: Operation };
  rebased: boolean;
}

/** What other work costs, in characters searched. */
const PLACE_COST = 100;
const HUNKS_COST = 20;
const MERGE_COST = 50;

class Tree {
  readonly #entries = new Map<string, Entry | null>();
  #searched = 0;

  constructor(
    readonly files: PresentFiles,
    readonly named: ReadonlyMap<string, string>,
    readonly bases: ReadonlyMap<string, Uint8Array>,
  ) {}

  take(operation: Operation): Refusal | undefined {
    return this.#changeText(operation) ?? this.#delete(operation) ?? this.#move(operation);
  }

  outcomes(): Outcome[] | Refusal {
    const outcomes: Outcome[] = [];
    let total = 0;
    for (const [path, entry] of this.#entries) {
      const base = presentAt(this.files, path)?.version ?? null;
      const refusal = entry === null ? undefined : this.#merge(entry);
      if (refusal !== undefined) return refusal;
      if (entry === null && base === null) continue;
      const bytes = entry === null ? null : bytesOf(entry);
      total += bytes?.length ?? 0;
      if (bytes !== null && bytes.length > MAX_RESULT)
        return tooLarge(`${path} would have ${bytes.length} bytes`, MAX_RESULT);
      if (total > MAX_TOTAL) return tooLarge('The files would together have more bytes', MAX_TOTAL);
      const from = entry?.origin ?? path;
      outcomes.push({
        path,
        bytes,
        base,
        ...(entry?.rebased ? { rebased: true } : {}),
        ...(from === path ? {} : { from }),
      });
    }
    return outcomes;
  }

  /** Counts the work done; false when it is too much. */
  #charge(characters: number): boolean {
    this.#searched += characters;
    return this.#searched <= MAX_SEARCHED;
  }

  #entry(path: string): Entry | null {
    const known = this.#entries.get(path);
    if (known !== undefined) return known;
    const present = presentAt(this.files, path);
    const entry = present === null ? null : { content: present.bytes, origin: path, rebased: false };
    this.#entries.set(path, entry);
    return entry;
  }

  #changeText(operation: Operation): Refusal | undefined {
    const { path, change, base } = operation;
    const entry = this.#entry(path);
    if (change?.kind === 'content') {
      if (entry === null && base !== undefined && presentAt(this.files, path) === null)
        return goneBase(operation, base);
      const refusal =
        entry === null || isText(entry, change.text)
          ? undefined
          : this.#guard(operation, entry, 'the content would undo that');
      if (refusal === undefined)
        this.#entries.set(path, { content: change.text, origin: entry?.origin ?? null, rebased: false });
      return refusal;
    }
    if (entry === null) return notFound(operation);
    if (change?.kind === 'replace') return this.#replace(operation, entry, change);
    return change === undefined ? undefined : this.#applyHunks(operation, entry, change.hunks);
  }

  #replace(operation: Operation, entry: Entry, replacement: Replacement): Refusal | undefined {
    const view = entry.view?.text ?? this.#viewOf(operation, entry);
    if (isRefusal(view)) return view;
    const text = view ?? textOf(entry);
    if (text === null) return binary(operation);
    const replaced = this.#charge(text.length) ? replace(text, replacement, MAX_RESULT) : undefined;
    if (replaced === undefined) return tooMuch(operation);
    if (!('text' in replaced)) {
      if (replaced.kind === 'none') return noMatch(operation, text, replacement);
      if (replaced.kind === 'several') return severalMatches(operation, replaced.lines, replaced.more);
      return tooLarge(`${operation.path} would have more bytes`, MAX_RESULT);
    }
    this.#charge(replaced.places * PLACE_COST);
    if (view === undefined) entry.content = replaced.text;
    else entry.view = { former: entry.view?.former ?? view, text: replaced.text, last: operation };
    return undefined;
  }

  /** The text of the older version that the edits of this file were made from; undefined where they were not. */
  #viewOf(operation: Operation, entry: Entry): string | undefined | Refusal {
    const subject = this.#subjectOf(entry);
    const base = subject === undefined ? undefined : this.named.get(subject.path);
    if (subject === undefined || base === undefined || typeof entry.content === 'string') return undefined;
    if (!isStale(base, subject.present)) return undefined;
    const former = subject.former === undefined ? null : decodeText(subject.former);
    if (former !== null) return former;
    return staleBase(operation, base, subject, 'that version is not known any more, so the edit cannot be rebased');
  }

  #applyHunks(operation: Operation, entry: Entry, hunks: readonly Hunk[]): Refusal | undefined {
    if (hunks.length === 0) return undefined;
    const text = textOf(entry);
    if (text === null) return binary(operation);
    if (!this.#charge(text.length * HUNKS_COST)) return tooMuch(operation);
    const applied = applyHunks(text, hunks);
    if (!('text' in applied)) return hunkRefusal(operation, text, applied);
    entry.content = applied.text;
    return undefined;
  }

  #delete(operation: Operation): Refusal | undefined {
    const entry = this.#entry(operation.path);
    if (operation.delete !== true || entry === null) return undefined;
    // The removed lines of a diff show what the file held, so they stand for its base.
    if (operation.change !== undefined && !isText(entry, '')) {
      const next = 'Put every line of the file into the diff with a -, or pass edits: [{path, delete: true, base}].';
      const facts = { ...sourceFacts(operation.source), path: operation.path };
      return refuse('NO_MATCH', `${operation.path} holds more than ${placeOf(operation.source)} removes.`, next, facts);
    }
    const refusal =
      operation.change === undefined ? this.#guard(operation, entry, 'deleting it would lose that') : undefined;
    if (refusal === undefined) this.#entries.set(operation.path, null);
    return refusal;
  }

  #move(operation: Operation): Refusal | undefined {
    const { path, moveTo, base } = operation;
    const entry = this.#entry(path);
    if (moveTo === undefined || entry === null) return undefined;
    if (moveTo === path) {
      return invalid(operation.source, {
        path,
        argument: 'move_to',
        expected: 'another path',
        got: 'the same',
        next: 'Leave move_to out.',
      });
    }
    const target = this.#entry(moveTo);
    const refusal =
      target === null ? undefined : this.#guard(operation, target, `moving ${path} over it would lose that`);
    if (refusal !== undefined) return refusal;
    const subject = this.#subjectOf(entry);
    if (target === null && base !== undefined && subject !== undefined && isStale(base, subject.present))
      entry.rebased = true;
    this.#entries.set(moveTo, entry);
    this.#entries.set(path, null);
    return undefined;
  }

  /**
   * Whether a file may disappear: its base must be given, with this edit or another one of it, and be the present
   * version. What the patch made itself may.
   */
  #guard(operation: Operation, entry: Entry, why: string): Refusal | undefined {
    const subject = this.#subjectOf(entry);
    if (subject === undefined) return undefined;
    const base = operation.base ?? this.named.get(subject.path);
    if (base === undefined) return missingBase(operation, subject.path);
    return isStale(base, subject.present) ? staleBase(operation, base, subject, why) : undefined;
  }

  #subjectOf({ origin }: Entry): Subject | undefined {
    const present = origin === null ? null : presentAt(this.files, origin);
    return origin === null || present === null ? undefined : { path: origin, present, former: this.bases.get(origin) };
  }

  /** Replays what the agent made of the older version on the present one. */
  #merge(entry: Entry): Refusal | undefined {
    const subject = this.#subjectOf(entry);
    if (entry.view === undefined || subject === undefined) return undefined;
    const { former, text, last } = entry.view;
    const present = textOf(entry);
    if (present === null) return binary(last);
    if (!this.#charge((former.length + text.length + present.length) * MERGE_COST)) return tooMuch(last);
    const merged = rebase(former, text, present);
    if ('text' in merged) {
      entry.content = merged.text;
      entry.rebased = true;
      return undefined;
    }
    const why = merged.reason === 'overlap' ? 'the same lines changed there' : 'it is too large to be merged';
    return staleBase(last, String(this.named.get(subject.path)), subject, why);
  }
}

function textOf(entry: Entry): string | null {
  return typeof entry.content === 'string' ? entry.content : decodeText(entry.content);
}

function bytesOf(entry: Entry): Uint8Array {
  return typeof entry.content === 'string' ? encodeText(entry.content) : entry.content;
}

function isText(entry: Entry, text: string): boolean {
  return typeof entry.content === 'string'
    ? entry.content === text
    : Buffer.compare(entry.content, encodeText(text)) === 0;
}

function tooLarge(what: string, limit: number): Refusal {
  return refuse('LIMIT', `${what}, more than ${limit}.`, 'Make the change in smaller files.', { limit });
}

function tooMuch(operation: Operation): Refusal {
  const sentence = `Up to ${placeOf(operation.source)}, more than ${MAX_SEARCHED} characters had to be searched.`;
  return refuse(
    'LIMIT',
    sentence,
    'Split the patch, or replace large files with content and base.',
    sourceFacts(operation.source),
  );
}
