import { randomUUID } from 'node:crypto';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { Connection, type Provider } from './connection.js';
import { createServer } from './server.js';

/** How often the parent is looked for, in milliseconds. */
const PARENT_CHECK = 2_000;
/** How long the farewell may take before the process goes all the same, in milliseconds. */
const FAREWELL = 5_000;
/** Bytes of one message. Above the limits of the schemas, so that too long an argument is refused by name. */
const MAX_MESSAGE = 16 * 1024 * 1024;

export interface StdioOptions {
  readonly provider: Provider;
  readonly version: string;
  /** Told of what should not have happened. Must not write to stdout. */
  readonly onerror: (error: unknown) => void;
}

/**
 * Serves MCP on this process's stdin and stdout. When the client is gone (end of stdin, parent gone, a signal), the
 * connection is reported as ended, the coordinator is closed and the process exits with 0.
 */
export function startStdio({ provider, version, onerror }: StdioOptions): void {
  const connection = new Connection('stdio', randomUUID(), provider);
  const transport = new ClosingTransport(() => void leave(connection, onerror));
  const { close } = serveStdio(() => createServer({ door: connection, version, onerror }), { transport, onerror });
  const end = () => void close().catch(onerror);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, end);
  whenParentGone(end);
}

/** Tells when it was closed, whatever the cause: the end of stdin, a broken pipe, a message beyond all bounds. */
class ClosingTransport extends StdioServerTransport {
  readonly #closed: () => void;
  #told = false;

  constructor(closed: () => void) {
    super(process.stdin, process.stdout, { maxBufferSize: MAX_MESSAGE });
    this.#closed = closed;
  }

  override async close(): Promise<void> {
    await super.close();
    if (this.#told) return;
    this.#told = true;
    this.#closed();
  }
}

async function leave(connection: Connection, onerror: StdioOptions['onerror']): Promise<void> {
  setTimeout(() => process.exit(0), FAREWELL).unref();
  try {
    const coordinator = await connection.leave();
    await coordinator?.close();
  } catch (error) {
    onerror(error);
  }
  process.exit(0);
}

/** A client that was killed may leave its end of the pipe to somebody else. */
function whenParentGone(end: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, PARENT_CHECK).unref();
}
