import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, levelsHere, lines } from './bench.testsuite.js';
import { openRunner } from './open.js';
import type { Run } from './runner.js';

const off = !(await levelsHere()).includes('transactional');

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.make();
  mkdirSync(join(bench.root, 'cache/sub'));
});
afterAll(() => bench[Symbol.asyncDispose]());

describe.skipIf(off)('private places', () => {
  test('git works for reading', async () => {
    const { text, exit } = await bench.run('git status --porcelain && git log --format=%s && git grep -l one');
    expect([exit, text]).toEqual([0, 'first\nsrc/one.txt\n']);
  });

  test('/tmp and /run are empty and writable, /dev has the usual files only', async () => {
    const { text, exit } = await bench.run(
      'set -e; find /tmp /run -xdev -type f; echo x > /tmp/x; echo x > /run/x; echo x > /dev/shm/x; echo x > /dev/null; head -c 2 /dev/zero | wc -c; ls /dev | xargs',
    );
    expect([exit, text]).toEqual([0, '2\nfd full null ptmx pts random shm stderr stdin stdout tty urandom zero\n']);
    expect((await bench.run('ls /tmp/x /run/x /dev/shm/x')).exit).not.toBe(0);
  });

  test('.signalbox looks empty', async () => {
    expect((await bench.run('ls -A .signalbox')).text).toBe('');
  });

  test('secrets are hidden, caches in the home folder are kept for the next run', async () => {
    await bench.run('mkdir -p ~/.cache && echo warm > ~/.cache/x');
    expect((await bench.run('cat ~/.cache/x; ls -A ~/.ssh; cat ~/.npmrc')).text).toBe(
      'warm\nregistry=https://r.example/\n',
    );
  });

  test('two runs at once have homes of their own', async () => {
    const fifo = join(bench.root, 'cache/gate');
    execFileSync('mkfifo', [fifo]);
    const first = await bench.start('echo 1 > ~/mine; echo up > cache/gate; read -r x < cache/gate; cat ~/mine', {
      scratch: ['cache'],
    });
    expect(readFileSync(fifo, 'utf8')).toBe('up\n');
    const second = await bench.run('echo 2 > ~/mine; cat ~/mine; echo go > cache/gate', { scratch: ['cache'] });
    await first.ended;
    expect([(await first.output()).text, second.text]).toEqual(['1\n', '2\n']);
    await first.dispose();
    execFileSync('rm', [fifo]);
  });

  test('more runs at once than there are homes: the last has one that goes with it, and output of its own', async () => {
    const [up, gate] = [join(bench.root, 'cache/up'), join(bench.root, 'cache/gate')];
    execFileSync('mkfifo', [up, gate]);
    const waits = 'ls ~ | grep -c ^mark; touch ~/mark; echo up > cache/up; read -r x < cache/gate';
    const runs: Run[] = [];
    for (let at = 0; at < 9; at++) {
      runs.push(await bench.start(`echo run${at}; ${waits}`, { scratch: ['cache'] }));
      expect(readFileSync(up, 'utf8')).toBe('up\n');
    }
    // One byte for each: a reader that comes late finds its own.
    const go = openSync(gate, 'w');
    writeSync(go, '\n'.repeat(runs.length));
    for (const [at, run] of runs.entries()) {
      await run.ended;
      expect((await run.output()).text).toBe(`run${at}\n0\n`);
      await run.dispose();
    }
    closeSync(go);
    execFileSync('rm', [up, gate]);
    const homes = readdirSync(join(bench.root, '.signalbox/home')).sort();
    const marked = homes.filter((home) => existsSync(join(bench.root, '.signalbox/home', home, 'upper/mark')));
    expect(marked).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  test('promise 12: files, processes and core dumps have limits', async () => {
    expect((await bench.run('ulimit -Sc -Hc -Sf -Hf -Su -Hu | sed "s/.*) *//" | xargs')).text).toBe(
      '0 0 16777216 16777216 8192 8192\n',
    );
  });

  test('names can be resolved, as far as the host can', async () => {
    expect((await bench.run('cat /etc/resolv.conf')).text).toBe(readFileSync('/etc/resolv.conf', 'utf8'));
  });

  test('without the network there is none', async () => {
    const { text } = await bench.run('grep -c : /proc/net/dev', { network: false });
    expect(text).toBe('1\n');
  });

  test('the environment is clean', async () => {
    const secrets = {
      LD_PRELOAD: '/nonexistent.so',
      NODE_OPTIONS: '--bad',
      GIT_DIR: '/x',
      SSH_AUTH_SOCK: '/x',
      DOCKER_HOST: 'x',
      XDG_RUNTIME_DIR: '/x',
      API_KEY: 'secret',
      npm_config_node_options: '--bad',
      npm_config_registry: 'https://r.example/',
      BASH_ENV: '/x',
      ENV: '/x',
    };
    Object.assign(process.env, secrets);
    const { text } = await bench.run(
      'env -u _ -u PWD -u SHLVL -u OLDPWD | cut -d= -f1 | grep -vE "^(LANG|LC_|LANGUAGE|USER|LOGNAME|SHELL|TZ|CI|JAVA_HOME|.*_proxy|.*_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_|REQUESTS_CA|CURL_CA|PIP_|GOPROXY|npm_config_(https_)?proxy|npm_config_noproxy|npm_config_cafile)" | sort | xargs',
      { env: { MINE: 'a b' } },
    );
    for (const name of Object.keys(secrets)) delete process.env[name];
    expect(text).toBe('HOME MINE PATH TERM TMPDIR npm_config_registry\n');
  });
});

describe.skipIf(off)('sockets of the host are out of reach', () => {
  const servers: Server[] = [];
  let away: Bench;
  const listen = (path: string): Promise<void> => {
    const server = createServer((socket) => socket.end('reached'));
    servers.push(server);
    return new Promise((resolve) => server.listen(path, resolve));
  };
  const connect =
    'node -e \'require("net").connect(process.argv[1]).on("data", (d) => console.log(String(d))).on("error", (e) => console.log(e.code))\'';
  beforeAll(async () => {
    away = await Bench.make({}, { base: '/var/tmp/signalbox-' });
    process.env.HOME = bench.home;
  });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(() => away[Symbol.asyncDispose]());

  test.each(['home', 'work space', 'outside'])('in %s', async (folder) => {
    for (const { base } of [bench, away]) {
      const path = join(base, folder, 's');
      await listen(path);
      const { text } = await bench.run(`${connect} '${path}'`);
      expect(text).toMatch(/^(ENOENT|ECONNREFUSED|ENOTSOCK)\n$/);
      servers.pop()?.close();
    }
  });
});

describe.skipIf(off)('wherever the workspace and the home folder lie', () => {
  test.each([
    { root: 'home/work' },
    { root: 'home/.codex/worktrees/w' },
    { root: 'home' },
    { home: 'work space/home' },
    { home: 'outside/deep' },
    { base: '/var/tmp/signalbox-', root: 'home/work' },
    { base: '/var/tmp/signalbox-', home: 'work space/home' },
  ])('%j', async (places) => {
    await using other = await Bench.make({}, places);
    other.put(join(other.home, '.codex/auth.json'), 'a secret');
    const { text, written } = await other.run(
      'echo x > new; cat a.txt; ls -A ~/.ssh; cat ~/.codex/auth.json 2>/dev/null; git status --porcelain -- a.txt new; cat ~/.npmrc',
      { scratch: ['cache'] },
    );
    expect(text).toBe('a.txt\n?? new\nregistry=https://r.example/\n');
    expect(lines(written)).toEqual(['file new 644 x']);
  });

  test('nobody’s home', async () => {
    await using other = await Bench.make();
    process.env.HOME = join(other.base, 'missing');
    expect((await other.run('echo ~; echo x > ~/x; cat ~/x')).text).toBe('/tmp\nx\n');
    process.env.HOME = bench.home;
  });
});

describe.skipIf(off)('a repository behind the workspace', () => {
  test('a worktree: git reads, and nothing can be committed', async () => {
    await using main = await Bench.make();
    main.git('worktree', 'add', '-q', join(main.base, 'linked'));
    const root = join(main.base, 'linked');
    const runner = await openRunner({ root, folder: join(root, '.signalbox') });
    const run = await runner.start({
      id: 'R1',
      command: 'git log --format=%s; git commit --allow-empty -qm no || echo refused; echo x > .git',
      cwd: '.',
      env: {},
      timeout: 9_000,
      writable: [],
      scratch: [],
      sealed: [],
      network: true,
      live: false,
    });
    if ('refused' in run) throw new Error(run.sentence);
    await run.ended;
    const { text } = await run.output();
    expect(text).toMatch(/^first\n(.*\n)*refused\n/);
    expect(await run.written()).toEqual([]);
    expect(main.git('log', '--format=%s', 'linked')).toBe('first\n');
    process.env.HOME = bench.home;
  });
});
