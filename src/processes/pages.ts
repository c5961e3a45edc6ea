import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { wholeCharacters } from './output.js';
import type { Log, OutputPage } from './runner.js';

/** Bytes that one page of output holds at most. */
const PAGE = 16_000;
const HEAD = 8_000;
const TAIL = 8_000;
/** Bytes that a log keeps of the start and of the end of an output. */
const KEPT = 512 * 1024;

/** Recorded output, whole or with a part left out. Places are those in what was recorded. */
interface Source {
  readonly size: number;
  readonly cut?: { readonly at: number; readonly bytes: number };
  read(start: number, length: number): Promise<Buffer>;
}

/** One page of an output that is recorded in a file. `over`: nothing more will come. */
export async function readOutput(
  path: string,
  total: number | undefined,
  over: boolean,
  from?: number,
): Promise<OutputPage> {
  return withFile(path, (source) => page(source, total ?? 0, over, from));
}

/** One page of what a run printed, from its log. */
export function readLog({ bytes, cut }: Log, total: number, from?: number): Promise<OutputPage> {
  const kept = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (cut === undefined) return page(inMemory(kept), total, true, from);
  const gap = Buffer.byteLength(gapLine(cut.bytes));
  const tail = cut.at + gap;
  const size = cut.at + cut.bytes + kept.length - tail;
  const read = async (start: number, length: number): Promise<Buffer> => {
    const at = start < cut.at ? start : start - cut.bytes + gap;
    return kept.subarray(at, Math.min(at + length, start < cut.at ? cut.at : kept.length));
  };
  return page({ size, cut, read }, total, true, from);
}

/** What is kept for good of a recorded output: all, or its ends with a line between that says how much is left out. */
export function readForLog(path: string): Promise<Log> {
  return withFile(path, async ({ size, read }) => {
    if (size <= 2 * KEPT) return { bytes: await read(0, size) };
    const start = await read(0, KEPT);
    const at = wholeCharacters(start, start.length);
    const end = await read(size - KEPT, KEPT);
    const tail = end.subarray(lead(end));
    const bytes = size - tail.length - at;
    return { bytes: Buffer.concat([start.subarray(0, at), Buffer.from(gapLine(bytes)), tail]), cut: { at, bytes } };
  });
}

const gapLine = (bytes: number): string => `\n[… ${bytes} bytes of output are not kept …]\n`;

async function page(source: Source, total: number, over: boolean, from?: number): Promise<OutputPage> {
  const { size, cut } = source;
  const printed = Math.max(total, size);
  if (from === undefined && size > PAGE) return ends(source, printed, over);
  const asked = Math.min(Math.max(0, Math.trunc(from ?? 0)), size);
  const isLeftOut = cut !== undefined && asked >= cut.at && asked < cut.at + cut.bytes;
  const start = isLeftOut ? cut.at + cut.bytes : asked;
  const bytes = await source.read(start, PAGE);
  const whole = over && start + bytes.length >= size;
  const length = whole ? bytes.length : wholeCharacters(bytes, bytes.length);
  const text = (isLeftOut ? gapLine(cut.bytes) : '') + bytes.toString('utf8', start === 0 ? 0 : lead(bytes), length);
  return { text, total: printed, ...(whole ? {} : { next: start + length }) };
}

async function ends({ size, read }: Source, total: number, over: boolean): Promise<OutputPage> {
  const head = await read(0, HEAD);
  const tail = await read(size - TAIL, TAIL);
  const until = wholeCharacters(head, head.length);
  const again = lead(tail);
  const upTo = over ? tail.length : Math.max(again, wholeCharacters(tail, tail.length));
  const from = size - TAIL + again;
  const gap = `\n[… ${from - until} bytes left out here, ${until} to ${from}; read on with from: ${until} …]\n`;
  const text = head.toString('utf8', 0, until) + gap + tail.toString('utf8', again, upTo);
  return { text, total, ...(over ? {} : { next: size - TAIL + upTo }) };
}

/** How many bytes at the start belong to a character that began before the page. */
function lead(page: Buffer): number {
  let count = 0;
  while (count < 3 && ((page[count] ?? 0) & 0xc0) === 0x80) count++;
  return count;
}

function inMemory(bytes: Buffer): Source {
  return { size: bytes.length, read: async (start, length) => bytes.subarray(start, start + length) };
}

async function withFile<T>(path: string, look: (source: Source) => Promise<T>): Promise<T> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    return await look({ size, read: (start, length) => readAt(file, start, Math.min(length, size - start)) });
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, length)), 0, null, start);
  return buffer.subarray(0, bytesRead);
}
