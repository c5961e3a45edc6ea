import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/** A pipe whose writing end is for a child process. */
export interface Pipe {
  readonly readable: Readable;
  readonly writer: number;
  /** Closes our copy of the writing end, so that the reader sees the end when the child's processes are gone. */
  release(): Promise<void>;
}

/**
 * Node gives children socket pairs, and those can't be opened again through `/dev/stdout` or `/dev/stderr`, which scripts
 * do; nor can one of them carry two streams in order. So this makes a true pipe, by way of a name.
 */
export async function makePipe(path: string): Promise<Pipe> {
  await promisify(execFile)('mkfifo', ['-m', '600', '--', path]);
  const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = await open(path, constants.O_WRONLY);
  await rm(path);
  return {
    readable: new Socket({ fd: reader.fd, readable: true, writable: false }),
    writer: writer.fd,
    release: () => writer.close(),
  };
}
