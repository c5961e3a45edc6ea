import { spawn } from 'node:child_process';
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

/** Connects to each, and prints how many said something. */
const KNOCK = `const paths = process.argv.slice(2);
let [left, reached] = [paths.length, 0];
for (const path of paths) require('net').connect(path)
  .on('data', () => reached++).on('error', () => {}).on('close', () => --left || console.log('reached ' + reached));
`;
/** Listens on each, and says when it does on all. */
const LISTEN = `const paths = process.argv.slice(1);
let left = paths.length;
for (const path of paths)
  require('net').createServer((c) => c.end('hello')).listen(path, () => --left || console.log('up'));
`;

/** A server of its own on these sockets, in this network or another one. */
async function listeningOn(paths: readonly string[], network: 'this' | 'another' = 'this'): Promise<void> {
  const node = [process.execPath, '-e', LISTEN, ...paths];
  const [command = '', ...args] = network === 'this' ? node : ['unshare', '--user', '--net', ...node];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

/** Where commands have no folder of their own: the host's as it is, but for its sockets. */
function placeFor(count: number): string[] {
  const folder = mkdtempSync('/var/tmp/signalbox-socket-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return Array.from({ length: count }, (_, at) => join(folder, `s${at}`));
}

const LIVE = 'processes:\n  all:\n    match: ["*"]\n    live: true\n';

describe.each([false, true])('promise 9: sockets of the host with a path are out of reach (live: %s)', (live) => {
  async function knocking() {
    const files = { 'knock.cjs': KNOCK, '.gitignore': 'node_modules/\n', ...(live ? { 'signalbox.yaml': LIVE } : {}) };
    const { root, write } = newWorkspace(files);
    // What the host changes there meanwhile, commands see.
    write('node_modules/x', '');
    const ada = await stdioAgent(root, 'ada');
    return {
      ada,
      write,
      knock: async (paths: readonly string[]) =>
        (await ada.ok('run', { command: `node knock.cjs ${paths.join(' ')}` })).output,
    };
  }

  test('of another network namespace, which no list shows', async () => {
    const paths = placeFor(1);
    await listeningOn(paths, 'another');
    const { knock } = await knocking();
    expect(await knock(paths)).toBe('reached 0\n');
  });

  test('made while the command runs', async () => {
    const paths = placeFor(1);
    const { ada, write } = await knocking();
    const command = `echo begun; until test -e node_modules/go; do sleep 0.02; done; node knock.cjs ${paths[0]}`;
    const { run } = await ada.ok('run', { command, background: true });
    while (!(await ada.ok('run', { run, wait_s: 0 })).output.includes('begun'));
    await listeningOn(paths);
    write('node_modules/go', '');
    expect((await ada.ok('run', { run })).output).toBe('begun\nreached 0\n');
  });

  test('however many', async () => {
    const paths = placeFor(300);
    await listeningOn(paths);
    const { knock } = await knocking();
    expect(await knock(paths)).toBe('reached 0\n');
  });
});
