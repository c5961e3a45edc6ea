import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { MAIN } from '../support/agents.js';
import { newWorkspace } from '../support/workspace.js';

interface Examined {
  readonly code: number;
  readonly output: string;
}

async function doctor(root: string, options: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Examined> {
  const child = spawn(process.execPath, [MAIN, 'doctor', ...options], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { code, output };
}

/** The findings by part, and that the exit code agrees with them. */
async function findings(root: string, env: NodeJS.ProcessEnv = {}): Promise<{ readonly [part: string]: Finding }> {
  const { code, output } = await doctor(root, ['--json'], env);
  const report = JSON.parse(output) as { ok: boolean; findings: Finding[] };
  const failed = report.findings.some(({ state }) => state === 'fail');
  expect([code, report.ok]).toEqual(failed ? [1, false] : [0, true]);
  return Object.fromEntries(report.findings.map((finding) => [finding.part, finding]));
}

describe('doctor: each part is tried', () => {
  test('a line for each part, and exit code 0 where nothing fails', async () => {
    const { root } = newWorkspace();
    const { code, output } = await doctor(root);
    expect(code).toBe(0);
    const parts = output.split('\n').flatMap((line) => /^(?:ok|warn) +(\w.*?) {2,}\S/.exec(line)?.[1] ?? []);
    expect(parts).toEqual([
      'node',
      'git',
      'permissions',
      'disk',
      'sqlite',
      'config',
      'workspace',
      'run: transactional',
      'run: confined',
      'sockets',
      'watch',
      'stdio',
    ]);
    expect(output).toContain('Signalbox can work here.');
  });

  test('what was found is what is there', async () => {
    const { root } = newWorkspace();
    const found = await findings(root);
    expect(found.node?.found).toContain(process.versions.node);
    expect(found.sqlite?.found).toMatch(/^SQLite 3\.\d+\.\d+ by (better-sqlite3|node:sqlite)$/);
    expect(found.git?.found).toContain(`repository at ${root}`);
    expect(found.stdio?.found).toMatch(/^signalbox \d+\.\d+\.\d+ answers initialize$/);
    expect(found['run: transactional']).toMatchObject({ state: 'ok' });
  });

  test.skipIf(process.getuid?.() !== 0)('where sockets of the host stay within reach, that is said', async () => {
    const { root } = newWorkspace();
    const folder = mkdtempSync('/var/tmp/signalbox-doctor-');
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const name of ['a', 'b', 'once', 'twice']) mkdirSync(join(folder, name));
    // Two overlays above each other are as many as the kernel allows.
    const script = `cd "$1" && mount -t overlay none -o lowerdir=a:b once && mount -t overlay none -o lowerdir=once:b twice &&
      shift && cd "$OLDPWD" && exec "$@"`;
    const args = ['--mount', 'sh', '-c', script, 'sh', folder, process.execPath, MAIN, 'doctor', '--json'];
    const child = spawn('unshare', args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    const { findings: found } = JSON.parse(await text(child.stdout)) as { findings: Finding[] };
    expect(found.find(({ part }) => part === 'sockets: paths')).toMatchObject({
      state: 'warn',
      found: expect.stringContaining(`in ${folder}/twice that are made while it runs`),
    });
    expect(found.find(({ part }) => part === 'run: transactional')).toMatchObject({ state: 'ok' });
  });

  test('promise 11: a configuration that is wrong fails, with the place and what to do', async () => {
    const workspace = newWorkspace({ 'signalbox.yaml': 'claims: maybe\n' });
    const found = await findings(workspace.root);
    expect(found.config).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('claims'),
      remedy: expect.stringContaining('signalbox.yaml'),
    });
    expect(found.workspace).toMatchObject({ state: 'fail' });
    expect(found.sqlite).toMatchObject({ state: 'ok' });
    const { output } = await doctor(workspace.root);
    expect(output).toMatch(/^fail +config .*\n +→ /m);
  });

  test('state that others can read fails, though opening it mends that', async () => {
    const { root } = newWorkspace();
    mkdirSync(`${root}/.signalbox`);
    chmodSync(`${root}/.signalbox`, 0o755);
    expect((await findings(root)).permissions).toMatchObject({
      state: 'fail',
      remedy: expect.stringContaining('chmod'),
    });
    expect(statSync(`${root}/.signalbox`).mode & 0o777).toBe(0o700);
    expect((await findings(root)).permissions).toMatchObject({ state: 'ok' });
  });

  test('without git', async () => {
    const { root } = newWorkspace();
    expect((await findings(root, { PATH: '/nowhere' })).git).toMatchObject({ state: 'fail', remedy: 'Install git.' });
  });

  test('where no containment holds, each level says why', async () => {
    const root = mkdtempSync('/dev/shm/signalbox-');
    onTestFinished(() => rmSync(root, { recursive: true }));
    const found = await findings(root);
    for (const part of ['run: transactional', 'run: confined'])
      expect(found[part]).toMatchObject({ state: 'fail', found: expect.stringContaining('/dev/shm') });
    expect(found.git).toMatchObject({ state: 'warn', remedy: expect.stringContaining('git init') });
    expect(found.sockets).toBeUndefined();
  });

  test('abstract sockets of the host, which a command with an open network reaches, are named', async () => {
    const { root } = newWorkspace();
    const server = createServer().listen('\0signalbox-doctor');
    await once(server, 'listening');
    const { sockets } = await findings(root);
    server.close();
    expect(sockets).toMatchObject({
      state: 'warn',
      found: expect.stringContaining('open network'),
      remedy: expect.stringContaining('network: false'),
    });
  });

  test('a folder that cannot be a workspace', async () => {
    const { code, output } = await doctor('/', ['--json']);
    expect(code).toBe(1);
    expect(JSON.parse(output)).toMatchObject({ ok: false, findings: [{ part: 'workspace', state: 'fail' }] });
  });
});
