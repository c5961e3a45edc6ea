import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, linkSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text as contents } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isRefusal } from '../domain/refusal.js';
import { Bench, levelsHere, lines } from './bench.testsuite.js';

/** Whether the command ends with 0, and what comes back as written, for the coordinator to commit or reject. */
interface Outcome {
  readonly ok: boolean;
  readonly written: readonly string[];
}

interface Attempt {
  readonly command: string;
  readonly transactional: Outcome;
  readonly confined: Outcome;
}

const done = (...written: string[]): Outcome => ({ ok: true, written });
const refused = (...written: string[]): Outcome => ({ ok: false, written });
const same = (command: string, outcome: Outcome): Attempt => ({ command, transactional: outcome, confined: outcome });
/** What the overlay takes up, to be rejected afterwards, fails at once where writes are direct. */
const absorbed = (command: string, ...written: string[]): Attempt => ({
  command,
  transactional: done(...written),
  confined: refused(),
});

/** What a command of a scope that holds `src/`, `fresh/` and `a.txt` tries. */
const NESTED = 'src/sub/.git/config';

const ATTEMPTS: { readonly [what: string]: Attempt } = {
  'claimed folder: create': same('echo new > src/new', done('file src/new 644 new')),
  'claimed folder: create in a new folder': same('mkdir src/n && echo new > src/n/f', done('file src/n/f 644 new')),
  'claimed folder: edit': same('echo more >> src/one.txt', done('file src/one.txt 644 src/one.txt\nmore')),
  'claimed folder: delete': same('rm src/one.txt', done('deleted src/one.txt')),
  'claimed folder: rename over (sed -i)': same('sed -i s/one/1/ src/one.txt', done('file src/one.txt 644 src/1.txt')),
  'claimed folder: chmod': same('chmod 755 src/one.txt', done('file src/one.txt 755 src/one.txt')),
  'claimed folder: closed to its owner': same(
    'echo more >> src/deep/three.txt && chmod 000 src/one.txt src/deep && chmod 500 src',
    done('file src/deep/three.txt 644 src/deep/three.txt\nmore', 'file src/one.txt 600 src/one.txt'),
  ),
  'claimed folder: mtime': same('touch src/one.txt', done()),
  'claimed folder: the same bytes': same('cat src/one.txt > /tmp/x && cp /tmp/x src/one.txt', done()),
  'claimed folder: a link out': same('ln -s ../../outside src/l', done('link src/l -> ../../outside')),
  'claimed folder: a pipe': same('mkfifo src/pipe', done('special src/pipe')),
  'claimed folder: what an overlay takes for a deleted file': {
    command: 'rm src/one.txt && mknod src/one.txt c 0 0 && mknod src/new c 0 0',
    transactional: refused('deleted src/one.txt'),
    confined: done('deleted src/one.txt', 'special src/new', 'special src/one.txt'),
  },
  'claimed folder: all that is in it': same(
    'rm -r src/deep/three.txt src/*.txt',
    done('deleted src/deep/three.txt', 'deleted src/one.txt', 'deleted src/two.txt'),
  ),
  'claimed folder: itself': {
    command: 'mv src gone',
    transactional: done(
      'deleted src/.mcp.json',
      'deleted src/deep/three.txt',
      'deleted src/one.txt',
      'deleted src/sub/.git/config',
      'deleted src/two.txt',
      'file gone/.mcp.json 644 src/.mcp.json',
      'file gone/deep/three.txt 644 src/deep/three.txt',
      'file gone/one.txt 644 src/one.txt',
      'file gone/sub/.git/config 644',
      'file gone/two.txt 644 src/two.txt',
    ),
    confined: refused(),
  },
  'claimed folder that does not exist yet': same(
    'mkdir -p fresh && echo new > fresh/new',
    done('file fresh/new 644 new'),
  ),
  'claimed file: edit': absorbed('echo more >> a.txt', 'file a.txt 644 a.txt\nmore'),
  'claimed file: rename over (sed -i)': absorbed('sed -i s/a/b/ a.txt', 'file a.txt 644 b.txt'),
  'claimed file: delete': absorbed('rm -f a.txt', 'deleted a.txt'),
  'a file that does not exist yet': absorbed('echo new > new.txt', 'file new.txt 644 new'),
  'out of scope: write': absorbed('echo x > lib/o.txt', 'file lib/o.txt 644 x'),
  'out of scope: truncate': absorbed(': > lib/o.txt', 'file lib/o.txt 644'),
  'out of scope: create': absorbed('mkdir lib/n && echo x > lib/n/x', 'file lib/n/x 644 x'),
  'out of scope: delete': absorbed('rm -f lib/o.txt', 'deleted lib/o.txt'),
  'out of scope: rename over another': absorbed('cp a.txt /tmp/a && mv /tmp/a lib/o.txt', 'file lib/o.txt 644 a.txt'),
  'out of scope: chmod': absorbed('chmod 755 lib/o.txt', 'file lib/o.txt 755 lib/o.txt'),
  'out of scope: mtime': absorbed('touch -d 2001-01-01 lib/o.txt'),
  'out of scope: through a link': {
    command: 'ln -s ../lib src/l && echo x > src/l/o.txt',
    transactional: done('file lib/o.txt 644 x', 'link src/l -> ../lib'),
    confined: refused('link src/l -> ../lib'),
  },
  'out of scope: through a new hard link': {
    command: 'ln lib/o.txt src/h && echo x > src/h',
    transactional: done('file lib/o.txt 644 x', 'file src/h 644 x'),
    confined: refused(),
  },
  'out of scope: outside, through a link': {
    command: 'ln -s ../../outside src/l && echo x > src/l/kept',
    transactional: refused('link src/l -> ../../outside'),
    confined: refused('link src/l -> ../../outside'),
  },
  'git add': same('git add -A --intent-to-add', refused()),
  '.git/hooks': same('mkdir -p .git/hooks && echo x > .git/hooks/pre-commit', refused()),
  '.git/config': same('git config a.b c', refused()),
  'the .git of a repository inside': {
    command: `echo x > ${NESTED}`,
    transactional: done(`file ${NESTED} 644 x`),
    confined: refused(),
  },
  'a protected file': absorbed('echo x > src/.mcp.json', 'file src/.mcp.json 644 x'),
  'a protected file that does not exist yet': {
    command: 'echo x > src/deep/.mcp.json',
    transactional: done('file src/deep/.mcp.json 644 x'),
    confined: done('protected src/deep/.mcp.json'),
  },
  'onto a protected name': {
    command: 'mv src/two.txt src/deep/.mcp.json && mkdir -p src/n/.git && mv src/deep/three.txt src/n/.git',
    transactional: done(
      'deleted src/deep/three.txt',
      'deleted src/two.txt',
      'file src/deep/.mcp.json 644 src/two.txt',
      'file src/n/.git/three.txt 644 src/deep/three.txt',
    ),
    confined: done('protected src/deep/.mcp.json', 'protected src/n/.git'),
  },
  '.signalbox': same('echo x > .signalbox/x', refused()),
  'scratch: node_modules/.cache': same('mkdir cache/.cache && rmdir cache/.cache', done()),
  '/tmp is private': same('echo x > /tmp/signalbox-leak && ! test -e "$OUT/kept"', done()),
  'the home folder': same('echo x > ~/.profile && ! test -s ~/.ssh/id', done()),
  '/proc/self/root': same('echo x > "/proc/self/root$OUT/kept"', refused()),
  '/proc/1/root': same('echo x > "/proc/1/root$OUT/kept"', refused()),
  '/proc/1/cwd': absorbed('cd /proc/1/cwd && echo x > lib/o.txt', 'file lib/o.txt 644 x'),
  'a way up': same('cd src && echo x > ../../outside/kept', refused()),
  remount: same('mount -o remount,bind,rw "$PWD"', refused()),
  'remount /': same('mount -o remount,rw /', refused()),
  'remount in new namespaces': same('unshare -Urm mount -o remount,bind,rw /', refused()),
  umount: same('umount -l "$PWD"', refused()),
  'signal the server': same(`kill -0 ${process.pid}`, refused()),
  'signal everybody': same('kill -9 -1', refused()),
  mknod: same('mknod src/disk b 254 0', refused()),
};

const here = await levelsHere();

for (const level of ['transactional', 'confined'] as const)
  describe.skipIf(!here.includes(level))(`promises 9 and 10: level ${level}`, () => {
    let bench: Bench;
    const claims = { writable: ['src/', 'fresh/'], scratch: ['cache'] };
    const direct = level === 'confined';
    beforeAll(async () => {
      bench = await Bench.make({ levels: [level] });
      for (const path of ['lib/o.txt', 'src/.mcp.json']) bench.put(path, `${path}\n`);
      bench.git('add', 'lib', 'src/.mcp.json');
      bench.put(NESTED, '');
      bench.git('-c', 'user.name=n', '-c', 'user.email=e', 'commit', '-qm', 'second');
    });
    afterAll(() => bench[Symbol.asyncDispose]());
    afterEach(() => {
      bench.reset();
      bench.put(NESTED, '');
    });

    /** What no command may have changed: at the lower level, all but what is claimed. */
    const guarded = (): readonly string[] =>
      bench.snapshot().filter((line) => !(direct && /work space\/(src|fresh)(?!\/\.mcp|\/sub)/.test(line)));

    test.each(Object.entries(ATTEMPTS))('%s', async (_, attempt) => {
      const expected = direct ? attempt.confined : attempt.transactional;
      const earlier = guarded();
      const { exit, written, text } = await bench.run(attempt.command, { ...claims, env: { OUT: bench.outside } });
      expect([exit === 0, text]).toEqual([expected.ok, expect.anything()]);
      expect(lines(written)).toEqual(expected.written);
      expect(guarded()).toEqual(earlier);
      expect(existsSync('/tmp/signalbox-leak')).toBe(false);
    });

    test('what a command leaves running is dead when the run has ended', async () => {
      const fifo = join(bench.root, 'cache/alive');
      execFileSync('mkfifo', [fifo]);
      const alive = contents(createReadStream(fifo));
      await bench.run('exec 7>cache/alive; echo up >&7; setsid nohup sh -c "sleep 1000; echo x > src/late" &', claims);
      expect(await alive).toBe('up\n');
      rmSync(fifo);
    });

    test.each(['src/s', 'lib/s', '../outside/s', '\0signalbox-abstract'])('sockets of the host: %j', async (name) => {
      const path = name.startsWith('\0') ? name : join(bench.root, name);
      const server = createServer((socket) => socket.end('reached'));
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const connect =
        'node -e \'require("net").connect(process.env.AT.replace("@", "\\0")).on("data", (d) => console.log(String(d))).on("error", (e) => console.log(e.code))\'';
      const { text } = await bench.run(connect, { ...claims, network: false, env: { AT: path.replace('\0', '@') } });
      server.close();
      expect(text).toMatch(/^(ENOENT|ECONNREFUSED|ENOTSOCK)\n$/);
    });

    test('a hard link that was there before never reaches its other name', async () => {
      linkSync(join(bench.root, 'lib/o.txt'), join(bench.root, 'src/h'));
      const started = await bench.begin('echo x > src/h', claims);
      if (isRefusal(started)) {
        expect(direct).toBe(true);
        expect([started.code, started.next]).toEqual(['UNAVAILABLE', expect.stringContaining('use patch')]);
      } else {
        expect(direct).toBe(false);
        expect(lines(await started.written())).toEqual(['file src/h 644 x']);
        await started.dispose();
      }
      expect(readFileSync(join(bench.root, 'lib/o.txt'), 'utf8')).toBe('lib/o.txt\n');
    });
  });
