import { plain } from './notation.js';

const SHOWN = 20;

/** The first twenty, one per line, and how many more there are; `more` counts those that are not given at all. */
export function lines<T>(items: readonly T[], line: (item: T) => string, more = 0): string[] {
  return [...items.slice(0, SHOWN).map(line), ...moreThan(items.length, more)].map((each) => `  ${each}`);
}

/** The first twenty names in one line. */
export function inline(items: readonly string[]): string {
  return [...items.slice(0, SHOWN).map(plain), ...moreThan(items.length, 0)].join(', ');
}

function moreThan(given: number, more: number): string[] {
  const hidden = Math.max(0, given - SHOWN) + more;
  return hidden > 0 ? [`${hidden} more`] : [];
}

/** The lines that there are: optional ones are left out. */
export function joined(parts: readonly (string | false | undefined)[]): string {
  return parts.filter((part) => part !== false && part !== undefined).join('\n');
}
