import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Bench, levelsHere, lines } from './bench.testsuite.js';

const off = !(await levelsHere()).includes('transactional');

let bench: Bench;
let before: readonly string[];
beforeAll(async () => {
  bench = await Bench.make();
  mkdirSync(join(bench.root, 'cache/sub'));
  await bench.run('true');
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => {
  before = bench.snapshot();
});
afterEach(() => {
  expect(bench.snapshot()).toEqual(before);
});

test.skipIf(off)('the levels are found by trying, and all work here', async () => {
  expect(await bench.runner.levels()).toEqual([
    { level: 'transactional', works: true },
    { level: 'confined', works: true },
  ]);
  expect(await bench.runner.levels()).toBe(await bench.runner.levels());
});

describe.skipIf(off)(
  'promise 10: what a command writes to the tree is seen as a change, and the tree stays as it was',
  () => {
    const cases: { [what: string]: [command: string, ...written: string[]] } = {
      'a new file': ['echo new > src/new', 'file src/new 644 new'],
      'a new file in new folders': ['mkdir -p x/y && echo z > x/y/z', 'file x/y/z 644 z'],
      'an edit in place': ['echo more >> a.txt', 'file a.txt 644 a.txt\nmore'],
      'an edit by rename (sed -i)': ['sed -i s/one/1/ src/one.txt', 'file src/one.txt 644 src/1.txt'],
      'a rename over another file': [
        'mv src/one.txt src/two.txt',
        'deleted src/one.txt',
        'file src/two.txt 644 src/one.txt',
      ],
      'a deletion': ['rm src/one.txt', 'deleted src/one.txt'],
      'a deleted folder': ['rm -r src', 'deleted src/deep/three.txt', 'deleted src/one.txt', 'deleted src/two.txt'],
      'a folder deleted and made anew': [
        'rm -rf src && mkdir src && touch src/new',
        'deleted src/deep/three.txt',
        'deleted src/one.txt',
        'deleted src/two.txt',
        'file src/new 644',
      ],
      'a folder deleted and made anew, with one file as it was': [
        'rm -rf src && mkdir -p src/deep && echo src/one.txt > src/one.txt',
        'deleted src/deep/three.txt',
        'deleted src/two.txt',
      ],
      'a renamed folder': [
        'mv src lib',
        'deleted src/deep/three.txt',
        'deleted src/one.txt',
        'deleted src/two.txt',
        'file lib/deep/three.txt 644 src/deep/three.txt',
        'file lib/one.txt 644 src/one.txt',
        'file lib/two.txt 644 src/two.txt',
      ],
      'a file in the place of a folder': [
        'rm -r src && echo f > src',
        'deleted src/deep/three.txt',
        'deleted src/one.txt',
        'deleted src/two.txt',
        'file src 644 f',
      ],
      'a folder in the place of a file': [
        'rm a.txt && mkdir a.txt && echo b > a.txt/b',
        'deleted a.txt',
        'file a.txt/b 644 b',
      ],
      'a mode': ['chmod 755 a.txt', 'file a.txt 755 a.txt'],
      'a file closed to its owner': [
        'echo x > closed && chmod 000 closed && mkdir shut && echo y > shut/y && chmod 000 shut',
        'file closed 600 x',
        'file shut/y 644 y',
      ],
      'a hard link': ['ln a.txt b.txt', 'file b.txt 644 a.txt'],
      'a symbolic link': ['ln -s ../outside/kept leak', 'link leak -> ../outside/kept'],
      'a link in the place of a file': ['ln -sf /etc/passwd a.txt', 'link a.txt -> /etc/passwd'],
      'a pipe': ['mkfifo pipe', 'special pipe'],
      'a name that is no UTF-8': [`printf x > "$(printf 'odd\\377')"`, 'special odd\ufffd'],
      'names with blanks, newlines and dashes': [
        `printf x > ' -n
m'`,
        'file  -n\nm 644 x',
      ],
      'nothing: the same bytes again': ['cp a.txt /tmp/a && cat /tmp/a > a.txt && touch src/one.txt'],
      'nothing: made and removed again': ['echo x > x && rm x && mkdir d && rmdir d'],
      'nothing: an empty folder': ['mkdir -p d/e'],
      'setuid is dropped': ['echo s > s && chmod 4755 s', 'file s 755 s'],
    };
    test.each(Object.entries(cases))('%s', async (_, [command, ...expected]) => {
      const { exit, written, text } = await bench.run(command);
      expect([exit, text]).toEqual([0, '']);
      expect(lines(written)).toEqual(expected);
    });

    test('a file above 50 MB is named, not loaded', async () => {
      const { written } = await bench.run('truncate -s 60M big');
      expect(written).toEqual([{ kind: 'large', path: 'big', size: 60 * 1024 * 1024 }]);
    });

    test('a tree deeper than a path can be is reported, and removed', async () => {
      const { written } = await bench.run(
        'i=0; while [ $i -lt 60 ]; do mkdir -p "$(printf %0200d 0)" && cd -P "$(printf %0200d 0)" || exit 1; i=$((i+1)); done; echo x > x',
      );
      expect(written.map(({ kind }) => kind)).toEqual(['special']);
      expect(readdirSync(join(bench.root, '.signalbox/layers'))).toEqual([]);
    });

    test('scratch folders are written directly, and only real folders count as such', async () => {
      const { written } = await bench.run(
        'echo new > cache/new; cat cache/new; rm cache/new; rmdir cache || echo bound',
        { scratch: ['cache', '../outside', '.git', 'missing'] },
      );
      expect(written).toEqual([]);
      const again = await bench.run('echo x > cache/y');
      expect(lines(again.written)).toEqual(['file cache/y 644 x']);
    });
  },
);
