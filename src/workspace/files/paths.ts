import { type Refusal, refuse } from '../../domain/refusal.js';

const MAX_PATH = 4_096;
const MAX_NAME = 255;
const MAX_DEPTH = 128;

/**
 * Control characters, lone surrogates, and what makes a name look like another one: format characters (bidi controls,
 * zero-width characters, tags, the byte order mark), line separators and invisible fillers.
 */
const DECEIVING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/u;

/**
 * A path as an agent gave it → relative to the root, without `.`, `..`, double or trailing slashes; the root is `.`.
 * Pure: no disk, so links are not resolved. `roots` are the names under which the root is known.
 */
export function canonical(given: string, roots: readonly string[]): string | Refusal {
  const wrong = malformed(given);
  if (wrong !== undefined) return invalid(given, wrong);
  if (/^[A-Za-z]:(?:\/|$)/.test(given)) return outside(given);
  const relative = given.startsWith('/') ? within(given, roots) : given;
  if (relative === undefined) return outside(given);
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return outside(given);
  if (parts.length > MAX_DEPTH) return invalid(given, `is deeper than ${MAX_DEPTH} folders`);
  if (parts.some((part) => Buffer.byteLength(part) > MAX_NAME))
    return invalid(given, `has a name longer than ${MAX_NAME} bytes`);
  return parts.length === 0 ? '.' : parts.join('/');
}

/** The names on the way to a canonical path. */
export function partsOf(path: string): readonly string[] {
  return path === '.' ? [] : path.split('/');
}

/** An absolute path → what of it lies below the root, or nothing. Compared name by name: `/repo-evil` is not in `/repo`. */
export function within(absolute: string, roots: readonly string[]): string | undefined {
  for (const root of roots) {
    if (absolute === root) return '';
    if (absolute.startsWith(root.endsWith('/') ? root : `${root}/`)) return absolute.slice(root.length);
  }
  return undefined;
}

function malformed(given: string): string | undefined {
  if (given === '') return 'is empty';
  if (Buffer.byteLength(given) > MAX_PATH) return `is longer than ${MAX_PATH} bytes`;
  if (DECEIVING.test(given)) return 'holds a control, invisible or direction-changing character';
  if (given.includes('\\')) return 'holds a backslash';
  return undefined;
}

function invalid(given: string, what: string): Refusal {
  const shown = JSON.stringify(given.length > 80 ? `${given.slice(0, 80)}…` : given).replace(
    /[^\x20-\x7e…]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return refuse(
    'INVALID',
    `The path ${shown} ${what}.`,
    'Pass a path relative to the workspace, with / between names.',
  );
}

export function outside(given: string): Refusal {
  return refuse(
    'OUTSIDE',
    `${given} is outside the workspace.`,
    'Pass a path inside the workspace, relative to its root.',
    {
      path: given,
    },
  );
}
