import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { unreadLine } from './access-log.js';
import { PROBLEM, problem, problemText, type Status } from './no.js';

interface No {
  readonly status: Status;
  readonly detail: string;
}

const BROKEN: No = { status: 400, detail: 'This is no HTTP request' };
const SLOW: No = { status: 408, detail: 'The headers of the request did not come in time' };
const LONG: No = { status: 431, detail: 'The headers of the request are too long' };

/** What never becomes a request, because its headers are broken, too long or too slow: a problem and a line in the log as for any other. */
export function answerUnread(server: Server, log: (sentence: string) => void): void {
  const latest = new WeakMap<Duplex, { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse }>();
  server.on('request', (incoming, outgoing) => latest.set(incoming.socket, { incoming, outgoing }));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const last = latest.get(socket);
    // A request that has come has a line of its own.
    const none = last === undefined || (last.incoming.complete && last.outgoing.writableFinished);
    const inBody = last !== undefined && !last.incoming.complete && !last.outgoing.headersSent;
    const no = noFor(error.code);
    if (no !== undefined && socket.writable && (none || inBody)) socket.write(messageOf(no));
    if (no !== undefined && none) log(unreadLine(no.status));
    socket.destroy();
  });
}

/** The same for a request whose URL is none. */
export function unreadable(log: (sentence: string) => void): Response {
  log(unreadLine(BROKEN.status));
  return problem(BROKEN.status, { detail: 'The URL or the Host of the request is none' });
}

/** Undefined where the connection broke. */
function noFor(code = ''): No | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return SLOW;
  if (code === 'HPE_HEADER_OVERFLOW') return LONG;
  return code.startsWith('HPE_') ? BROKEN : undefined;
}

function messageOf({ status, detail }: No): string {
  const body = problemText(status, { detail });
  const headers = [`Content-Type: ${PROBLEM}`, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers, '', body].join('\r\n');
}
