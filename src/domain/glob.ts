import { nameKey } from './path.js';

/** Any run: of characters in a name (`*`), of names in a path (`**`). It may be empty. */
export const STAR: unique symbol = Symbol('*');
export type Star = typeof STAR;

/** One character out of `members`, or any but those. `?` is any but none. */
export interface CharClass {
  readonly not: boolean;
  readonly members: string;
}

/** One character of a name, a class of them, or a run. */
export type Token = string | CharClass | Star;
/** One name of a path: literal, any run of names, or a pattern. */
export type Segment = string | Star | readonly Token[];
/** The paths that a unit covers, name by name. Names and characters are keys (see `nameKey`). */
export type Pattern = readonly Segment[];

const ANY: CharClass = { not: true, members: '' };
const TOKENS = /\*+|\?|\[[!^]?[^\]]+\]|\[|[^*?[]+/gu;

/** Whether the text is a glob. A backslash would be an escape; paths with one are refused before. */
export function isGlob(text: string): boolean {
  return /[*?[\]{}]/.test(text);
}

/**
 * Writes `{a,b}` out, nested ones too; braces without a partner stand for themselves.
 * Undefined where there would be more than `limit` alternatives.
 */
export function expandBraces(text: string, limit: number): string[] | undefined {
  const brace = firstBrace(text);
  if (!brace) return [text];
  const tails = expandBraces(text.slice(brace.end), limit);
  if (!tails) return undefined;
  const found: string[] = [];
  for (const choice of brace.choices) {
    const middles = expandBraces(choice, limit);
    if (!middles || found.length + middles.length * tails.length > limit) return undefined;
    for (const middle of middles) for (const tail of tails) found.push(text.slice(0, brace.start) + middle + tail);
  }
  return found;
}

/** How many wildcards the text has. */
export function countWildcards(text: string): number {
  return text.match(/\*+|[?[]/g)?.length ?? 0;
}

/** One name of a path that may be a pattern. A `[` without its `]` stands for itself. */
export function parseSegment(name: string, folds: boolean): Segment {
  if (/^\*{2,}$/.test(name)) return STAR;
  if (countWildcards(name) === 0) return nameKey(name, folds);
  return [...name.normalize('NFC').matchAll(TOKENS)].flatMap(([part]): readonly Token[] => {
    if (part.startsWith('*')) return [STAR];
    if (part === '?') return [ANY];
    if (part.startsWith('[') && part !== '[') return [parseClass(part.slice(1, -1), folds)];
    return [...nameKey(part, folds)];
  });
}

/** Whether some character is meant by both. Both are keys of the same folding. */
export function charsMeet(a: string | CharClass, b: string | CharClass): boolean {
  if (typeof a === 'string') return typeof b === 'string' ? a === b : has(b, a);
  if (typeof b === 'string') return has(a, b);
  if (a.not) return b.not || [...b.members].some((char) => has(a, char));
  return [...a.members].some((char) => has(b, char));
}

function has(set: CharClass, char: string): boolean {
  return set.members.includes(char) !== set.not;
}

/**
 * `a-z_` → its characters. A backward range is just its three characters; one beyond ASCII makes the class stand for
 * any character, which keeps classes small and locks more, never less.
 */
function parseClass(body: string, folds: boolean): CharClass {
  const not = /^[!^]./u.test(body);
  const members = new Set<string>();
  for (const [part, from, to] of (not ? body.slice(1) : body).matchAll(/(.)-(.)|./gu)) {
    if (from === undefined || to === undefined || from > to) {
      for (const char of part) members.add(nameKey(char, folds));
    } else if (to > '\x7f') return ANY;
    else {
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) {
        members.add(nameKey(String.fromCharCode(code), folds));
      }
    }
  }
  return { not, members: [...members].join('') };
}

/** The first brace with a partner: its place, and the choices between its commas. */
function firstBrace(text: string): { start: number; end: number; choices: string[] } | undefined {
  for (let start = text.indexOf('{'); start >= 0; start = text.indexOf('{', start + 1)) {
    const choices: string[] = [];
    let depth = 0;
    let from = start + 1;
    for (let at = start; at < text.length; at++) {
      const char = text[at];
      if (char === '{') depth++;
      if (char === '}') depth--;
      if (depth === 0 || (depth === 1 && char === ',')) {
        choices.push(text.slice(from, at));
        from = at + 1;
      }
      if (depth === 0) return { start, end: at + 1, choices };
    }
  }
  return undefined;
}
