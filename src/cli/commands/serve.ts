import { join } from 'node:path';
import { Feed } from '../../coordinator/feed.js';
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.js';
import { isLoopback } from '../../http/guards.js';
import { LiveTokens } from '../../http/live-tokens.js';
import { startHttp } from '../../http/server.js';
import { TokenFiles } from '../../http/token-files.js';
import { mcpOverHttp } from '../../mcp/http.js';
import { type Assembled, tidy } from '../assemble.js';
import { interrupted, untilInterrupted } from '../interrupt.js';
import { fail, paint, print, printJson } from '../output.js';
import { ownCommand, shellLine } from '../own-command.js';
import { VERSION } from '../version.js';

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly json: boolean;
}

/** `serve`: many clients over HTTP, on the same database as every `signalbox mcp` of the workspace. */
export async function serve(assembled: Assembled, { host, port, json }: ServeOptions): Promise<void> {
  void tidy(assembled);
  assembled.parts.presence.keep();
  const { parts, coordinator, plane, config } = assembled;
  const files = new TokenFiles(join(parts.workspace.root, '.signalbox'));
  const { path } = files.first();
  const tokens = new LiveTokens(files, parts.log);
  const onerror = (error: unknown): void => parts.log(String(error));
  const mcp = mcpOverHttp({ provider: assembled.available, version: VERSION, onerror });
  const options = {
    host,
    port,
    mcp,
    planes: { coordinator, plane },
    tokens,
    feed: new Feed(parts.store),
    version: VERSION,
    hosts: config.hosts,
    log: parts.log,
    onerror,
  };
  const server = await startHttp(options).catch((error: unknown) => cannotListen(`${host}:${port}`, error));
  if (isRefusal(server)) return fail(server);
  const url = `http://${server.host}:${server.port}/mcp`;
  if (json) printJson({ url, token_file: path, root: parts.workspace.root, pid: process.pid });
  else announce(parts.workspace.root, url, path, host);
  await untilInterrupted(interrupted);
  await server.close();
  tokens.close();
}

function cannotListen(address: string, error: unknown): Refusal {
  const reason = error instanceof Error ? error.message : String(error);
  const next = 'Pass another --port (0 takes any free one) or --host, or stop what listens there.';
  return refuse('UNAVAILABLE', `${address} cannot be listened on: ${reason}`, next, { address });
}

function announce(root: string, url: string, tokenFile: string, host: string): void {
  print(`${paint('bold', 'signalbox')} guards ${root}`);
  print(`  MCP      ${paint('cyan', url)}`);
  print(`  token    in ${tokenFile}`);
  if (!isLoopback(host)) {
    print('  Other machines can call, and the token crosses the network in the clear: put TLS in front of it.');
    print('  Names beside that address are served when serve.hosts in signalbox.yaml lists them.');
  }
  print('');
  print('Attach Claude Code:');
  const token = `"Authorization: Bearer $(cat ${shellLine([tokenFile])})"`;
  print(`  claude mcp add --transport http signalbox ${url} --header ${token}`);
  print('or, without this server, any client over stdio:');
  print(`  claude mcp add signalbox -- ${shellLine([...ownCommand(), 'mcp'])}`);
  print('');
  print(paint('dim', 'Ctrl-C stops it. Locks of connected agents are free a minute after.'));
}
