import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/** A pipe whose writing end is for a child process. */
export interface Pipe {
  readonly readable: Readable;
  readonly writer: number;
  /** Closes our copy of the writing end, so that the reader sees the end when the child's processes are gone. */
  release(): void;
}

/**
 * Node gives children socket pairs, and those can't be opened again through `/dev/stdout` or `/dev/stderr`, which scripts
 * do; nor can one of them carry two streams in order. So this makes a true pipe, by way of a name.
 */
export async function namePipe(path: string): Promise<void> {
  await promisify(execFile)('mkfifo', ['-m', '600', '--', path]);
}

/** Opens both ends of a named pipe, and takes its name away. */
export function openPipe(path: string): Pipe {
  // Plain descriptors: a file handle would close its own when collected, under the socket that owns it by then.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  unlinkSync(path);
  const readable = new Socket({ fd: reader, readable: true, writable: false });
  return { readable, writer, release: () => closeSync(writer) };
}
