import { chmodSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Agent, stdioAgent } from '../support/agents.js';
import { runCli } from '../support/cli.js';
import { gate, pulse } from '../support/gates.js';
import { LEVELS, newProject, paths } from '../support/tools.js';
import { newWorkspace } from '../support/workspace.js';

const IGNORED = 'node_modules/\n';
const FILES = { '.gitignore': IGNORED, 'src/a.ts': 'a\n', 'src/b.ts': 'b\n', 'other/o.txt': 'o\n', 't.txt': 't\n' };

type Rejected = readonly { readonly path: string; readonly reason: string }[];

const reasons = (rejected: Rejected) => Object.fromEntries(rejected.map(({ path, reason }) => [path, reason]));
const read = async (agent: Agent, path: string): Promise<string> =>
  (await agent.ok('read', { paths: [path] })).files[0].text;

function manyFiles(folder: string, count: number): { [path: string]: string } {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`${folder}/f${at}.txt`, 'x\n']));
}

const transactional = LEVELS.includes('transactional');

describe.skipIf(!transactional)('promise 10: what cannot be kept of a command takes nothing else along', () => {
  test('a link, what lies behind one, and a file too large by a little', async () => {
    const { root, text, git } = newWorkspace(FILES);
    symlinkSync('t.txt', join(root, 'link'));
    symlinkSync('other', join(root, 'folder'));
    git('add', '--all');
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'All', units: ['./'] });
    const command = [
      'echo more >> src/a.ts; sed -i s/t/T/ link; rm folder; mkdir folder; echo x > folder/o.txt',
      'head -c 50000001 /dev/zero > big; head -c 50000000 /dev/zero > fits',
    ].join('; ');
    const ran = await ada.ok('run', { scope, command });
    expect(paths(ran.changed)).toEqual(['fits', 'src/a.ts']);
    expect(reasons(ran.rejected)).toEqual({
      link: expect.stringMatching(/^INVALID: .*symbolic link to t\.txt/),
      folder: expect.stringMatching(/^INVALID: .*symbolic link to other/),
      'folder/o.txt': expect.stringMatching(/^INVALID: .*symbolic link to other\/o\.txt/),
      big: expect.stringMatching(/^LIMIT: 50000001 bytes/),
    });
    expect([text('src/a.ts'), text('t.txt'), text('other/o.txt')]).toEqual(['a\nmore\n', 't\n', 'o\n']);
  });

  test('a formatter over 3,000 files', async () => {
    const { root, git } = newWorkspace({ '.gitignore': IGNORED, ...manyFiles('many', 3_000) });
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Format', units: ['./'] });
    const { text, data: ran } = await ada.call('run', { scope, command: 'sed -i s/x/y/ many/*' });
    expect(ran).toMatchObject({ exit_code: 0, rejected: [], more_changed: 2_980 });
    expect(text).toContain('\n  2980 more\n');
    expect(git('diff', '--name-only').trim().split('\n')).toHaveLength(3_000);
    expect((await runCli(['diff', '--run', 'R001'], { cwd: root })).out).toContain('+++ b/many/f999.txt\n');
    const released = await ada.ok('release_scope', { scope, changes: 'revert' });
    expect(released.reverted).toHaveLength(3_000);
    expect(git('status', '--short')).toBe('');
  });

  test('more free files than a scope may claim: what is claimed is kept, and the way on works', async () => {
    const { root, text, git } = newWorkspace({ ...FILES, ...manyFiles('many', 1_100) });
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 'Format', units: ['src/'] });
    const command = 'echo z | tee -a many/*.txt src/a.ts > /dev/null';
    const ran = await ada.ok('run', { scope, command });
    expect(paths(ran.changed)).toEqual(['src/a.ts']);
    expect(ran.rejected).toEqual([
      {
        path: 'many/f0.txt',
        reason: expect.stringMatching(/^LIMIT: .*Claim their folders with claim_scope.*1097 more/),
      },
    ]);
    expect(ran.more_rejected).toBe(1_099);
    await ada.ok('claim_scope', { scope, units: ['many/'] });
    expect(await ada.ok('run', { scope, command })).toMatchObject({ rejected: [], more_changed: 1_081 });
    expect([text('src/a.ts'), text('many/f7.txt')]).toEqual(['a\nz\nz\n', 'x\nz\n']);
    expect(git('diff', '--name-only').trim().split('\n')).toHaveLength(1_101);
  });

  test('a file stays where it is while its new place is rejected', async () => {
    const { root, text, git } = newWorkspace(FILES);
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    await ben.ok('claim_scope', { title: 'Bens', units: ['other/'] });
    const { scope } = await ada.ok('claim_scope', { title: 'Adas', units: ['src/'] });
    const moves: readonly (readonly [command: string, lost: string, code: string, kept: readonly string[]])[] = [
      ['mv src/b.ts other/b.ts', 'other/b.ts', 'HELD', ['src/b.ts']],
      ['mv src/a.ts src/mcp.json', 'src/mcp.json', 'PROTECTED', ['src/a.ts']],
      ['mv src/a.ts src/$(printf "\\\\377")', 'src/\ufffd', 'INVALID', ['src/a.ts']],
      ['rm -r src && echo f > src', 'src', 'INVALID', ['src/a.ts', 'src/b.ts']],
      ['rm -r src && ln -s other src', 'src', 'INVALID', ['src/a.ts', 'src/b.ts']],
      ['rm src/a.ts && mkdir src/a.ts && ln -s x src/a.ts/l', 'src/a.ts/l', 'INVALID', ['src/a.ts']],
    ];
    for (const [command, lost, code, kept] of moves) {
      const ran = await ada.ok('run', { scope, command });
      expect([command, ran.exit_code, ran.changed]).toEqual([command, 0, []]);
      const stay = Object.fromEntries(kept.map((path) => [path, expect.stringMatching(/^INCOMPLETE: it stays/)]));
      expect(reasons(ran.rejected)).toEqual({ ...stay, [lost]: expect.stringMatching(new RegExp(`^${code}: `)) });
    }
    const torn = await ada.ok('run', { scope, command: 'mv src/b.ts other/b.ts; echo new > src/n; rm src/a.ts' });
    expect(paths(torn.changed)).toEqual(['src/a.ts', 'src/n']);
    expect(text('src/b.ts')).toBe('b\n');
    expect(git('status', '--short').trim().split('\n')).toEqual(['D src/a.ts', '?? src/n']);
  });

  test('a file of others in the place of one that cannot go', async () => {
    const { root, text } = newWorkspace(FILES);
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    await ben.ok('claim_scope', { title: 'Bens', units: ['t.txt'] });
    const { scope } = await ada.ok('claim_scope', { title: 'Adas', units: ['src/'] });
    const command = 'rm t.txt && mkdir t.txt && echo x > t.txt/one && echo x > t.txt/two && echo more >> src/a.ts';
    const ran = await ada.ok('run', { scope, command });
    expect(paths(ran.changed)).toEqual(['src/a.ts']);
    expect(paths(ran.rejected)).toEqual(['t.txt', 't.txt/one', 't.txt/two']);
    expect(text('t.txt')).toBe('t\n');
  });
});

test.skipIf(!transactional)('promise 8: what a person removes while a command runs does not come back', async () => {
  const { root, text } = newWorkspace({ ...FILES, 'old/gone.txt': 'g\n' });
  const ada = await stdioAgent(root, 'ada');
  const { scope } = await ada.ok('claim_scope', { title: 'Adas', units: ['./'] });
  await ada.ok('patch', { scope, edits: [{ path: 'src/new.ts', content: 'n\n' }] });
  rmSync(join(root, 'old/gone.txt'));
  const { hold, begun } = pulse(root);
  const { wait, open } = gate(root, 'gate');
  const edit = 'echo more | tee -a src/a.ts src/new.ts t.txt src/own.ts old/gone.txt > /dev/null';
  const { run } = await ada.ok('run', { scope, command: `${edit}; ${hold}; ${wait}`, background: true });
  await begun;
  rmSync(join(root, 'src/a.ts'));
  rmSync(join(root, 'src/new.ts'));
  open();
  const ran = await ada.ok('run', { run });
  expect(paths(ran.changed)).toEqual(['old/gone.txt', 'src/own.ts', 't.txt']);
  const removed = expect.stringMatching(
    /^STALE_BASE: somebody outside Signalbox changed it .*in the conflict scope S00/,
  );
  expect(reasons(ran.rejected)).toEqual({ 'src/a.ts': removed, 'src/new.ts': removed });
  expect(() => text('src/a.ts')).toThrow('ENOENT');
  const again = await ada.ok('run', { scope, command: 'echo anew | tee src/a.ts src/new.ts' });
  expect([paths(again.changed), again.rejected]).toEqual([['src/a.ts', 'src/new.ts'], []]);
});

describe.skipIf(!transactional)('what was rejected', () => {
  test('promise 12: is told in groups, at most twenty, and kept whole beside the run', async () => {
    const { root } = newWorkspace({ '.gitignore': IGNORED, ...manyFiles('many', 3_000), 'o.txt': 'o\n' });
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    const command = 'sed -i s/x/y/ many/*; ln -s x link';
    const { text, data: ran } = await ada.call('run', { command });
    expect(JSON.stringify(ran).length).toBeLessThan(5_000);
    expect(ran.rejected).toEqual([
      { path: 'link', reason: expect.stringMatching(/^INVALID: symbolic links/) },
      {
        path: 'many/f0.txt',
        reason: expect.stringMatching(/^NOT_CLAIMED: .*\(the same: many\/f1\.txt, .* and 2997 more\)$/),
      },
    ]);
    expect(ran.more_rejected).toBe(2_999);
    expect(text).toContain(`\n  2999 more\nKept: all that was rejected artifact:${ran.rejections.slice(0, 10)}\n`);
    const list = (await ben.ok('read', { paths: [`artifact:${ran.rejections}`] })).files[0];
    expect(list).toMatchObject({ total_lines: 3_003, truncated: true });
    const end = (await ben.ok('read', { paths: [`artifact:${ran.rejections}:3002-3003`] })).files[0];
    expect(end.text).toBe('  many/f998.txt\n  many/f999.txt\n');
    const { rejected, more_rejected, rejections } = await ben.ok('run', { run: ran.run });
    expect({ rejected, more_rejected, rejections }).toEqual({
      rejected: ran.rejected,
      more_rejected: 2_999,
      rejections: ran.rejections,
    });
  });

  test('promise 2: tells everybody why, and nobody the handle', async () => {
    const { root, events } = newWorkspace(FILES);
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    await ben.ok('claim_scope', { title: 'Bens', units: ['other/'] });
    const { scope, id } = await ada.ok('claim_scope', { title: 'Adas', units: ['src/'] });
    const ran = await ada.ok('run', { scope, command: 'echo x > other/o.txt' });
    expect(ran.rejected[0].reason).toContain(scope);
    await ada.close();
    const seen = await ben.ok('run', { run: ran.run });
    expect(seen.rejected[0].reason).toContain(`claim_scope {"scope":"${id}",`);
    expect(JSON.stringify([seen, await events()])).not.toContain(scope);
  });
});

describe.each(LEVELS)('modes at level %s', (level) => {
  test('promise 6: are as before the scope when its changes are taken back', async () => {
    const { root, agent, scope, run, git } = await newProject(level, { 'a.sh': 'a\n', 'b.sh': 'b\n', 'c.sh': 'c\n' });
    const mode = (path: string) => statSync(join(root, path)).mode & 0o777;
    for (const path of ['b.sh', 'c.sh']) chmodSync(join(root, path), 0o755);
    await run('chmod 755 a.sh && echo more >> a.sh && chmod 644 b.sh && rm c.sh');
    await run('echo more >> b.sh');
    expect([mode('a.sh'), mode('b.sh')]).toEqual([0o755, 0o644]);
    await agent.ok('release_scope', { scope, changes: 'revert' });
    expect([mode('a.sh'), mode('b.sh'), mode('c.sh')]).toEqual([0o644, 0o755, 0o755]);
    expect(git('diff', '--numstat')).toMatch(/^0\t0\tb\.sh\n0\t0\tc\.sh\n$/);
  });

  test('but for what somebody else made of them since', async () => {
    const { root, agent, scope, run } = await newProject(level, { 'a.sh': 'a\n' });
    await run('echo more >> a.sh');
    chmodSync(join(root, 'a.sh'), 0o755);
    await agent.ok('release_scope', { scope, changes: 'revert' });
    expect(statSync(join(root, 'a.sh')).mode & 0o777).toBe(0o755);
  });

  test('promise 10: a command closes nothing to its owner', async () => {
    const { root, agent, run } = await newProject(level, { 'src/a.ts': 'a\n', 'src/deep/b.ts': 'b\n' });
    await run('echo more >> src/deep/b.ts && chmod 000 src/a.ts src/deep && chmod 500 src');
    expect(await read(agent, 'src/deep/b.ts')).toBe('b\nmore\n');
    expect(statSync(join(root, 'src/a.ts')).mode & 0o777).toBe(0o600);
    for (const path of ['src', 'src/deep']) expect(statSync(join(root, path)).mode & 0o700).toBe(0o700);
    writeFileSync(join(root, 'src/deep/c.ts'), 'c\n');
  });
});
