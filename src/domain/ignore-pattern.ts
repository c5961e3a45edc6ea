import { parseSegment, type Segment, STAR } from './glob.js';
import { covers } from './overlap.js';
import type { Unit } from './unit.js';

interface Rule {
  readonly again: boolean;
  readonly foldersOnly: boolean;
  /** As a unit that covers what the pattern itself matches, not what lies below. */
  readonly unit: Unit;
}

/** Whether a path is matched: relative to the root, a folder with a slash at its end. */
export type IgnoreMatcher = (path: string) => boolean;

/** What is wrong with a pattern in the syntax of `.gitignore`, as far as it is understood here. */
export function ignoreFault(pattern: string): string | undefined {
  if (/[\p{Cc}\\]/u.test(pattern)) return 'a pattern without backslashes and control characters';
  if (pattern.startsWith('#')) return 'a pattern, not a comment';
  if (pattern.replace(/^!/, '').replaceAll('/', '').trim() === '') return 'a pattern that names something';
  if (pattern.includes('[:')) return 'a pattern without character classes by name';
  return undefined;
}

/**
 * Reads patterns in the syntax of `.gitignore`, as if they stood in one at the root: the last one that matches counts, and
 * what lies in a matched folder is matched. `folds`: the disk takes `A` for `a`.
 */
export function ignoreMatcher(patterns: readonly string[], folds: boolean): IgnoreMatcher {
  const rules = patterns.map((pattern) => ruleOf(pattern.trimEnd(), folds));
  if (rules.length === 0) return () => false;
  return (path) => {
    const names = path.split('/').filter((name) => name !== '');
    return names.some((_, at) => {
      const isFolder = at < names.length - 1 || path.endsWith('/');
      return isMatched(rules, names.slice(0, at + 1).join('/'), isFolder);
    });
  };
}

function isMatched(rules: readonly Rule[], path: string, isFolder: boolean): boolean {
  const last = rules.findLast(({ unit, foldersOnly }) => (isFolder || !foldersOnly) && covers(unit, path));
  return last !== undefined && !last.again;
}

function ruleOf(pattern: string, folds: boolean): Rule {
  const again = pattern.startsWith('!');
  const text = again ? pattern.slice(1) : pattern;
  const names = text.split('/').filter((name) => name !== '');
  const anchored = text.replace(/\/$/, '').includes('/');
  const segments = names.map((name) => parseSegment(name, folds));
  // `a/**` is all that lies in `a`, and not `a` itself.
  if (segments.at(-1) === STAR && segments.length > 1) segments.splice(-1, 1, [STAR]);
  const whole: Segment[] = anchored ? segments : [STAR, ...segments];
  return { again, foldersOnly: text.endsWith('/'), unit: { kind: 'glob', text, folds, patterns: [whole] } };
}
