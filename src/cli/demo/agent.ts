import { readFileSync } from 'node:fs';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { VERSION } from '../version.js';
import { Actor } from './actor.js';
import { Board } from './board.js';
import { type Attachment, type Name, type Order, order, type Report } from './messages.js';
import { ada } from './scripts/ada.js';
import { ben } from './scripts/ben.js';
import { cleo } from './scripts/cleo.js';
import { dan } from './scripts/dan.js';

/** The process of one agent: it attaches its MCP client, plays its script, and ends with the demo. */

const SCRIPTS: { readonly [name in Name]: (me: Actor) => Promise<void> } = { ada, ben, cleo, dan };
const MODERN = '2026-07-28';

const board = new Board();

process.on('message', (message) => {
  const given = order.parse(message);
  if (given.type === 'fact') board.post(given.fact, given.value);
  else void play(given);
});
// Whatever becomes of the demo: nobody plays on without it. A server over stdio ends with its client.
process.on('disconnect', () => process.exit(0));

async function play({ name, attachment, era }: Extract<Order, { type: 'start' }>): Promise<void> {
  try {
    const client = new Client(
      { name, version: VERSION },
      { versionNegotiation: { mode: era === 'modern' ? { pin: MODERN } : 'legacy' } },
    );
    const server = await attach(client, attachment);
    say({ type: 'attached', protocol: client.getNegotiatedProtocolVersion() ?? '', server });
    await SCRIPTS[name](new Actor(name, client, board, say));
    await client.close();
    say({ type: 'finished' });
  } catch (error) {
    say({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
  }
}

/** Returns the process id of the server that was started for this client; null where it was running before. */
async function attach(client: Client, attachment: Attachment): Promise<number | null> {
  if (attachment.kind === 'stdio') {
    const { command, args, root } = attachment;
    const env = { ...getDefaultEnvironment(), SIGNALBOX_ROOT: root };
    const transport = new StdioClientTransport({ command, args, cwd: root, env, stderr: 'inherit' });
    await client.connect(transport);
    return transport.pid;
  }
  const token = readFileSync(attachment.tokenFile, 'utf8').trim();
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(attachment.url), { requestInit }));
  return null;
}

function say(report: Report): void {
  process.send?.(report);
}
