import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, levelsHere, lines } from './bench.testsuite.js';
import type { ScratchPiece, ScratchRules, Written } from './runner.js';

const off = !(await levelsHere()).includes('transactional');

/** As git would say for `out/` and `*.log`. */
const rules: ScratchRules = {
  sealed: ['.git', '.vscode'],
  among: async (paths, alone) => new Set([...alone, ...paths.filter((path) => /(^|\/)out\/|\.log$/.test(path))]),
};

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.make({ scratch: rules });
});
afterAll(() => bench[Symbol.asyncDispose]());
afterEach(() => {
  bench.reset();
  execFileSync('rm', ['-rf', join(bench.root, 'out'), join(bench.root, 'src/out')]);
});

/** Each piece in one line: what is put or removed, and the scratch around it. */
function pieces(written: readonly Written[]): string[] {
  return written
    .filter((each): each is ScratchPiece => each.kind === 'scratch')
    .map(
      ({ path, folder, top, from }) =>
        `${from === null ? '-' : '+'} ${path}${folder ? '/' : ''}${top === path ? '' : ` in ${top}`}`,
    )
    .toSorted();
}

const others = (written: readonly Written[]): readonly string[] =>
  lines(written.filter(({ kind }) => kind !== 'scratch'));

describe.skipIf(off)('scratch in a layer', () => {
  test('a new folder is one piece, however much is in it and wherever it stands', async () => {
    const { written } = await bench.run(
      'mkdir -p out/a/b src/out new/pack/out; echo 1 > out/a/b/x; ln -s b out/a/l; echo 1 > src/out/x; echo 1 > new/pack/out/x; echo 1 > new/pack/y; echo 1 > z.log',
    );
    expect(pieces(written)).toEqual(['+ new/pack/out/', '+ out/', '+ src/out/', '+ z.log']);
    expect(others(written)).toEqual(['file new/pack/y 644 1']);
  });

  test('of a folder that is there come the pieces, and what was removed', async () => {
    for (const path of ['out/a/x', 'out/a/y', 'out/b/x', 'out/c', 'out/same']) bench.put(path, 'old\n');
    const { written } = await bench.run(
      'echo new > out/a/x; rm out/a/y; rm -r out/b; mkdir -p out/d/e; rm out/c; mkdir out/c',
    );
    expect(pieces(written)).toEqual([
      '+ out/a/x in out',
      '+ out/c/ in out',
      '+ out/d/ in out',
      '- out/a/y in out',
      '- out/b/ in out',
      '- out/c in out',
    ]);
    expect(others(written)).toEqual([]);
  });

  test('a folder that was removed and made anew leaves nothing of the former one', async () => {
    for (const path of ['out/a', 'out/sub/b', 'out/gone/c']) bench.put(path, 'old\n');
    const { written } = await bench.run('rm -rf out && mkdir -p out/sub && echo new > out/sub/n');
    expect(pieces(written)).toEqual([
      '+ out/sub/n in out',
      '- out/a in out',
      '- out/gone/ in out',
      '- out/sub/b in out',
    ]);
    const all = await bench.run('rm -rf out');
    expect(pieces(all.written)).toEqual(['- out/']);
  });

  test('scratch in a folder that is removed is told from what is versioned there', async () => {
    bench.put('removed/out/x', 'old\n');
    bench.put('removed/y', 'old\n');
    const { written } = await bench.run('rm -r removed');
    expect([pieces(written), others(written)]).toEqual([['- removed/out/'], ['deleted removed/y']]);
  });

  test('a file that became a folder, and the other way round', async () => {
    bench.put('x.log', 'old\n');
    const { written } = await bench.run(
      'rm -r src/deep && echo x > src/deep; rm a.txt; mkdir a.txt; echo x > a.txt/new; rm x.log; mkdir -p x.log; echo x > x.log/y',
    );
    expect(others(written)).toEqual([
      'deleted a.txt',
      'deleted src/deep/three.txt',
      'file a.txt/new 644 x',
      'file src/deep 644 x',
      'file x.log/y 644 x',
    ]);
    expect(pieces(written)).toEqual(['- x.log']);
    execFileSync('rm', ['-rf', join(bench.root, 'x.log'), join(bench.root, 'removed')]);
  });

  test('a folder with a `.gitignore` of its own for all that is in it is scratch too', async () => {
    const { written } = await bench.run(
      'mkdir -p .pc/v half; printf "# made by a tool\\n*\\n" > .pc/.gitignore; echo 1 > .pc/v/x; printf "*\\n!kept\\n" > half/.gitignore; mkdir -p src/deep/.tc; echo "*" > src/deep/.tc/.gitignore',
    );
    expect(pieces(written)).toEqual(['+ .pc/ in ', '+ src/deep/.tc/ in ']);
    expect(others(written)).toEqual(['file half/.gitignore 644 *\n!kept']);
    // Where the folder is there already, that file decides nothing: others may work in it.
    const inside = await bench.run('echo "*" > src/.gitignore; echo x > src/new');
    expect(pieces(inside.written)).toEqual([]);
  });

  test('promise 9: special files, protected names and repositories stay behind, the rest goes', async () => {
    const command =
      'mkdir -p out/p/.vscode out/clone/.git out/n; echo x > out/p/.vscode/t; echo x > out/p/x; echo x > out/clone/x; mkfifo out/n/pipe; cp /bin/true out/n/suid; chmod 6755 out/n/suid; echo x > out/n/closed; chmod 0 out/n/closed; mkdir out/shut; echo x > out/shut/x; chmod 0 out/shut';
    const run = await bench.start(command);
    await run.ended;
    const written = await run.written();
    expect(pieces(written)).toEqual(['+ out/']);
    expect(others(written)).toEqual(['protected out/clone', 'protected out/p/.vscode', 'special out/n/pipe']);
    const layer = join(bench.root, '.signalbox/layers', run.id, 'upper/out');
    expect(readdirSync(layer).toSorted()).toEqual(['n', 'p', 'shut']);
    expect(readdirSync(join(layer, 'n')).toSorted()).toEqual(['closed', 'suid']);
    expect(lstatSync(join(layer, 'n/suid')).mode & 0o7777).toBe(0o755);
    expect(existsSync(join(layer, 'p/.vscode'))).toBe(false);
    await run.dispose();
    const whole = await bench.run('mkdir -p out/.git && echo x > out/x');
    expect([pieces(whole.written), others(whole.written)]).toEqual([[], ['protected out']]);
  });

  test('promise 12: a folder deeper than a path can be is reported, and not moved', async () => {
    const deep =
      'mkdir out && cd out && for i in $(seq 300); do mkdir aaaaaaaaaaaaaaaaaaaa && cd aaaaaaaaaaaaaaaaaaaa; done';
    const { written } = await bench.run(deep);
    expect([pieces(written), others(written)]).toEqual([[], ['special out']]);
  });

  test('names in no UTF-8 go with their folder', async () => {
    mkdirSync(join(bench.root, 'out'));
    const { written } = await bench.run("mkdir out/n; echo x > out/n/$'\\xff'; echo x > out/$'\\xfe'");
    expect(pieces(written)).toEqual(['+ out/n/ in out']);
    expect(others(written)).toEqual(['special out/\ufffd']);
  });
});
