import { findText } from './find-text.js';
import { endingsOf } from './text.js';

export interface Replacement {
  readonly old: string;
  readonly new: string;
  readonly all: boolean;
}

export type Replaced =
  /** `places`: how many were replaced. */
  | { readonly text: string; readonly places: number }
  | { readonly kind: 'none' }
  /** Line numbers from 1 where the text begins; at most 20 of them. `more`: there are others. */
  | { readonly kind: 'several'; readonly lines: readonly number[]; readonly more: boolean }
  /** The result would be longer than allowed, or has more than a million places. */
  | { readonly kind: 'too_large' };

const MAX_PLACES = 20;
const MAX_REPLACED = 1_000_000;

/**
 * Replaces a text that must be there exactly, and once unless `all`. Nothing outside the match changes.
 *
 * Models write LF whatever the file uses. So in a file that uses CRLF throughout, a replacement whose old text has no
 * CR is read with CRLF for each LF, and the file keeps CRLF throughout. Files with mixed endings, and old texts that
 * have a CR, are matched literally. `maxLength` bounds the result, in characters.
 */
export function replace(text: string, replacement: Replacement, maxLength: number): Replaced {
  const { old, young } = inEndingsOf(text, replacement);
  const first = findText(text, old);
  if (first === -1) return { kind: 'none' };
  if (replacement.all) return replaceAll(text, old, young, first, maxLength);
  // Overlapping places count: either of them could be meant.
  if (findText(text, old, first + 1) !== -1) return severalPlaces(text, old, first);
  if (text.length + young.length - old.length > maxLength) return { kind: 'too_large' };
  return { text: text.slice(0, first) + young + text.slice(first + old.length), places: 1 };
}

function replaceAll(text: string, old: string, young: string, first: number, maxLength: number): Replaced {
  const parts: string[] = [];
  let length = text.length;
  let end = 0;
  for (let at = first; at !== -1; at = findText(text, old, end)) {
    parts.push(text.slice(end, at), young);
    end = at + old.length;
    length += young.length - old.length;
    if (length > maxLength || parts.length > 2 * MAX_REPLACED) return { kind: 'too_large' };
  }
  return { text: parts.join('') + text.slice(end), places: parts.length / 2 };
}

function inEndingsOf(text: string, replacement: Replacement): { readonly old: string; readonly young: string } {
  const { old, new: young } = replacement;
  const plain = !old.includes('\r') && (old.includes('\n') || young.includes('\n'));
  if (!plain || endingsOf(text) !== 'crlf') return { old, young };
  return { old: old.replaceAll('\n', '\r\n'), young: young.replaceAll(/\r?\n/g, '\r\n') };
}

function severalPlaces(text: string, old: string, first: number): Replaced {
  const lines: number[] = [];
  let line = 1;
  let counted = 0;
  let at = first;
  while (at !== -1 && lines.length < MAX_PLACES) {
    for (let feed = text.indexOf('\n', counted); feed !== -1 && feed < at; feed = text.indexOf('\n', feed + 1)) line++;
    counted = at;
    lines.push(line);
    at = findText(text, old, at + 1);
  }
  return { kind: 'several', lines, more: at !== -1 };
}
