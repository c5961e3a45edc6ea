import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Containment } from '../../src/processes/runner.js';
import { type Agent, agentOfUser, MAIN } from '../support/agents.js';
import { have, LEVELS } from '../support/tools.js';
import { newWorkspace, type TestWorkspace } from '../support/workspace.js';

/** Tests mostly run as root, Signalbox mostly as somebody else: what a command can do is tried as this user too. */
const UID = 1000;
const AS_USER = ['--reuid', `${UID}`, '--regid', `${UID}`, '--clear-groups'];
const possible = process.getuid?.() === 0 && have('setpriv', ...AS_USER, process.execPath, '--check', MAIN);

const live = (level: Containment): string =>
  `processes:\n  all:\n    match: ["*"]\n    live: ${level === 'confined'}\n`;

interface Place extends TestWorkspace {
  readonly outside: string;
  join(name: string): Promise<Agent>;
}

/** A workspace, a home and a folder beside them that belong to the user. */
function placeOf(level: Containment): Place {
  const files = { '.gitignore': 'dist/\n', 'src/a.txt': 'a\n', 'lib/o.txt': 'o\n', 'signalbox.yaml': live(level) };
  const workspace = newWorkspace(files);
  const outside = mkdtempSync(join(tmpdir(), 'signalbox-user-'));
  onTestFinished(() => rmSync(outside, { recursive: true }));
  const home = join(outside, 'home');
  mkdirSync(home);
  writeFileSync(join(outside, 'kept'), 'kept\n');
  execFileSync('chown', ['-R', `${UID}:${UID}`, workspace.root, outside]);
  const user = { uid: UID, home };
  return { ...workspace, outside, join: (name) => agentOfUser(workspace.root, name, user) };
}

async function claimed(place: Place) {
  const [ada, ben] = await Promise.all([place.join('ada'), place.join('ben')]);
  await ben.ok('claim_scope', { title: 'Library', units: ['lib/'] });
  const { scope } = await ada.ok('claim_scope', { title: 'Sources', units: ['src/'] });
  const run = (command: string, more = {}) => ada.ok('run', { scope, command, ...more });
  return { ada, ben, scope, run };
}

describe.skipIf(!possible).each(LEVELS)('promises 9 and 10: an ordinary user, at level %s', (level) => {
  test('runs commands under their own id, which change what is claimed and nothing else', async () => {
    const place = placeOf(level);
    const { run } = await claimed(place);
    const ran = await run('id -u; echo b > src/b.txt; sed -i s/a/1/ src/a.txt; rm -f lib/o.txt; echo x > lib/new');
    expect(ran).toMatchObject({ state: 'exited', containment: level, output: expect.stringMatching(/^1000\n/) });
    expect(ran.changed.map(({ path }: { path: string }) => path).toSorted()).toEqual(['src/a.txt', 'src/b.txt']);
    expect([place.text('src/a.txt'), place.text('src/b.txt'), place.text('lib/o.txt')]).toEqual(['1\n', 'b\n', 'o\n']);
    expect(statSync(join(place.root, 'src/b.txt')).uid).toBe(UID);
    expect(readdirSync(join(place.root, 'lib'))).toEqual(['o.txt']);
  });

  test.each([
    'mount -o remount,rw /',
    'mount -o remount,bind,rw "$PWD"',
    'umount -l "$PWD"',
    'unshare -Urm mount -o remount,bind,rw /',
    // A private folder may take these.
    'echo x > "/proc/1/root$OUT/kept"; false',
    'echo x > "$OUT/kept"; false',
    'kill -9 -1',
    'git config a.b c',
  ])('no way back to the real tree: %s', async (command) => {
    const place = placeOf(level);
    const { run } = await claimed(place);
    const ran = await run(`${command} && touch src/through`, { env: [`OUT=${place.outside}`] });
    expect(ran.changed).toEqual([]);
    expect(readFileSync(join(place.outside, 'kept'), 'utf8')).toBe('kept\n');
  });

  test('a run is stopped with all its processes', async () => {
    const place = placeOf(level);
    const { ada, run } = await claimed(place);
    const begun = await run('setsid nohup sleep 7171 & echo up; wait', { background: true });
    while (!(await ada.ok('run', { run: begun.run, wait_s: 0 })).output.includes('up'));
    expect(await ada.ok('run', { run: begun.run, stop: true })).toMatchObject({ state: 'stopped' });
    expect(commandLines().filter((line) => line.startsWith('sleep\x007171'))).toEqual([]);
  });

  test('a file that a command closes to everybody is kept, and open to its owner', async () => {
    const place = placeOf(level);
    const { run } = await claimed(place);
    const ran = await run(
      'echo b > src/b.txt; chmod 000 src/b.txt; mkdir src/n; echo c > src/n/c.txt; chmod 000 src/n',
    );
    expect(ran.changed.map(({ path }: { path: string }) => path).toSorted()).toEqual(['src/b.txt', 'src/n/c.txt']);
    expect([place.text('src/b.txt'), place.text('src/n/c.txt')]).toEqual(['b\n', 'c\n']);
    expect(statSync(join(place.root, 'src/b.txt')).mode & 0o777).toBe(0o600);
  });
});

describe.skipIf(!possible || !LEVELS.includes('confined'))('a file that nobody can read, in a claimed folder', () => {
  test.each(['src/a.txt', 'src/'])('is named, and the run is over: %s', async (closed) => {
    const place = placeOf('confined');
    const { ada, ben, scope, run } = await claimed(place);
    chmodSync(join(place.root, closed), 0);
    const no = await ada.refused('BLOCKED', 'run', { scope, command: 'true' });
    expect(no.text).toContain(`${closed} lies in a claimed folder and can't be read`);
    expect(readdirSync(place.root)).not.toContain('dist');
    const over = (await place.events()).flatMap(({ body }) => (body.type === 'run.ended' ? body.run : []));
    expect(over).toEqual(['R001']);
    // The process is free again, for others too.
    expect(await ben.ok('run', { command: 'true' })).toMatchObject({ run: 'R002', state: 'exited' });
    chmodSync(join(place.root, closed), 0o755);
    await run('true');
  });
});

/** The command lines of all processes, with NUL after each word. */
function commandLines(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
    } catch {
      return []; // It has just ended.
    }
  });
}
