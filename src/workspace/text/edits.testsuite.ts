import { isRefusal, type Refusal } from '../../domain/refusal.js';
import type { PresentFiles } from './bases.js';
import { type Outcome, outcomes } from './edits.js';
import { parseDiff } from './parse-diff.js';
import { type Edit, parseEdits } from './parse-edits.js';
import { decodeText, encodeText } from './text.js';

export type Files = { readonly [path: string]: string | Uint8Array | null };

/** Versions are the texts themselves behind ten zeros, so that a base can be written down. */
export function present(files: Files): PresentFiles {
  return new Map(
    Object.entries(files).map(([path, content]) => {
      if (content === null) return [path, null];
      const bytes = typeof content === 'string' ? encodeText(content) : content;
      return [path, { bytes, version: version(content) }];
    }),
  );
}

export const version = (content: string | Uint8Array): string => `0000000000${String(content)}`;

export function answer(files: Files, change: readonly Edit[] | string, formers: Files = {}): Outcome[] | Refusal {
  const operations = typeof change === 'string' ? parseDiff(change) : parseEdits(change);
  if (isRefusal(operations)) return operations;
  const bases = new Map(
    Object.entries(formers).map(([path, text]) => [
      path,
      typeof text === 'string' ? encodeText(text) : (text ?? Uint8Array.of()),
    ]),
  );
  return outcomes(operations, present(files), bases);
}

/** What the paths become; throws on a refusal. */
export function made(files: Files, change: readonly Edit[] | string, formers: Files = {}): Files {
  const result = answer(files, change, formers);
  if (isRefusal(result)) throw new Error(`${result.code}: ${result.sentence}`);
  return Object.fromEntries(result.map(({ path, bytes }) => [path, bytes && decodeText(bytes)]));
}

export const swap = (old: string, young: string, rest: Partial<Edit> = {}): Edit => ({
  path: 'a',
  old_string: old,
  new_string: young,
  ...rest,
});
