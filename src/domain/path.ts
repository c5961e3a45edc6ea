import { type Refusal, refuse } from './refusal.js';

/** A path inside the root, as its names: none of them empty, `.` or `..`. The root is the folder without names. */
export interface Path {
  readonly names: readonly string[];
  /** Whether it was written as a folder: with a slash (or `/.`) at the end. */
  readonly folder: boolean;
}

const MAX_PATH_BYTES = 4_096;
const MAX_NAME_BYTES = 255;
const ABSOLUTE = /^(?:[/\\]|[A-Za-z]:(?:[/\\]|$))/;
/** Control, bidi, zero-width and other unseen characters, and halves of surrogate pairs. Emoji need variation selectors. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?!\p{Variation_Selector})\p{Default_Ignorable_Code_Point}/gu;

/** Reads a path as an agent wrote it. Refuses OUTSIDE what is absolute or climbs, INVALID what is no sound path. */
export function parsePath(text: string): Path | Refusal {
  const fault = pathFault(text);
  if (fault) return fault;
  const parts = text.split('/');
  if (parts.includes('..')) {
    return outside(text, 'climbs with `..`');
  }
  const long = parts.find((name) => Buffer.byteLength(name) > MAX_NAME_BYTES);
  if (long !== undefined) return invalid(text, `has a name of more than ${MAX_NAME_BYTES} bytes`);
  return { names: parts.filter(isName), folder: !isName(parts.at(-1)) };
}

/** What is wrong with the text as a whole, before it is taken apart. */
export function pathFault(text: string): Refusal | undefined {
  if (text === '') return invalid(text, 'is empty');
  if (Buffer.byteLength(text) > MAX_PATH_BYTES) return invalid(text, `is longer than ${MAX_PATH_BYTES} bytes`);
  if (text.search(UNSEEN) >= 0) return invalid(text, 'contains a control or invisible character');
  if (ABSOLUTE.test(text)) return outside(text, 'is absolute');
  if (text.includes('\\')) return invalid(text, 'contains a backslash; names are separated by `/`');
  return undefined;
}

/** The one spelling of a path (or glob): `./a`, `a//b` and `a/./b` lose what says nothing; the root is `./`. */
export function canonicalPath(text: string): string {
  const parts = text.split('/');
  const names = parts.filter(isName);
  if (names.length === 0) return './';
  return isName(parts.at(-1)) ? names.join('/') : `${names.join('/')}/`;
}

/**
 * What a name is compared by: its NFC form, because disks differ on which form they keep. With `folds` (the disk takes
 * `A` for `a`), also without case and ignorable characters; lower case goes first and upper case last, since only upper
 * case maps `ſ`, `ς` and `ß` to what their capitals become. Folding more than the disk does only widens a lock.
 */
export function nameKey(name: string, folds: boolean): string {
  if (!folds) return name.normalize('NFC');
  return name
    .normalize('NFD')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .toUpperCase()
    .normalize('NFC');
}

export function invalid(text: string, why: string): Refusal {
  return refuse(
    'INVALID',
    `${shown(text)} ${why}.`,
    'Name a file `src/a.ts`, a folder `src/auth/`, a glob `src/**/*.sql` or a process `process:build`.',
    { unit: shown(text) },
  );
}

function outside(text: string, why: string): Refusal {
  return refuse(
    'OUTSIDE',
    `${shown(text)} ${why}, so it may lie outside the workspace.`,
    'Name the path relative to the workspace root, without `..`.',
    { unit: shown(text) },
  );
}

/** Text that did not pass, fit for a terminal: cut, and with its unseen characters spelled out. */
function shown(text: string): string {
  const cut = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return `\`${cut.replace(UNSEEN, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)}\``;
}

function isName(part: string | undefined): boolean {
  return part !== '' && part !== '.';
}
