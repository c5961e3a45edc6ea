import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import type { OutputPage } from './runner.js';

/** Bytes that one page of output holds at most. */
const PAGE = 16_000;
const HEAD = 8_000;
const TAIL = 8_000;
const ESC = '\u001b';
/** An escape sequence that a cut left without its end: control sequence or operating-system command. */
const UNFINISHED = new RegExp(`${ESC}(\\[[0-?]*[ -/]*|\\][^\\u0007${ESC}]*)?$`);
/** Control characters other than tab, line feed and carriage return say nothing to a reader. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** Writes what a command prints to a file, up to `limit` bytes. */
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
  return {
    get total() {
      return total;
    },
    write(chunk) {
      total += chunk.length;
      if (open) kept += keep(file, chunk.subarray(0, Math.max(0, limit - kept)));
      return total <= limit;
    },
    close() {
      if (open) closeSync(file);
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

/** One page of a recorded output. `over`: nothing more will come. */
export async function readOutput(
  path: string,
  total: number | undefined,
  over: boolean,
  from?: number,
): Promise<OutputPage> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    const read = async (start: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(Math.min(length, Math.max(0, size - start))),
        0,
        null,
        start,
      );
      return buffer.subarray(0, bytesRead);
    };
    const printed = Math.max(total ?? 0, size);
    if (from === undefined && size > PAGE) return await ends(read, size, printed, over);
    const start = Math.min(Math.max(0, Math.trunc(from ?? 0)), size);
    const page = await read(start, PAGE);
    const whole = over && start + page.length >= size;
    const length = whole ? page.length : cut(page);
    const next = start + length;
    const text = clean(page.subarray(start === 0 ? 0 : lead(page), length));
    return { text, total: printed, ...(whole ? {} : { next }) };
  } finally {
    await file.close();
  }
}

type Read = (start: number, length: number) => Promise<Buffer>;

async function ends(read: Read, size: number, total: number, over: boolean): Promise<OutputPage> {
  const head = await read(0, HEAD);
  const tail = await read(size - TAIL, TAIL);
  const until = cut(head);
  const again = lead(tail);
  const upTo = over ? tail.length : Math.max(again, cut(tail));
  const from = size - TAIL + again;
  const gap = `\n[… ${from - until} bytes left out here, ${until} to ${from}; read on with from: ${until} …]\n`;
  const text = clean(head.subarray(0, until)) + gap + clean(tail.subarray(again, upTo));
  return { text, total, ...(over ? {} : { next: size - TAIL + upTo }) };
}

/** Where a page can end without splitting a character or an escape sequence; always past the first byte, if there is one. */
function cut(page: Buffer): number {
  let end = page.length;
  for (let back = 1; back <= Math.min(3, page.length); back++) {
    const byte = page[page.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (needed > back) end = page.length - back;
    break;
  }
  const window = Math.max(0, end - 64);
  const unfinished = UNFINISHED.exec(page.toString('latin1', window, end));
  if (unfinished !== null) end = window + unfinished.index;
  return end > 0 || page.length < 64 ? end : page.length;
}

/** How many bytes at the start belong to a character that began before the page. */
function lead(page: Buffer): number {
  let count = 0;
  while (count < 3 && ((page[count] ?? 0) & 0xc0) === 0x80) count++;
  return count;
}

function clean(bytes: Buffer): string {
  return stripVTControlCharacters(bytes.toString('utf8')).replace(CONTROLS, '');
}
