import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type Finding, fail, ok, warn } from './finding.js';

const OLDEST_NODE = [20, 19] as const;
/** A server that has not answered by then will not. */
const PATIENCE = 20_000;

export function tryNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const found = `${version} on ${process.platform} ${process.arch}`;
  const enough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (!enough) return fail('node', found, `Install Node ${OLDEST_NODE.join('.')} or newer.`);
  if (process.platform === 'win32') return fail('node', found, 'Use Signalbox inside WSL2.');
  return ok('node', found);
}

/** git itself; whether the workspace is a repository shows with the workspace. */
export async function tryGit(root: string): Promise<Finding> {
  const { stdout } = await promisify(execFile)('git', ['--version']);
  const version = stdout.trim().replace(/^git version /, '');
  const top = await promisify(execFile)('git', ['rev-parse', '--show-toplevel'], { cwd: root }).catch((error) => {
    const said = String((error as { stderr?: unknown }).stderr ?? error).trim();
    return { stdout: '', said };
  });
  if (top.stdout.trim() !== '') return ok('git', `${version}, repository at ${top.stdout.trim()}`);
  const said = 'said' in top ? top.said : '';
  if (!/not a git repository/.test(said))
    return fail('git', `${version}, which cannot read this repository: ${said}`, 'Make git status work here first.');
  return warn('git', `${version}, and this is no repository`, 'git init, if publish_output is to make commits.');
}

/** Starts `signalbox mcp` as a client does, and sends the first message of every client. */
export async function tryStdio(root: string): Promise<Finding> {
  const main = process.argv[1] ?? '';
  const child = spawn(process.execPath, [main, 'mcp'], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
  const stop = AbortSignal.timeout(PATIENCE);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
  try {
    const [line] = await Promise.race([
      once(createInterface({ input: child.stdout }), 'line', { signal: stop }),
      once(child, 'exit', { signal: stop }).then(() => ['']),
    ]);
    const name = serverName(String(line));
    if (name !== undefined) return ok('stdio', `${name} answers initialize`);
    return fail('stdio', `signalbox mcp did not answer initialize: ${said.trim() || line || 'it ended'}`, LOOK);
  } catch {
    return fail('stdio', `signalbox mcp did not answer initialize within ${PATIENCE / 1000} s: ${said.trim()}`, LOOK);
  } finally {
    child.kill('SIGKILL');
  }
}

const LOOK = 'Run signalbox mcp by hand in this folder and look at what it prints.';
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'signalbox-doctor', version: '1' } },
};

function serverName(line: string): string | undefined {
  try {
    const { result } = JSON.parse(line) as { result?: { serverInfo?: { name?: string; version?: string } } };
    const info = result?.serverInfo;
    return info?.name === undefined ? undefined : `${info.name} ${info.version ?? ''}`.trim();
  } catch {
    return undefined;
  }
}
