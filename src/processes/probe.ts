import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { isRefusal } from '../domain/refusal.js';
import { type Circumstances, explain, SWITCHES } from './explain.js';
import { isBelow } from './host.js';
import type { Level, RunSpec } from './runner.js';
import type { Sandbox } from './sandbox.js';

const NOTHING: Omit<RunSpec, 'id' | 'command'> = {
  cwd: '.',
  env: {},
  timeout: 10_000,
  writable: [],
  scratch: [],
  sealed: [],
  network: true,
  live: false,
};
const SYSTEM = ['/dev', '/proc', '/sys'];

/** What a sandbox is made of comes and goes: a socket of the host may be gone between the look at it and its mount. */
const ATTEMPTS = 3;

/** Tries a sandbox, more than once where it fails: what it says stands for as long as the server lives. */
export async function probe(sandbox: Sandbox, root: string): Promise<Level> {
  for (let attempt = 1; ; attempt++) {
    const found = await probeOnce(sandbox, root);
    if (found.works || attempt === ATTEMPTS) return found;
  }
}

/**
 * Tries a sandbox: a command in it must fail to write elsewhere; what it writes to the tree must be seen as written or,
 * where nothing is claimed for it and it writes directly, must fail too.
 */
async function probeOnce(sandbox: Sandbox, root: string): Promise<Level> {
  const failed = (reason: string): Level => ({ level: sandbox.level, works: false, reason });
  const direct = sandbox.level === 'confined';
  if (process.platform !== 'linux' && !(direct && process.platform === 'darwin'))
    return failed(`it needs Linux; this is ${process.platform}`);
  if (root === '/' || SYSTEM.some((folder) => isBelow(root, folder)))
    return failed(`a workspace at ${root} can't be contained`);
  const id = `probe-${randomUUID()}`;
  const name = `.${id}`;
  const command = `${direct ? '! ' : ''}touch ${name} 2>/dev/null && ! mkdir /usr/${name} 2>/dev/null && ! test -w /etc/passwd`;
  const spec: RunSpec = { ...NOTHING, id, command };
  try {
    const launched = await sandbox.launch(spec, () => undefined);
    if (isRefusal(launched))
      return failed(explain(String(launched.facts.reason ?? launched.sentence), await circumstances()));
    const timer = setTimeout(() => launched.signal('SIGKILL'), spec.timeout);
    launched.output.resume();
    const code = await launched.exited;
    clearTimeout(timer);
    launched.output.destroy();
    const written = code === 0 ? await launched.written() : [];
    await launched.dispose();
    if (code !== 0) return failed('a command could write outside the workspace, or not inside it');
    if (written.map(({ path }) => path).join() !== (direct ? '' : name))
      return failed('what a command wrote could not be told from the tree');
    return { level: sandbox.level, works: true };
  } catch (error) {
    return failed(explain(error instanceof Error ? error.message : String(error), await circumstances()));
  }
}

/** What `explain` needs to know of this machine. */
async function circumstances(): Promise<Circumstances> {
  const settings: { [name: string]: string } = {};
  for (const name of Object.keys(SWITCHES)) {
    const value = await readFile(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').catch(() => undefined);
    if (value !== undefined) settings[name] = value;
  }
  const container = existsSync('/.dockerenv') || existsSync('/run/.containerenv');
  return { settings, container, kernel: release() };
}
