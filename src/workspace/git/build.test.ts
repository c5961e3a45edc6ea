import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { change, World } from './world.testsuite.js';

let world: World;
beforeEach(() => {
  world = World.with({ 'a.txt': 'a\n' });
});
afterEach(() => {
  vi.unstubAllEnvs();
  world.dispose();
});

function commitAll(): void {
  world.person('add', '--all');
  world.person('commit', '--quiet', '--message=more');
}

describe("the user's conversions apply, as with git add", () => {
  it('autocrlf: a file checked out with CRLF is merged in that form and committed with LF', async () => {
    world.write('crlf.txt', 'one\ntwo\nthree\nfour\nfive\n');
    commitAll();
    world.person('config', 'core.autocrlf', 'true');
    world.remove('crlf.txt');
    world.person('checkout', '--', 'crlf.txt');
    const before = 'one\r\ntwo\r\nthree\r\nfour\r\nfive\r\n';
    expect(world.read('crlf.txt')).toBe(before);
    const edited = before.replace('five', 'by Ada');
    world.write('crlf.txt', edited);
    const built = await world.publish([world.patch('crlf.txt', edited, edited.replace('one', 'by the scope'))]);
    expect(built.whole).toEqual([]);
    expect(world.committed('crlf.txt')).toBe('by the scope\ntwo\nthree\nfour\nfive\n');
    expect(world.status()).toEqual([' M crlf.txt']);
  });

  it('autocrlf: a file that is committed with CRLF keeps it', async () => {
    world.write('crlf.txt', 'one\r\ntwo\r\n');
    commitAll();
    world.person('config', 'core.autocrlf', 'true');
    await world.publish([world.patch('crlf.txt', 'one\r\ntwo\r\n', 'one\r\n2\r\n')]);
    expect(world.committed('crlf.txt')).toBe('one\r\n2\r\n');
    expect(world.person('diff', '--numstat', 'HEAD~1', 'HEAD')).toBe('1\t1\tcrlf.txt\n');
  });

  it('filters: cleaned in the commit, run where their scripts are found, in both directions', async () => {
    world.write('tools/up.sh', 'tr a-z A-Z\n', 0o755);
    world.write('tools/down.sh', 'tr A-Z a-z\n', 0o755);
    world.write('.gitattributes', '*.loud filter=loud\n');
    world.person('config', 'filter.loud.clean', 'sh ./tools/down.sh');
    world.person('config', 'filter.loud.smudge', 'sh ./tools/up.sh');
    world.person('config', 'filter.loud.required', 'true');
    world.write('it.loud', 'ONE\nTWO\nTHREE\n');
    commitAll();
    const edited = 'ONE\nTWO\nBY ADA\n';
    world.write('it.loud', edited);
    const built = await world.publish([world.patch('it.loud', edited, 'BY THE SCOPE\nTWO\nBY ADA\n')]);
    expect([built.whole, world.committed('it.loud')]).toEqual([[], 'by the scope\ntwo\nthree\n']);
  });

  it('a required filter that is not installed refuses, and nothing is committed', async () => {
    world.write('.gitattributes', '*.big filter=absent\n');
    commitAll();
    world.person('config', 'filter.absent.clean', 'no-such-program-here');
    world.person('config', 'filter.absent.required', 'true');
    const answer = await world.build([world.patch('x.big', null, 'x\n')]);
    expect(answer).toMatchObject({ refused: true, code: 'BLOCKED', facts: { command: 'update-index' } });
  });

  it("uses the attributes of the commit, not somebody's uncommitted ones", async () => {
    world.write('.gitattributes', '*.txt text eol=lf\n');
    const plain = [world.patch('x.txt', null, 'one\r\n')];
    await world.publish(plain);
    expect(world.committed('x.txt')).toBe('one\r\n');
    const both = [change('.gitattributes', null, '*.txt text eol=lf\n'), world.patch('y.txt', null, 'one\r\n')];
    await world.publish(both);
    expect(world.committed('y.txt')).toBe('one\n');
  });

  it('binary content goes through byte by byte', async () => {
    const blob = Buffer.from([0, 1, 2, 255, 13, 10, 0]);
    const steps = [{ before: null, after: blob }];
    const built = await world.publish([{ path: 'x.bin', steps, current: blob, mode: 0o644 }]);
    expect(built.whole).toEqual([]);
    expect(world.person('cat-file', '-s', 'HEAD:x.bin').trim()).toBe('7');
    const other = { before: Buffer.from([0, 9]), after: Buffer.from([0, 10]) };
    const again = await world.publish([{ path: 'x.bin', steps: [other], current: other.after, mode: 0o644 }]);
    expect(again.whole).toEqual(['x.bin']);
  });

  it('a link in the commit that becomes a file is a file', async () => {
    world.person('config', 'core.symlinks', 'true');
    world.write('target', 'a.txt');
    const id = world.person('hash-object', '-w', 'target').trim();
    world.person('update-index', '--add', '--cacheinfo', `120000,${id},link`);
    world.remove('target');
    world.person('commit', '--quiet', '--message=link');
    const built = await world.publish([change('link', 'a.txt', 'text\n')]);
    expect(built.whole).toEqual([]);
    expect(world.person('ls-tree', 'HEAD', 'link')).toMatch(/^100644/);
  });

  it('core.fileMode=false keeps the committed executable bit', async () => {
    world.write('tool.sh', '1\n', 0o755);
    commitAll();
    world.person('config', 'core.fileMode', 'false');
    await world.publish([world.patch('tool.sh', '1\n', '2\n', 0o644)]);
    expect(world.person('ls-tree', 'HEAD', 'tool.sh')).toMatch(/^100755/);
  });
});

describe('names, texts and settings cannot lead git astray', () => {
  const NAMES = [
    '-rf',
    '--help',
    'a "quoted" \'name\'',
    'line\nbreak',
    'tab\there',
    'ünï✓.txt',
    ':(glob)**',
    ':!a.txt',
  ];
  const MORE = ['*', '[a]', ' ', 'back\\slash', '$(touch pwned)', '; ls', '%f', 'a=b', 'HEAD', '@', '{}'];

  it.each([...NAMES, ...MORE])(
    'publishes, changes and removes a file named %j, new or known to be ignored',
    async (name) => {
      await world.publish([world.patch(name, null, '1\n')]);
      const path = `folder ${name}/${name}`;
      const second = await world.publish([world.patch(name, '1\n', '2\n'), world.patch(path, null, 'x\n')]);
      expect([second.ignored, world.status(), world.committed(name), world.committed(path)]).toEqual([
        [],
        [],
        '2\n',
        'x\n',
      ]);
      await world.publish([world.patch(name, '2\n', null)]);
      expect(world.status()).toEqual([]);
      const git = await world.git();
      expect(await git.tracked([name, path, 'a.txt'])).toEqual(new Set([path, 'a.txt']));
      world.write('.git/info/exclude', '*\n');
      expect(await git.ignored([name, 'a.txt'])).toEqual(new Set([name]));
    },
  );

  it('runs in a root with a quote, a percent sign and a blank in its name', async () => {
    const odd = new World(mkdtempSync(join(tmpdir(), "signalbox it's 100%f %% ")));
    odd.person('init', '--quiet');
    odd.person('config', 'filter.loud.clean', 'sh ./down.sh');
    odd.write('down.sh', 'tr A-Z a-z\n');
    await odd.publish([odd.patch('.gitattributes', null, '* filter=loud\n'), odd.patch('x', null, 'LOUD\n')]);
    expect(odd.committed('x')).toBe('loud\n');
    odd.dispose();
  });

  it('trailers are one line each and the message cannot forge them', async () => {
    const trailers = () => [
      { key: 'Scope', value: 'S001\nScope: S999' },
      { key: 'Agent', value: 'someone' },
    ];
    await world.publish([world.patch('a.txt', 'a\n', 'A\n')], { message: 'Title\n\nScope: S666\n\0', trailers });
    expect(world.person('log', '-1', '--format=%B')).toBe(
      'Title\n\nScope: S666\n\nScope: S001 Scope: S999\nAgent: someone\n\n',
    );
    expect(world.person('log', '-1', '--format=%(trailers:key=Scope,valueonly)').trim()).toBe('S001 Scope: S999');
  });

  it('runs no hook, no fsmonitor and no editor, and follows no inherited GIT_ variable', async () => {
    const script = `#!/bin/sh\ntouch "${world.root}/pwned"\n`;
    for (const hook of ['pre-commit', 'commit-msg', 'post-commit', 'reference-transaction', 'post-index-change']) {
      world.write(`.git/hooks/${hook}`, script, 0o755);
    }
    world.write('.git/monitor', script, 0o755);
    world.person('config', 'core.fsmonitor', join(world.root, '.git/monitor'));
    vi.stubEnv('GIT_DIR', '/nowhere');
    vi.stubEnv('GIT_INDEX_FILE', '/nowhere/index');
    vi.stubEnv('GIT_AUTHOR_NAME', 'Mallory');
    await world.publish([world.patch('a.txt', 'a\n', 'A\n')]);
    vi.unstubAllEnvs();
    world.person('config', '--unset', 'core.fsmonitor');
    rmSync(join(world.root, '.git', 'hooks'), { recursive: true });
    expect(world.status()).toEqual([]);
    expect(world.person('log', '-1', '--format=%an %cn')).toBe('Ada Ada\n');
  });

  it('commits as Signalbox, name by name, where the user has told git none', async () => {
    const home = mkdtempSync(join(tmpdir(), 'signalbox-home-'));
    vi.stubEnv('HOME', home);
    vi.stubEnv('XDG_CONFIG_HOME', home);
    world.person('config', '--unset', 'user.email');
    await world.publish([world.patch('a.txt', 'a\n', 'A\n')]);
    world.person('config', '--unset', 'user.name');
    await world.publish([world.patch('a.txt', 'A\n', 'B\n')]);
    expect(world.person('log', '-2', '--format=%an <%ae>')).toBe(
      'Signalbox <signalbox@localhost>\nAda <signalbox@localhost>\n',
    );
    rmSync(home, { recursive: true });
  });

  it.each([
    ['true', undefined, true],
    ['yes', undefined, true],
    ['no', undefined, false],
    ['', undefined, false],
    ['true', false, false],
    ['false', true, true],
  ])('commit.gpgSign %j, told %s: signed %s, by a program named from the top level', async (value, sign, signed) => {
    const program = '#!/bin/sh\ncat >/dev/null\necho "[GNUPG:] SIG_CREATED " >&2\necho a signature\n';
    world.write('tools/gpg.sh', program, 0o755);
    world.person('config', 'gpg.program', './tools/gpg.sh');
    world.person('config', 'commit.gpgSign', value);
    await world.publish([world.patch('a.txt', 'a\n', 'A\n')], sign === undefined ? {} : { sign });
    expect(/^gpgsig a signature$/m.test(world.person('cat-file', 'commit', 'HEAD'))).toBe(signed);
  });
});
