import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { claim, opened, record, sha } from '../steps.testsuite.js';
import { StoreBusy } from '../store.js';
import { SqliteBench } from './bench.testsuite.js';
import { machineClock } from './clock.js';

const project = join(import.meta.dirname, '../../..');
let built: string;
let bench: SqliteBench;
const children: ChildProcess[] = [];

/** Node cannot run TypeScript: the child is compiled. */
beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'signalbox-built-'));
  const compilerOptions = {
    noEmit: false,
    noCheck: true,
    outDir: built,
    rootDir: join(project, 'src'),
    typeRoots: [join(project, 'node_modules/@types')],
  };
  const files = [join(import.meta.dirname, 'child.testsuite.ts')];
  const config = { extends: join(project, 'tsconfig.json'), compilerOptions, files, include: [] };
  await writeFile(join(built, 'tsconfig.json'), JSON.stringify(config));
  await writeFile(join(built, 'package.json'), '{"type":"module"}');
  await symlink(join(project, 'node_modules'), join(built, 'node_modules'));
  await promisify(execFile)(process.execPath, [join(project, 'node_modules/typescript/bin/tsc'), '-p', built]);
}, 60_000);

afterAll(() => rm(built, { recursive: true }));

beforeEach(() => {
  bench = new SqliteBench();
});

afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  expect(await bench.verify(), 'promise 8: replaying the events gives the tables').toEqual([]);
  await bench.dispose();
});

/** A server process, and the lines that it says. */
function server(
  role: string,
  ...args: string[]
): { readonly lines: AsyncIterator<string>; readonly child: ChildProcess; readonly ended: Promise<unknown[]> } {
  const child = spawn(process.execPath, [join(built, 'store/sqlite/child.testsuite.js'), bench.root, role, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, lines, ended: once(child, 'exit') };
}

async function nextLine(lines: AsyncIterator<string>): Promise<string> {
  const { value } = await lines.next();
  return String(value);
}

/** A store whose clock is the machine's, like that of the servers. */
function openHere(patience = 10_000) {
  return bench.open({ clock: machineClock(), patience });
}

test('promise 2: eight processes that open at once and count never step on each other', async () => {
  const servers = Array.from({ length: 8 }, () => server('increment', '25'));
  const endings = await Promise.all(servers.map(({ ended }) => ended));
  expect(endings).toEqual(Array.from({ length: 8 }, () => [0, null]));
  expect(readFileSync(join(bench.root, 'counter'), 'utf8')).toBe('200');
  const store = await openHere();
  const events = await store.events({ after: 0, limit: 1_000 });
  expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, place) => place + 1));
}, 60_000);

test('promise 2: a store sees at once what another process has committed', async () => {
  const store = await openHere();
  await record(store, opened('S001'));
  const { lines, ended } = server('claim');
  expect(await nextLine(lines)).toBe('S002');
  await ended;
  expect(await claim(store, 'b.ts')).toBe('S003');
});

test('promise 11: claims that were answered survive kill -9', async () => {
  const { lines, child, ended } = server('storm');
  const answered: string[] = [];
  while (answered.length < 50) answered.push(await nextLine(lines));
  child.kill('SIGKILL');
  await ended;
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) answered.push(line.value);
  const store = await openHere();
  const there = await store.view({}, ({ state }) => answered.filter((id) => !state.scopes.has(id)));
  expect(there).toEqual([]);
}, 30_000);

test('a waiting process is woken by its bell, and takes it down at the end', async () => {
  const { lines, ended } = server('wait');
  expect(await nextLine(lines)).toBe('waiting');
  const store = await openHere();
  await claim(store, 'a.ts');
  expect(await nextLine(lines)).toBe('woken');
  await ended;
  expect(readdirSync(join(bench.folder, 'bells'))).toEqual([]);
});

test('a bell of a dead process is taken down by whoever waits next', async () => {
  const { lines, child, ended } = server('wait');
  await nextLine(lines);
  child.kill('SIGKILL');
  await ended;
  const left = readdirSync(join(bench.folder, 'bells'));
  expect(left).toHaveLength(1);
  const store = await openHere();
  const waits = store.changed(0, new AbortController().signal);
  await claim(store, 'a.ts');
  await waits;
  expect(readdirSync(join(bench.folder, 'bells'))).not.toContain(left[0]);
});

test.each(['before', 'after'])(
  'promise 6: an effect whose process was killed %s the file was changed is undone by the next writer',
  async (when) => {
    writeFileSync(join(bench.root, 'a.txt'), 'old');
    const [code, signal] = await server(when).ended;
    expect([code, signal]).toEqual([null, 'SIGKILL']);
    const store = await openHere();
    expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe(when === 'before' ? 'old' : 'new');
    expect(store.applying()).toEqual(['a.txt']);
    await record(store, opened('S001'));
    expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe('old');
    expect(store.applying()).toEqual([]);
    expect((await store.events({ after: 0, limit: 10 })).map(({ body }) => body.type)).toEqual([
      'files.outside',
      'scope.opened',
    ]);
  },
);

test('promise 6: an effect whose process was killed after COMMIT stays', async () => {
  writeFileSync(join(bench.root, 'a.txt'), 'old');
  await server('committed').ended;
  const store = await openHere();
  expect(store.applying()).toEqual([]);
  await record(store, opened('S002'));
  expect(readFileSync(join(bench.root, 'a.txt'), 'utf8')).toBe('new');
  expect((await store.events({ after: 0, limit: 10 })).map(({ body }) => body.type)).toEqual([
    'scope.opened',
    'files.changed',
    'scope.opened',
  ]);
});

test('promise 11: a write lock that stays with another process is StoreBusy, while looks go on', async () => {
  const { lines, child, ended } = server('hold');
  expect(await nextLine(lines)).toBe('holding');
  const store = await openHere(50);
  await expect(claim(store, 'a.ts')).rejects.toThrow(StoreBusy);
  expect(await store.view({}, ({ state }) => state.seq)).toBe(0);
  child.kill('SIGKILL');
  await ended;
  expect(await claim(store, 'a.ts')).toBe('S001');
});

test('promise 6: a server that is killed while it drops what is old leaves whole contents, and the next one goes on', async () => {
  const store = await openHere();
  const words = Array.from({ length: 400 }, (_, number) =>
    Buffer.from(`${number} `.repeat(number % 4 === 0 ? 90_000 : 1)),
  );
  await store.keep(words.map((bytes) => ({ hash: sha(bytes), bytes })));
  const { child, ended } = server('expire');
  const firstIsThere = () => store.content(sha(words[0] ?? ''));
  while ((await firstIsThere()) !== undefined) await setImmediate();
  child.kill('SIGKILL');
  await ended;
  const left = await Promise.all(words.map((bytes) => store.content(sha(bytes))));
  expect(left.filter((bytes) => bytes !== undefined).length).toBeGreaterThan(0);
  const later = await bench.open({ clock: machineClock(), wall: () => Date.now() + 71 * 86_400_000 });
  await later.expire({ contents: 1 });
  expect(await Promise.all(words.map((bytes) => store.content(sha(bytes))))).toEqual(words.map(() => undefined));
  const files = readdirSync(join(bench.folder, 'blobs'), { recursive: true, encoding: 'utf8' });
  expect(files.filter((name) => name.includes('/'))).toEqual([]);
});
