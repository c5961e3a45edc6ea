import type { Json } from '../../domain/refusal.js';
import { findText } from './find-text.js';

/** Why a text is not there, where that can be told. */
export type Cause = 'line_numbers' | 'line_endings' | 'white_space' | 'already_made';

/** What a file holds instead of the text that was looked for. Line numbers from 1. */
export interface Miss {
  readonly cause?: Cause;
  readonly closest?: { readonly from: number; readonly to: number; readonly text: string };
}

const MAX_TEXT = 5_000_000;
const MAX_LINES = 50_000;
const MAX_SHOWN = 10;
const MAX_SHOWN_LINE = 400;
const MAX_LIKE_LINES = 20_000;
const MAX_WANTED = 40;
/** Places of one line within the wanted text that are tried. */
const MAX_PLACES = 5;
/** A shorter text can be in a file by chance. */
const MIN_TELLING = 10;
/** A line like the wanted one shares at least this part of their words. */
const LIKE = 0.4;

/** `12⇥`, `12→`, `12:` or `12|` in front of each line, as listings show it. */
const LINE_NUMBER = /^\s*\d+(?:\t|→|:[ \t]?|[ \t]?\|[ \t]?)/;

/** Looks for the lines most like `wanted`, in bounded time. `replacement` is what it would have become. */
export function closest(text: string, wanted: string, replacement: string): Miss {
  if (text.length > MAX_TEXT || wanted.length > MAX_TEXT) return {};
  const bare = withoutLineNumbers(wanted);
  const window = bestWindow(text.split('\n', MAX_LINES), (bare ?? wanted).split('\n', MAX_WANTED));
  const cause = causeOf(text, wanted, replacement, bare, window);
  return {
    ...(cause === undefined ? {} : { cause }),
    ...(window === undefined ? {} : { closest: shown(text.split('\n', MAX_LINES), window) }),
  };
}

/** The facts of a miss, as fields of a refusal. */
export function missFacts(miss: Miss): { readonly [key: string]: Json } {
  return {
    ...(miss.cause === undefined ? {} : { cause: miss.cause }),
    ...(miss.closest === undefined ? {} : { closest: { ...miss.closest } }),
  };
}

/** The text without the line numbers of a listing, if each of its lines that is not blank begins with one. */
function withoutLineNumbers(text: string): string | undefined {
  const lines = text.split('\n');
  const numbered = lines.filter((line) => line.trim() !== '');
  if (numbered.length === 0 || !numbered.every((line) => LINE_NUMBER.test(line))) return undefined;
  return lines.map((line) => line.replace(LINE_NUMBER, '')).join('\n');
}

interface Window {
  /** Index of the line where the wanted text would begin; may be below 0. */
  readonly at: number;
  readonly length: number;
  /** Each wanted line is there but for white space. */
  readonly whole: boolean;
}

function bestWindow(lines: readonly string[], wanted: readonly string[]): Window | undefined {
  const at = byEqualLines(lines, wanted) ?? byLikeLine(lines, wanted);
  if (at === undefined) return undefined;
  const last = wanted.length - 1;
  const whole = wanted.every((line, index) => {
    const there = lines[at + index]?.trim();
    const text = line.trim();
    // The first and the last line may be parts of their lines.
    return there === text || (index === 0 && there?.endsWith(text)) || (index === last && there?.startsWith(text));
  });
  return { at, length: wanted.length, whole };
}

/** Each line that equals a wanted one but for white space votes for where the text begins; long lines weigh more. */
function byEqualLines(lines: readonly string[], wanted: readonly string[]): number | undefined {
  const places = new Map<string, number[]>();
  for (const [index, line] of wanted.entries()) {
    const text = line.trim();
    const known = places.get(text) ?? [];
    if (text !== '' && known.length < MAX_PLACES) places.set(text, [...known, index]);
  }
  const votes = new Map<number, number>();
  let best: { readonly start: number; readonly vote: number } | undefined;
  for (const [at, line] of lines.entries()) {
    const text = line.trim();
    for (const index of places.get(text) ?? []) {
      const start = at - index;
      const vote = (votes.get(start) ?? 0) + 1 + Math.min(text.length, 40);
      votes.set(start, vote);
      if (best === undefined || vote > best.vote) best = { start, vote };
    }
  }
  return best?.start;
}

/** The line that shares most words with the longest wanted one. */
function byLikeLine(lines: readonly string[], wanted: readonly string[]): number | undefined {
  let longest = { text: '', index: 0 };
  for (const [index, line] of wanted.entries()) {
    const text = line.trim();
    if (text.length > longest.text.length) longest = { text, index };
  }
  const words = wordsOf(longest.text);
  let best: { readonly at: number; readonly likeness: number } | undefined;
  for (const [at, line] of lines.slice(0, MAX_LIKE_LINES).entries()) {
    const likeness = likenessOf(words, wordsOf(line));
    if (likeness >= LIKE && likeness > (best?.likeness ?? 0)) best = { at: at - longest.index, likeness };
  }
  return best?.at;
}

function wordsOf(line: string): Set<string> {
  return new Set(line.slice(0, MAX_SHOWN_LINE).match(/[\p{L}\p{N}_$]+/gu));
}

function likenessOf(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of b) if (a.has(word)) shared++;
  return shared === 0 ? 0 : shared / (a.size + b.size - shared);
}

function shown(lines: readonly string[], window: Window): NonNullable<Miss['closest']> {
  const from = Math.max(0, window.at - 1);
  const to = Math.min(lines.length, Math.max(window.at + window.length + 1, from + 1), from + MAX_SHOWN);
  const text = lines.slice(from, to).map((line) => {
    const bare = line.replace(/\r$/, '');
    return bare.length > MAX_SHOWN_LINE ? `${bare.slice(0, MAX_SHOWN_LINE)}…` : bare;
  });
  return { from: from + 1, to, text: text.join('\n') };
}

function causeOf(
  text: string,
  wanted: string,
  replacement: string,
  bare: string | undefined,
  window: Window | undefined,
): Cause | undefined {
  if (bare !== undefined) return 'line_numbers';
  const plain = (each: string): string => each.replaceAll('\r\n', '\n');
  if (findText(text, wanted) === -1 && findText(plain(text), plain(wanted)) !== -1) return 'line_endings';
  if (replacement.trim().length >= MIN_TELLING && findText(text, replacement) !== -1) return 'already_made';
  // A hunk's lines can be there and yet not fit: not at the end of the file, or not below its anchor.
  const isThere = findText(`\n${text}\n`, `\n${wanted}\n`) !== -1;
  return !isThere && window?.whole === true ? 'white_space' : undefined;
}
