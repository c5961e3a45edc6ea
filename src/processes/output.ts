import { isUtf8 } from 'node:buffer';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const ESC = '\u001b';
/** An escape sequence that a cut left without its end: control sequence or operating-system command. */
const UNFINISHED = new RegExp(`${ESC}(\\[[0-?]*[ -/]*|\\][^\\u0007${ESC}]*)?$`);
/** How far back an unfinished sequence is looked for. */
const LONGEST_SEQUENCE = 64;
/** Control characters other than tab, line feed and carriage return say nothing to a reader. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;
/** What `clean` could change in UTF-8, the introducer of sequences in its C1 form (C2 9B) among it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const SUSPECT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u009b]/;

/** Writes what a command prints to a file, as plain UTF-8 text and up to `limit` bytes. */
export interface Recorder {
  /** Bytes printed, kept or not. */
  readonly total: number;
  /** False once the limit is passed. */
  write(chunk: Buffer): boolean;
  close(): void;
}

export function record(path: string, limit: number): Recorder {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  let total = 0;
  let kept = 0;
  let open = true;
  /** A character or an escape sequence whose end has not come yet. */
  let begun: Buffer = Buffer.alloc(0);
  const add = (bytes: Buffer): void => {
    const text = clean(bytes);
    const room = limit - kept;
    if (room > 0) kept += keep(file, text.length <= room ? text : text.subarray(0, wholeCharacters(text, room)));
  };
  return {
    get total() {
      return total;
    },
    write(chunk) {
      total += chunk.length;
      if (open && kept < limit) {
        const bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
        const end = wholeText(bytes);
        begun = Buffer.from(bytes.subarray(end));
        add(bytes.subarray(0, end));
      }
      return total <= limit;
    },
    close() {
      if (!open) return;
      add(begun);
      closeSync(file);
      open = false;
    },
  };
}

/** A full disk loses output, never the run. */
function keep(file: number, bytes: Buffer): number {
  try {
    return bytes.length === 0 ? 0 : writeSync(file, bytes);
  } catch {
    return 0;
  }
}

/** The same as UTF-8 without escape sequences and control characters. Mostly it is that already. */
function clean(bytes: Buffer): Buffer {
  if (isUtf8(bytes) && !SUSPECT.test(bytes.toString('latin1'))) return bytes;
  return Buffer.from(stripVTControlCharacters(bytes.toString('utf8')).replace(CONTROLS, ''));
}

/** Where text can be cut without splitting a character or an escape sequence. */
function wholeText(bytes: Buffer): number {
  const end = wholeCharacters(bytes, bytes.length);
  const window = Math.max(0, end - LONGEST_SEQUENCE);
  const unfinished = UNFINISHED.exec(bytes.toString('latin1', window, end));
  return unfinished === null ? end : window + unfinished.index;
}

/** The last place up to `end` where no character of UTF-8 is split; what is no UTF-8 is not held back. */
export function wholeCharacters(bytes: Buffer, end: number): number {
  for (let back = 1; back <= Math.min(3, end); back++) {
    const byte = bytes[end - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? end - back : end;
  }
  return end;
}
