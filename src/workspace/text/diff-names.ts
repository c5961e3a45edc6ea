import { decodeText, encodeText } from './text.js';

const LETTERS: { readonly [letter: string]: number } = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
};

/** A path as a diff header shows it: quoted like C, as git does, where it holds characters that would break the line. */
export function quoteName(name: string): string {
  if (![...name].some(breaksLine)) return name;
  let quoted = '';
  for (const byte of encodeText(name)) {
    const letter = Object.entries(LETTERS).find(([, code]) => code === byte)?.[0];
    if (letter !== undefined) quoted += `\\${letter}`;
    else if (byte < 32 || byte >= 127) quoted += `\\${byte.toString(8).padStart(3, '0')}`;
    else quoted += String.fromCharCode(byte);
  }
  return `"${quoted}"`;
}

function breaksLine(character: string): boolean {
  return character < ' ' || character === '\u007f' || character === '"' || character === '\\';
}

const MAX_NAME = 20_000;

/** The name at the start of `text`, unquoted, and the rest behind it. Null where a quoted name is broken or too long. */
export function readName(text: string): { readonly name: string; readonly rest: string } | null {
  if (text.length > MAX_NAME) return null;
  if (!text.startsWith('"')) {
    const tab = text.indexOf('\t');
    return tab === -1 ? { name: text, rest: '' } : { name: text.slice(0, tab), rest: text.slice(tab) };
  }
  const [quoted] = /^"(?:[^"\\]|\\.)*"/.exec(text) ?? [];
  if (quoted === undefined) return null;
  const name = unescapeName(quoted.slice(1, -1));
  return name === null ? null : { name, rest: text.slice(quoted.length) };
}

function unescapeName(quoted: string): string | null {
  const bytes: number[] = [];
  for (const [part] of quoted.matchAll(/\\[0-7]{3}|\\.|[^\\]+/g)) {
    if (!part.startsWith('\\')) for (const byte of encodeText(part)) bytes.push(byte);
    else if (part.length === 4) bytes.push(Number.parseInt(part.slice(1), 8));
    else {
      const code = LETTERS[part.slice(1)];
      if (code === undefined) return null;
      bytes.push(code);
    }
  }
  return bytes.some((byte) => byte > 255) ? null : decodeText(Uint8Array.from(bytes));
}
