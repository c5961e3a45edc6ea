import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { isRefusal } from '../domain/refusal.js';
import { isBelow } from './host.js';
import type { Level, RunSpec } from './runner.js';
import type { Sandbox } from './sandbox.js';

const SYSTEM = ['/dev', '/proc', '/sys'];

/** Tries a sandbox: a command in it writes a file to the tree, which must be seen as written, and fails to write elsewhere. */
export async function probe(sandbox: Sandbox, root: string): Promise<Level> {
  const failed = (reason: string): Level => ({ level: sandbox.level, works: false, reason });
  if (process.platform !== 'linux') return failed(`it needs Linux; this is ${process.platform}`);
  if (root === '/' || SYSTEM.some((folder) => isBelow(root, folder)))
    return failed(`a workspace at ${root} can't be contained`);
  const id = `probe-${randomUUID()}`;
  const name = `.${id}`;
  const command = `: > ${name} && ! mkdir /usr/${name} 2>/dev/null && ! test -w /etc/passwd`;
  const spec: RunSpec = { id, command, cwd: '.', env: {}, timeout: 10_000, writable: [], scratch: [], network: true };
  try {
    const launched = await sandbox.launch(spec);
    if (isRefusal(launched)) return failed(await explain(String(launched.facts.reason)));
    const timer = setTimeout(() => launched.signal('SIGKILL'), spec.timeout);
    launched.output.resume();
    const code = await launched.exited;
    clearTimeout(timer);
    launched.output.destroy();
    const written = code === 0 ? await launched.written() : [];
    await launched.dispose();
    if (code !== 0) return failed('a command could write outside the workspace, or not inside it');
    if (written.length !== 1 || written[0]?.path !== name)
      return failed('what a command wrote could not be told from the tree');
    return { level: sandbox.level, works: true };
  } catch (error) {
    return failed(await explain(error instanceof Error ? error.message : String(error)));
  }
}

/** What to do about a failure, where its cause is a known one. */
async function explain(reason: string): Promise<string> {
  const said = reason.replace(/\s+/g, ' ').slice(0, 500);
  const missing = /spawn (\S+) ENOENT|(?:sh: \d+: |exec: |execute )(\w+)[: ].*(?:not found|No such file)/.exec(said);
  if (missing !== null)
    return `${missing[1] ?? missing[2]} is not installed: install util-linux and coreutils (${said})`;
  const settings = {
    'kernel.unprivileged_userns_clone': '0',
    'user.max_user_namespaces': '0',
    'kernel.apparmor_restrict_unprivileged_userns': '1',
  };
  for (const [name, off] of Object.entries(settings)) {
    const value = await readFile(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').catch(() => undefined);
    if (value?.trim() === off) return `user namespaces are switched off for this user: ${name} is ${off} (${said})`;
  }
  if (/wrong fs type|overlay/.test(said))
    return `an overlay can't be mounted here: it needs Linux 5.11 or newer (this is ${release()}) and a local disk with extended attributes, not itself an overlay (${said})`;
  if (/Operation not permitted|Permission denied/i.test(said))
    return `namespaces are not permitted here, as inside many containers and sandboxes (${said})`;
  return said;
}
