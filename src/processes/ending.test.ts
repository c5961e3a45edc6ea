import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench, levelsHere, lines } from './bench.testsuite.js';
import { openRunner } from './open.js';

const LIMIT = 200_000;
const here = await levelsHere();

describe.each([...here, 'none'] as const)('a run has one ending (level %s)', (level) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.make({ containment: 'none', levels: [level], outputLimit: LIMIT });
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  test.each([
    ['true', 0],
    ['exit 3', 3],
    ['kill -TERM $$', 143],
    ['kill -SEGV $$', 139],
    ['no-such-command', 127],
  ])('exited: %s', async (command, exit) => {
    expect(await bench.run(command)).toMatchObject({ ending: 'exited', exit });
  });

  test('standard output and error come in the order of printing, and can be opened by name', async () => {
    const { text: printed } = await bench.run('for i in 1 2 3; do echo out$i; echo err$i >&2; done; cat; echo end');
    expect(printed).toBe('out1\nerr1\nout2\nerr2\nout3\nerr3\nend\n');
  });

  test('its beginning lies between what was saved before it and what while it ran, by the clock of the disk', async () => {
    const saved = (name: string): number => {
      bench.put(name, name);
      return Number(statSync(join(bench.root, name), { bigint: true }).ctimeMs);
    };
    const before = saved('before.txt');
    const run = await bench.start('sleep 1000');
    const after = saved('after.txt');
    expect(run.began).toBeGreaterThanOrEqual(before);
    expect(run.began).toBeLessThanOrEqual(after);
    run.stop('stopped');
    await run.ended;
  });

  test('timed_out: the whole tree is ended at once', async () => {
    const ended = await bench.run("trap '' TERM; sleep 1000 & sleep 1000", { timeout: 50 });
    expect(ended).toMatchObject({ ending: 'timed_out', exit: null });
  });

  test('stopped: a command may clean up', async () => {
    const run = await bench.start("trap 'echo cleaned; exit' TERM; sleep 1000 & echo up; wait");
    await printed(run, 'up');
    run.stop('stopped');
    run.stop('lease_lost');
    expect(await run.ended).toMatchObject({ ending: 'stopped', exit: null });
    expect((await run.output()).text).toBe('up\ncleaned\n');
    await run.dispose();
  });

  test('stopped: who does not heed it is killed', async () => {
    const run = await bench.start("trap '' TERM; echo up; sleep 1000; sleep 1000");
    await printed(run, 'up');
    run.stop('stopped');
    expect(await run.ended).toMatchObject({ ending: 'stopped', exit: null });
    await run.dispose();
  });

  test('lease_lost', async () => {
    const run = await bench.start('sleep 1000');
    run.stop('lease_lost');
    expect(await run.ended).toMatchObject({ ending: 'lease_lost', exit: null });
    run.stop('stopped');
    expect((await run.ended).ending).toBe('lease_lost');
    await run.dispose();
  });

  test('output_limit: what was printed before is kept, within the limit', async () => {
    const run = await bench.start('yes 0123456789');
    expect(await run.ended).toMatchObject({ ending: 'output_limit', exit: null });
    const page = await run.output(LIMIT - 10);
    expect(Buffer.byteLength(page.text)).toBe(10);
    expect(page.total).toBeGreaterThan(LIMIT);
    expect(page.next).toBeUndefined();
    await run.dispose();
  });

  test('the call returns when the command exits, whatever it left behind', async () => {
    const fifo = join(bench.root, 'cache/alive');
    execFileSync('mkfifo', [fifo]);
    const alive = text(createReadStream(fifo));
    const { ending, text: printed } = await bench.run(
      'exec 7>cache/alive; echo up >&7; sleep 1000 & nohup sleep 1000 & echo done',
      { scratch: ['cache'] },
    );
    expect([ending, printed]).toEqual(['exited', 'done\n']);
    expect(await alive).toBe('up\n');
    execFileSync('rm', [fifo]);
  });

  test('what a run wrote before it was ended is still seen', async () => {
    const run = await bench.start('rm -r src; mkdir src; echo x > src/x; echo up; sleep 1000');
    await printed(run, 'up');
    run.stop('lease_lost');
    const written = lines(await run.written());
    await run.dispose();
    if (level !== 'transactional') return expect(written).toEqual([]);
    expect(written).toEqual([
      'deleted src/deep/three.txt',
      'deleted src/one.txt',
      'deleted src/two.txt',
      'file src/x 644 x',
    ]);
  });
});

describe('containment: none', () => {
  test('a daemon that left the group and holds the output open delays nobody', async () => {
    await using bench = await Bench.make({ containment: 'none', levels: ['none'] });
    expect(await bench.runner.levels()).toEqual([{ level: 'none', works: true }]);
    const { ending, text: printed } = await bench.run(
      'exec 8>&1; read -r pid < <(setsid sh -c "echo \\$\\$; exec sleep 1000 >&8"); echo $pid',
    );
    process.kill(Number(printed), 'SIGKILL');
    expect(ending).toBe('exited');
  });
});

describe.skipIf(here.length === 0)('containment: auto', () => {
  test('daemons that left the session die with the command', async () => {
    await using bench = await Bench.make();
    const fifo = join(bench.root, 'cache/alive');
    execFileSync('mkfifo', [fifo]);
    const alive = text(createReadStream(fifo));
    await bench.run(
      "exec 7>cache/alive; echo up >&7; setsid nohup sleep 1000 & (setsid sh -c 'sleep 1000 & sleep 1000' &) ; sleep 0",
      { scratch: ['cache'] },
    );
    expect(await alive).toBe('up\n');
  });

  test('close() ends what is under way, and layers are removed', async () => {
    const bench = await Bench.make();
    const run = await bench.start('sleep 1000');
    await bench.runner.close();
    expect((await run.ended).ending).toBe('stopped');
    await run.dispose();
    expect(readdirSync(join(bench.root, '.signalbox/layers'))).toEqual([]);
    await bench[Symbol.asyncDispose]();
  });

  test('output stays readable for a later server; what a dead server left is removed', async () => {
    await using bench = await Bench.make();
    const done = await bench.start('echo done');
    await done.ended;
    bench.put('.signalbox/layers/R9/upper/x', 'x');
    bench.put('.signalbox/layers/R9.server', `1 1 ${readlinkSync('/proc/self/ns/pid')}`);
    const live = await bench.start('echo live; sleep 1000');
    await printed(live, 'live');
    const later = await openRunner({ root: bench.root, folder: join(bench.root, '.signalbox') });
    expect(await later.output('R1')).toEqual({ text: 'done\n', total: 5 });
    expect(await later.output('R2')).toEqual({ text: 'live\n', total: 5, next: 5 });
    expect(await later.output('R3')).toBeUndefined();
    expect(await later.output('../runs/R1')).toBeUndefined();
    expect(readdirSync(join(bench.root, '.signalbox/layers')).sort()).toEqual(['R1', 'R1.server', 'R2', 'R2.server']);
    live.stop('stopped');
    await live.ended;
  });

  test('promise 11: where no containment holds, nothing is run, and the reason is told', async () => {
    await using bench = await Bench.make({}, { base: '/dev/shm/signalbox-' });
    expect(await bench.runner.levels()).toEqual([
      { level: 'transactional', works: false, reason: expect.stringContaining('/dev/shm') },
      { level: 'confined', works: false, reason: expect.stringContaining('/dev/shm') },
    ]);
    await expect(bench.start('touch ran')).rejects.toThrow('No containment holds');
    expect(existsSync(join(bench.root, 'ran'))).toBe(false);
  });

  test.each([
    ['INVALID', { command: 'a\0b' }],
    ['INVALID', { env: { 'a b': '1' } }],
    ['LIMIT', { command: `: ${'x'.repeat(200_000)}` }],
    ['OUTSIDE', { cwd: '../outside' }],
    ['OUTSIDE', { cwd: '/etc' }],
    ['NOT_FOUND', { cwd: 'missing' }],
  ])('%s: what cannot be started is refused', async (code, more) => {
    await using bench = await Bench.make();
    const spec = {
      id: 'R1',
      command: 'true',
      cwd: '.',
      env: {},
      timeout: 1_000,
      writable: [],
      scratch: [],
      sealed: [],
      network: true,
      live: false,
      ...more,
    };
    expect(await bench.runner.start(spec)).toMatchObject({ refused: true, code });
    expect(existsSync(join(bench.root, '.signalbox/runs'))).toBe(false);
  });
});

/** Resolves when the run has printed a text: each look at the output waits for the disk, so nothing else is delayed. */
async function printed(run: { output(): Promise<{ text: string }> }, what: string): Promise<void> {
  while (!(await run.output()).text.includes(what));
}
