import type { Hunk } from './hunk.js';
import { endingsOf } from './text.js';

/**
 * A file as hunks see it: lines without their line feeds.
 *
 * In a file that uses CRLF throughout, a last line without an ending stands here as if it ended in CR, so that each
 * line has one; `textOf` takes it off again.
 */
export interface FileLines {
  readonly lines: readonly string[];
  /** Whether the last line ends with a line feed; true for an empty file. */
  readonly ended: boolean;
  readonly crlf: boolean;
}

export function linesOf(text: string): FileLines {
  const crlf = endingsOf(text) === 'crlf';
  if (text === '') return { lines: [], ended: true, crlf };
  const lines = text.split('\n');
  const last = String(lines.pop());
  if (last === '') return { lines, ended: true, crlf };
  lines.push(crlf ? `${last}\r` : last);
  return { lines, ended: false, crlf };
}

export function textOf({ lines, ended, crlf }: FileLines): string {
  if (lines.length === 0) return '';
  const text = lines.join('\n');
  if (ended) return `${text}\n`;
  return crlf && text.endsWith('\r') ? text.slice(0, -1) : text;
}

/** A hunk's two sides in the line endings of the file. */
export interface Sides {
  readonly old: readonly string[];
  readonly young: readonly string[];
  /** Number of unchanged lines at the start and at the end. */
  readonly head: number;
  readonly tail: number;
  /** What `\ No newline at end of file` says, if the hunk has it: whether each side ends with a line feed. */
  readonly marked?: { readonly oldEnded: boolean; readonly newEnded: boolean };
}

/**
 * Models write LF whatever the file uses. A hunk without any CR is taken for such a text where the file uses CRLF
 * throughout, and the file stays so. Files with mixed endings are matched literally.
 */
export function sidesOf(hunk: Hunk, crlf: boolean): Sides {
  const plain = hunk.lines.every(({ text }) => !text.endsWith('\r'));
  const lines = hunk.lines.map((line) => ({
    ...line,
    text: crlf && (plain || line.bare) ? `${line.text}\r` : line.text,
  }));
  const old = lines.filter(({ sign }) => sign !== '+');
  const young = lines.filter(({ sign }) => sign !== '-');
  const head = lines.findIndex(({ sign }) => sign !== ' ');
  const tail = lines.length - 1 - lines.findLastIndex(({ sign }) => sign !== ' ');
  const marked = lines.some(({ bare }) => bare)
    ? { marked: { oldEnded: old.at(-1)?.bare !== true, newEnded: young.at(-1)?.bare !== true } }
    : {};
  return { old: old.map(({ text }) => text), young: young.map(({ text }) => text), head, tail, ...marked };
}
