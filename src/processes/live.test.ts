import { existsSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench, levelsHere, lines } from './bench.testsuite.js';
import { levelFor } from './level.js';
import { openRunner } from './open.js';

describe('levelFor', () => {
  const works = (level: 'transactional' | 'confined' | 'none') => ({ level, works: true });
  const not = (level: 'transactional' | 'confined') => ({ level, works: false, reason: 'x' });
  test.each([
    ['the best one', [works('transactional'), works('confined')], false, 'transactional'],
    ['the next one', [not('transactional'), works('confined')], false, 'confined'],
    ['live: no overlay', [works('transactional'), works('confined')], true, 'confined'],
    [
      'live: unguarded, where the operator allows it',
      [works('transactional'), not('confined'), works('none')],
      true,
      'none',
    ],
    ['live: none', [works('transactional'), not('confined')], true, undefined],
  ])('%s', (_, levels, live, expected) => {
    expect(levelFor(levels, live)?.level).toBe(expected);
  });
});

describe.skipIf(!(await levelsHere()).includes('confined'))('a live command', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.make();
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  test('sees what others rename over a file that it has read', async () => {
    const run = await bench.start('cat a.txt; while ! grep -q new a.txt; do sleep 0.02; done; cat a.txt', {
      live: true,
    });
    expect(run.containment).toBe('confined');
    while (!(await run.output()).text.includes('a.txt'));
    bench.put('.signalbox/new', 'new\n');
    renameSync(join(bench.root, '.signalbox/new'), join(bench.root, 'a.txt'));
    expect(await run.ended).toMatchObject({ ending: 'exited', exit: 0 });
    expect((await run.output()).text).toBe('a.txt\nnew\n');
    await run.dispose();
  });

  test('what it changed in claimed folders comes back with what was there before', async () => {
    const { written } = await bench.run('echo x > src/one.txt; rm src/two.txt; echo y > src/new; mkdir src/.git', {
      live: true,
      writable: ['./'],
      scratch: ['src/deep'],
    });
    expect(lines(written)).toEqual([
      'deleted src/two.txt',
      'file src/new 644 y',
      'file src/one.txt 644 x',
      'protected src/.git',
    ]);
    const before = written.flatMap((file) =>
      'before' in file ? [[file.path, file.before && String(file.before)]] : [],
    );
    expect(Object.fromEntries(before)).toEqual({
      'src/one.txt': 'src/one.txt\n',
      'src/two.txt': 'src/two.txt\n',
      'src/new': null,
    });
  });

  test.each([
    ['a file', ['a.txt'], 'UNAVAILABLE'],
    ['a glob', ['src/*.ts'], 'UNAVAILABLE'],
    ['a folder behind a link', ['linked/'], 'UNAVAILABLE'],
    ['a folder made behind a link', ['linked/new/'], 'UNAVAILABLE'],
    ['outside', ['../outside/'], 'UNAVAILABLE'],
  ])('writes to claimed folders only, not to %s', async (_, writable, code) => {
    if (!existsSync(join(bench.root, 'linked'))) symlinkSync('src', join(bench.root, 'linked'));
    expect(await bench.begin('true', { live: true, writable })).toMatchObject({
      code,
      next: expect.stringContaining('Claim the folder'),
    });
    expect(existsSync(join(bench.root, 'src/new/'))).toBe(false);
  });

  test.each([['.git/hooks/'], ['src/.MCP.json/']])('writes to nothing protected, claimed or not: %s', async (unit) => {
    expect(await bench.begin('true', { live: true, writable: [unit] })).toMatchObject({ code: 'PROTECTED' });
  });

  test('is refused where no level fits', async () => {
    const runner = await openRunner({
      root: bench.root,
      folder: join(bench.root, '.signalbox'),
      levels: ['transactional'],
    });
    const spec = { command: 'true', cwd: '.', env: {}, timeout: 1_000, writable: [], scratch: [], sealed: [] };
    expect(await runner.start({ ...spec, id: 'R99', network: true, live: true })).toMatchObject({
      code: 'UNAVAILABLE',
    });
  });
});
