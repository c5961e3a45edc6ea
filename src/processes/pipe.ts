import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/** A pipe whose writing end is for a child process. */
export interface Pipe {
  readonly readable: Readable;
  readonly writer: number;
  /** Closes our copy of the writing end, so that the reader sees the end when the child's processes are gone. */
  release(): void;
}

interface Ends {
  readonly reader: number;
  readonly writer: number;
}

/** Made with one program: most runs need not wait for it. */
const BATCH = 8;
/** Pipes that nobody has used yet: open, without a name, closed to children. */
const reserve: Ends[] = [];

/**
 * Node gives children socket pairs, and those can't be opened again through `/dev/stdout` or `/dev/stderr`, which scripts
 * do; nor can one of them carry two streams in order. So this is a true pipe, made by way of a name in a private folder.
 */
export async function takePipe(folder: string): Promise<Pipe> {
  const { reader, writer } = reserve.pop() ?? (await makePipes(folder));
  const readable = new Socket({ fd: reader, readable: true, writable: false });
  return { readable, writer, release: () => closeSync(writer) };
}

async function makePipes(folder: string): Promise<Ends> {
  const names = Array.from({ length: BATCH }, (_, at) => join(folder, `pipe${at}`));
  await promisify(execFile)('mkfifo', ['-m', '600', '--', ...names]);
  const [first, ...others] = names.map(openEnds);
  if (first === undefined) throw new Error('no pipe was made');
  reserve.push(...others);
  return first;
}

/** Opens both ends, and takes the name away. */
function openEnds(path: string): Ends {
  // Plain descriptors: a file handle would close its own when collected, under the socket that owns it by then.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  unlinkSync(path);
  return { reader, writer };
}
