import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bench, levelsHere } from './bench.testsuite.js';
import type { Containment } from './runner.js';

const root = join(import.meta.dirname, '../..');
const here = await levelsHere();
let built: string;
let bench: Bench;

/** Node cannot run TypeScript: the server is compiled. */
beforeAll(async () => {
  bench = await Bench.make();
  built = await mkdtemp('/var/tmp/signalbox-built-');
  const compilerOptions = {
    noEmit: false,
    noCheck: true,
    outDir: built,
    rootDir: join(root, 'src'),
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const config = join(built, 'tsconfig.json');
  const files = [join(import.meta.dirname, 'server.testsuite.ts')];
  await writeFile(
    config,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }),
  );
  await writeFile(join(built, 'package.json'), '{"type":"module"}');
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config]);
}, 60_000);

afterAll(async () => {
  await rm(built, { recursive: true });
  await bench[Symbol.asyncDispose]();
});

/** Starts a server that runs a command. Descriptors given here it inherits, from 4 on. */
function serve(command: string, level: Containment, ...descriptors: number[]): ChildProcess {
  return spawn(process.execPath, [join(built, 'processes/server.testsuite.js'), bench.root, command, level], {
    stdio: ['ignore', 'inherit', 'inherit', 'ignore', ...descriptors],
    env: { ...process.env, HOME: bench.home },
  });
}

/** Runs a command whose processes all hold a pipe open: its end is the death of the last one. */
async function alive(command: string, level: Containment): Promise<{ server: ChildProcess; dead: Promise<unknown> }> {
  const fifo = join(bench.root, 'cache/alive');
  rmSync(fifo, { force: true });
  execFileSync('mkfifo', [fifo]);
  const server = serve(`exec 7>cache/alive; ${command} echo up >&7; wait`, level);
  const pipe = createReadStream(fifo, 'utf8');
  const dead = once(pipe, 'end');
  await once(pipe, 'data');
  return { server, dead };
}

const DAEMONS = "trap '' TERM HUP; setsid nohup sleep 1000 & (setsid sh -c 'sleep 1000 & sleep 1000' &);";

test.each(here)('promise 2: when the server is killed, none of a command’s processes is left (%s)', async (level) => {
  const { server, dead } = await alive(DAEMONS, level);
  server.kill('SIGKILL');
  await dead;
  expect(server.killed).toBe(true);
});

test('promise 2: without containment, none of its process group is left', async () => {
  const { server, dead } = await alive('sleep 1000 & nohup sleep 1000 &', 'none');
  server.kill('SIGKILL');
  await dead;
  expect(server.killed).toBe(true);
});

test.skipIf(!here.includes('confined'))(
  'promise 2: a command that writes directly dies before the lease of its stopped server ends',
  async () => {
    const { server, dead } = await alive(DAEMONS, 'confined');
    server.kill('SIGSTOP');
    await dead;
    expect(server.exitCode).toBeNull();
    server.kill('SIGKILL');
  },
);

test.skipIf(!here.includes('transactional'))(
  'promise 9: what the server inherited does not reach a command',
  async () => {
    const folder = openSync(bench.outside, 'r');
    const server = serve(
      'readlink /proc/self/fd/* > cache/descriptors; cd /proc/self/fd/5 && echo x > leak',
      'transactional',
      folder,
      folder,
    );
    closeSync(folder);
    await once(server, 'exit');
    expect(readFileSync(join(bench.root, 'cache/descriptors'), 'utf8')).not.toMatch(/outside|pipe:|socket:/);
    expect(readdirSync(bench.outside)).toEqual(['kept']);
  },
);

test.skipIf(!here.includes('confined'))('on an overlay, as in a container, the level confined works', async () => {
  const [upper, script] = [join(built, 'upper'), join(built, 'processes/server.testsuite.js')];
  const mount =
    'mkdir -p "$1/upper" "$1/work" "$1/merged"; cd "$1"; mount -t overlay o -o "lowerdir=lower,upperdir=upper,workdir=work,userxattr" merged';
  execFileSync('cp', ['-r', bench.root, join(built, 'lower')]);
  const command = 'echo works > cache/said; echo x > a.txt || echo kept >> cache/said';
  const server = spawn(
    'unshare',
    [
      '-Urm',
      'sh',
      '-ec',
      `${mount}; exec "$2" "$3" "$1/merged" "$4" confined`,
      'sh',
      built,
      process.execPath,
      script,
      command,
    ],
    { stdio: 'inherit', env: { ...process.env, HOME: bench.home } },
  );
  expect(await once(server, 'exit')).toEqual([0, null]);
  expect(readFileSync(join(upper, 'cache/said'), 'utf8')).toBe('works\nkept\n');
});

test.skipIf(!here.includes('transactional'))('a workspace that is a mount of its own can be an overlay', async () => {
  const folder = join(built, 'mounted');
  execFileSync('cp', ['-r', bench.root, folder]);
  const script = join(built, 'processes/server.testsuite.js');
  const mounted = 'mount --bind "$1" "$1"; exec "$2" "$3" "$1" "$4" transactional';
  const command = 'echo works > cache/said; echo x > a.txt && cat a.txt >> cache/said';
  const server = spawn('unshare', ['-Urm', 'sh', '-ec', mounted, 'sh', folder, process.execPath, script, command], {
    stdio: 'inherit',
    env: { ...process.env, HOME: bench.home },
  });
  expect(await once(server, 'exit')).toEqual([0, null]);
  expect(readFileSync(join(folder, 'cache/said'), 'utf8')).toBe('works\nx\n');
  expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('a.txt\n');
});
