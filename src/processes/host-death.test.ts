import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bench } from './bench.testsuite.js';

const root = join(import.meta.dirname, '../..');
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
  const files = [join(import.meta.dirname, 'host-death.testsuite.ts')];
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

test('promise 2: when the server is killed, none of a command’s processes is left', async () => {
  const fifo = join(bench.root, 'cache/alive');
  execFileSync('mkfifo', [fifo]);
  const command =
    "trap '' TERM HUP; exec 7>cache/alive; setsid nohup sleep 1000 & (setsid sh -c 'sleep 1000 & sleep 1000' &); echo up >&7; wait";
  const server = spawn(process.execPath, [join(built, 'processes/host-death.testsuite.js'), bench.root, command], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, HOME: bench.home },
  });
  // Each process of the command holds the pipe open: its end is the death of the last one.
  const alive = createReadStream(fifo, 'utf8');
  await once(alive, 'data');
  server.kill('SIGKILL');
  await once(alive, 'end');
  expect(server.killed).toBe(true);
});
