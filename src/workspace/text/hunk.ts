import type { Refusal } from '../../domain/refusal.js';
import { invalid } from './operation.js';

/** One line of a hunk, without its line feed. `bare`: `\ No newline at end of file` follows it. */
export interface HunkLine {
  readonly sign: ' ' | '+' | '-';
  readonly text: string;
  readonly bare: boolean;
}

/** One place of a file that changes, found by its context and removed lines. */
export interface Hunk {
  readonly lines: readonly HunkLine[];
  /** Texts of `@@ text` lines above it, outermost first: the hunk lies below them. */
  readonly anchors: readonly string[];
  /** `*** End of File`: its old lines are the last of the file. */
  readonly atEnd: boolean;
  /** Its header's line in the diff, from 1. */
  readonly diffLine: number;
}

/** A hunk's lines as they are read, one after another. */
export interface Body {
  readonly lines: HunkLine[];
  /** How many lines at its end were wholly empty: blank context, or only space between two sections. */
  empty: number;
}

/**
 * Takes one line into the body: `taken`, or `end` where the line cannot belong to a hunk.
 * A wholly empty line counts as blank context, because editors and models strip the space that should lead it.
 */
export function takeLine(body: Body, line: string): 'taken' | 'end' {
  const sign = line.charAt(0);
  if (line === '' || line === '\r') {
    body.lines.push({ sign: ' ', text: line, bare: false });
    body.empty++;
    return 'taken';
  }
  if (sign === '\\') return markBare(body);
  if (sign !== ' ' && sign !== '+' && sign !== '-') return 'end';
  body.lines.push({ sign, text: line.slice(1), bare: false });
  body.empty = 0;
  return 'taken';
}

function markBare(body: Body): 'taken' | 'end' {
  const last = body.lines.pop();
  if (last === undefined) return 'end';
  body.lines.push({ ...last, bare: true });
  body.empty = 0;
  return 'taken';
}

/** Drops empty lines from the end, except as many as the header's count of old lines asks for. */
export function dropEmpty(body: Body, oldCount: number): void {
  let old = body.lines.filter(({ sign }) => sign !== '+').length;
  for (; body.empty > 0 && old > oldCount; old--) {
    body.lines.pop();
    body.empty--;
  }
}

/** A hunk must change something, and only the last line of a side can lack its newline. */
export function checkHunk(hunk: Hunk, path: string): Refusal | undefined {
  const wrong = (expected: string, got: string): Refusal =>
    invalid({ diffLine: hunk.diffLine }, { path, argument: 'diff', expected, got, next: CORRECT });
  if (hunk.lines.every(({ sign }) => sign === ' ')) return wrong('a hunk with + or - lines', 'context lines only');
  for (const side of ['-', '+'] as const) {
    const lines = hunk.lines.filter(({ sign }) => sign === ' ' || sign === side);
    if (lines.slice(0, -1).some(({ bare }) => bare)) {
      return wrong('"\\ No newline at end of file" behind the last line of its side only', 'one before further lines');
    }
  }
  return undefined;
}

const CORRECT = 'Correct the diff and call patch again, or pass the change as edits with old_string and new_string.';
