import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stdioAgent } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';

/** Prints what a socket says, or why it can't be connected to. */
const TALK = `const [path = ''] = process.argv.slice(2);
const socket = require('net').connect(path.replace('unix://', ''));
socket.on('data', (data) => { process.stdout.write(data); process.exit(); });
socket.on('error', ({ code }) => { console.log(code); });
`;

/** A server of this host on a Unix socket, under /tmp, which commands have a private one of. */
async function listening(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-socket-'));
  const path = join(folder, 'socket');
  const server = createServer((connection) => connection.end('hello\n'));
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return path;
}

const config = (socket: string, live: boolean): string => `processes:
  talk:
    match: ["node talk.cjs *", "sh talk.sh*"]
    live: ${live}
    sockets: ["${socket}"]
`;

describe.each([false, true])('a process that is granted a socket (live: %s)', (live) => {
  test('by its path connects to it, and other commands do not', async () => {
    const path = await listening();
    const { root } = newWorkspace({ 'talk.cjs': TALK, 'signalbox.yaml': config(path, live) });
    const ada = await stdioAgent(root, 'ada');
    const talk = `node talk.cjs ${path}`;
    expect((await ada.ok('run', { command: talk })).output).toBe('hello\n');
    for (const command of [`true; ${talk}`, `${talk}; true`, `${talk} $(true)`]) {
      expect.soft((await ada.ok('run', { command })).output, command).toMatch(/^(ENOENT|ECONNREFUSED|EACCES)\n$/);
    }
    const other = `node talk.cjs ${await listening()}`;
    expect((await ada.ok('run', { command: other })).output).toMatch(/^E/);
  });

  test.each([
    ['ssh-agent', 'SSH_AUTH_SOCK', ''],
    ['docker', 'DOCKER_HOST', 'unix://'],
    ['display', 'WAYLAND_DISPLAY', ''],
  ])('as %s is told where it is', async (name, variable, prefix) => {
    const path = await listening();
    const files = {
      'talk.cjs': TALK,
      'talk.sh': `node talk.cjs "$${variable}"\n`,
      'signalbox.yaml': config(name, live),
    };
    const { root } = newWorkspace(files);
    const ada = await stdioAgent(root, 'ada', 'legacy', { [variable]: prefix + path });
    expect((await ada.ok('run', { command: 'sh talk.sh' })).output).toBe('hello\n');
    expect((await ada.ok('run', { command: `echo "<$${variable}>"` })).output).toBe('<>\n');
  });

  test('that this machine has not just runs without it', async () => {
    const { root } = newWorkspace({
      'talk.sh': 'echo "<$SSH_AUTH_SOCK>"\n',
      'signalbox.yaml': config('ssh-agent', live),
    });
    const ada = await stdioAgent(root, 'ada', 'legacy', { SSH_AUTH_SOCK: '/nowhere' });
    expect((await ada.ok('run', { command: 'sh talk.sh' })).output).toBe('<>\n');
  });
});
