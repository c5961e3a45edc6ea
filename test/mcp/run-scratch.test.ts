import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Agent, stdioAgent } from '../support/agents.js';
import { gate } from '../support/gates.js';
import { LEVELS, newProject, paths } from '../support/tools.js';
import { newWorkspace } from '../support/workspace.js';

const IGNORE = 'node_modules/\ndist/\n*.log\n';

async function printed(agent: Agent, run: string, text: string): Promise<void> {
  while (!(await agent.ok('run', { run, wait_s: 0 })).output.includes(text));
}

describe.skipIf(!LEVELS.includes('transactional'))('scratch of a command in a layer', () => {
  test('rm -rf dist && build ends with exactly the new dist, links and large files with it', async () => {
    const { root, git } = newWorkspace({ '.gitignore': IGNORE });
    const ada = await stdioAgent(root, 'ada');
    const build = (name: string): Promise<{ changed: []; rejected: [] }> =>
      ada.ok('run', {
        command: `rm -rf dist && mkdir -p dist/sub/${name} && truncate -s 300M dist/big && ln -s sub/${name} dist/current && echo ${name} > dist/sub/${name}/index`,
      });
    for (const name of ['first', 'second']) {
      expect(await build(name)).toMatchObject({ changed: [], rejected: [] });
      expect(readdirSync(join(root, 'dist')).toSorted()).toEqual(['big', 'current', 'sub']);
      expect([readdirSync(join(root, 'dist/sub')), readlinkSync(join(root, 'dist/current'))]).toEqual([
        [name],
        `sub/${name}`,
      ]);
    }
    expect(statSync(join(root, 'dist/big')).size).toBe(300 * 1024 * 1024);
    await ada.ok('run', { command: 'rm -rf dist' });
    expect([existsSync(join(root, 'dist')), git('status', '--short')]).toEqual([false, '']);
  });

  test('a new folder is moved as it is: no byte of it is copied', async () => {
    const { root } = newWorkspace({ '.gitignore': IGNORE });
    const ada = await stdioAgent(root, 'ada');
    const { output } = await ada.ok('run', { command: 'mkdir -p dist/a && echo x > dist/a/x && stat -c %i dist/a/x' });
    expect(`${lstatSync(join(root, 'dist/a/x')).ino}\n`).toBe(output);
  });

  test('what is tracked stays versioned, also in an ignored folder', async () => {
    const { root, text, git } = newWorkspace({ '.gitignore': IGNORE });
    mkdirSync(join(root, 'dist'));
    writeFileSync(join(root, 'dist/tracked'), 'old\n');
    git('add', '--force', 'dist/tracked');
    git('commit', '--quiet', '--message', 'Track');
    const ada = await stdioAgent(root, 'ada');
    const command = 'rm -rf dist; mkdir -p dist/new; echo new > dist/tracked; echo x > dist/new/x';
    const ran = await ada.ok('run', { command });
    expect(ran).toMatchObject({ changed: [], rejected: [{ path: 'dist/tracked' }] });
    expect([text('dist/tracked'), text('dist/new/x')]).toEqual(['old\n', 'x\n']);
    const { scope } = await ada.ok('claim_scope', { title: 't', units: ['dist/tracked'] });
    expect(paths((await ada.ok('run', { scope, command })).changed)).toEqual(['dist/tracked']);
  });

  test('promise 1: scratch that somebody has claimed by name is theirs; a wide claim says nothing about it', async () => {
    const { root, text } = newWorkspace({ '.gitignore': IGNORE, 'src/a.ts': '' });
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    await ben.ok('claim_scope', { title: 'Release', units: ['dist/api/', 'src/', 'my.log'] });
    const command = 'mkdir -p dist/api src/dist && echo ada | tee dist/api/x dist/y src/dist/z my.log your.log';
    const whole = await ada.ok('run', { command });
    expect(paths(whole.rejected)).toEqual(['dist/api/', 'my.log']);
    expect(whole.rejected.at(-1).reason).toMatch(
      /^HELD: dist\/api\/ is held by S001 \(ben: Release\)\. Wait for it with claim_scope \{"units":\["dist\/api\/"\]\}/,
    );
    expect(['dist/y', 'src/dist/z', 'your.log'].map(text)).toEqual(['ada\n', 'ada\n', 'ada\n']);
    expect(['dist/api', 'my.log'].map((path) => existsSync(join(root, path)))).toEqual([false, false]);
    mkdirSync(join(root, 'dist/api'), { recursive: true });
    const pieces = await ada.ok('run', { command });
    expect(paths(pieces.rejected)).toEqual(['dist/api/x', 'my.log']);
    expect(readdirSync(join(root, 'dist/api'))).toEqual([]);
    const removed = await ada.ok('run', { command: 'rm -r dist' });
    expect([paths(removed.rejected), existsSync(join(root, 'dist/y'))]).toEqual([['dist/'], true]);
    expect((await ben.ok('run', { command })).rejected).toEqual([]);
  });

  test('promise 2: a command whose scope is gone leaves no scratch either', async () => {
    const { root } = newWorkspace({ '.gitignore': IGNORE });
    const ada = await stdioAgent(root, 'ada');
    const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
    const command = 'mkdir dist; echo x > dist/x; echo up; sleep 1000';
    const { run } = await ada.ok('run', { scope, command, background: true });
    await printed(ada, run, 'up');
    await ada.ok('release_scope', { scope });
    expect(await ada.ok('run', { run })).toMatchObject({ state: 'lease_lost', rejected: [] });
    expect(existsSync(join(root, 'dist'))).toBe(false);
  });

  test('promise 2: nor one whose server was stopped past its lease, when the server goes on', async () => {
    const { root } = newWorkspace({ '.gitignore': IGNORE, 'signalbox.yaml': 'lease_seconds: 6\n' });
    const { wait, open } = gate(root, 'gate');
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    const { scope } = await ada.ok('claim_scope', { title: 't', units: ['src/'] });
    const command = `mkdir dist; echo x > dist/x; echo up; ${wait}`;
    const { run } = await ada.ok('run', { scope, command, background: true });
    await printed(ada, run, 'up');
    ada.signal('SIGSTOP');
    expect(await ben.ok('claim_scope', { title: 'Later', units: ['src/'] })).toMatchObject({ status: 'active' });
    open();
    ada.signal('SIGCONT');
    const ended = await ada.ok('run', { run });
    expect(['exited', 'lease_lost']).toContain(ended.state);
    if (ended.state === 'exited') expect(ended.rejected).toEqual([{ path: 'dist/', reason: expect.any(String) }]);
    expect(existsSync(join(root, 'dist'))).toBe(false);
  });

  test('two commands that make the same folder at once: what both made is put together', async () => {
    const { root, text } = newWorkspace({ '.gitignore': IGNORE });
    const { wait, open } = gate(root, 'gate');
    const [ada, ben] = await Promise.all([stdioAgent(root, 'ada'), stdioAgent(root, 'ben')]);
    const command = `mkdir -p dist/a/b; echo ada | tee dist/ada dist/a/b/ada dist/both; echo up; ${wait}`;
    const { run } = await ada.ok('run', { command, background: true });
    await printed(ada, run, 'up');
    await ben.ok('run', { command: 'mkdir -p dist/a/b; echo ben | tee dist/ben dist/a/b/ben dist/both' });
    open();
    expect(await ada.ok('run', { run })).toMatchObject({ exit_code: 0, rejected: [] });
    expect(readdirSync(join(root, 'dist/a/b')).toSorted()).toEqual(['ada', 'ben']);
    expect(['dist/ada', 'dist/ben', 'dist/both'].map(text)).toEqual(['ada\n', 'ben\n', 'ada\n']);
  });

  test('promise 9: what is protected does not come with a folder, nor in place of anything else', async () => {
    const { root } = newWorkspace({ '.gitignore': `${IGNORE}.vscode/\n` });
    const ada = await stdioAgent(root, 'ada');
    const ran = await ada.ok('run', {
      command:
        'mkdir -p dist/p/.claude dist/clone/.git .vscode; echo x | tee dist/p/.claude/settings.json dist/p/x dist/clone/x .vscode/tasks.json',
    });
    const reasons = Object.fromEntries(
      ran.rejected.map(({ path, reason }: { path: string; reason: string }) => [path, reason]),
    );
    expect(reasons).toEqual({
      'dist/p/.claude': expect.stringMatching(/^PROTECTED: /),
      'dist/clone': expect.stringMatching(/^PROTECTED: /),
      '.vscode/': expect.stringMatching(/^PROTECTED: /),
    });
    expect([readdirSync(join(root, 'dist')), readdirSync(join(root, 'dist/p'))]).toEqual([['p'], ['x']]);
    expect(existsSync(join(root, '.vscode'))).toBe(false);
  });
});

describe.skipIf(!LEVELS.includes('confined'))('scratch of a command on the live tree', () => {
  test('ignored folders are writable, there or not, and nothing else outside of what is claimed', async () => {
    const project = await newProject('confined', { '.gitignore': 'dist/\ncache/\n.claude/\n', 'src/a.ts': '' });
    const { root, agent, scope, text } = project;
    await agent.ok('release_scope', { scope });
    mkdirSync(join(root, 'lib/cache'), { recursive: true });
    mkdirSync(join(root, '.claude'));
    const command =
      'echo x > dist/x; echo x > lib/cache/x; for p in src/b lib/b top build/x .claude/x; do echo x > $p || echo no $p; done 2>/dev/null';
    const ran = await agent.ok('run', { command });
    expect(ran.output).toBe('no src/b\nno lib/b\nno top\nno build/x\nno .claude/x\n');
    expect(ran).toMatchObject({ changed: [], rejected: [] });
    expect([text('dist/x'), text('lib/cache/x')]).toEqual(['x\n', 'x\n']);
    await agent.ok('run', { command: 'rm dist/x' });
    // It was there before, so it stays; what was made for a command and is still empty goes with it.
    expect(existsSync(join(root, 'dist'))).toBe(true);
    execFileSync('rmdir', ['dist'], { cwd: root });
    await agent.ok('run', { command: 'true' });
    expect(existsSync(join(root, 'dist'))).toBe(false);
  });

  test('in a claimed folder scratch is neither counted nor recorded, however much of it there is', async () => {
    const project = await newProject('confined', { '.gitignore': 'dist/\n*.log\n', 'src/a.ts': 'old\n' });
    const { root, scope } = project;
    mkdirSync(join(root, 'src/dist'));
    for (let n = 0; n < 20_001; n++) writeFileSync(join(root, `src/dist/${n}`), '');
    const command =
      'echo new > src/a.ts; echo x > src/new.log; rm src/dist/1; rm -rf src/dist; mkdir -p src/deep/dist; echo x | tee src/deep/dist/x src/deep/y';
    const ran = await project.run(command, { scope });
    expect([paths(ran.changed), ran.rejected]).toEqual([['src/a.ts', 'src/deep/y'], []]);
    expect([existsSync(join(root, 'src/dist')), existsSync(join(root, 'src/deep/dist/x'))]).toEqual([false, true]);
    const odd = await project.run('mkdir -p src/dist/.git; echo x > src/dist/x');
    expect(odd.rejected).toEqual([{ path: 'src/dist/.git', reason: expect.stringMatching(/^PROTECTED/) }]);
    expect(readdirSync(join(root, 'src/dist'))).toEqual(['x']);
  });
});
