import { readFileSync } from 'node:fs';
import { openRunner } from '../../processes/open.js';
import type { Level } from '../../processes/runner.js';
import { type Finding, fail, ok, warn } from './finding.js';

const WHAT: { readonly [level in Level['level']]: string } = {
  transactional: 'a command writes to a layer of its own, which is committed like a patch',
  confined: 'a command writes directly, to claimed folders only',
  none: 'commands run unguarded',
};

/** Runs a command at each level. One that works is enough; what a better one lacks is said. */
export async function tryContainment(
  root: string,
  folder: string,
  containment: 'auto' | 'none',
): Promise<readonly Finding[]> {
  const runner = await openRunner({ root, folder, containment });
  const levels = await runner.levels();
  await runner.close();
  const any = levels.some(({ level, works }) => works && level !== 'none');
  return [...levels.map((level) => finding(level, any)), ...(any ? [sockets(), ...inOpenFolders(levels)] : [])];
}

function finding({ level, works, reason = 'it does not work' }: Level, any: boolean): Finding {
  const part = `run: ${level}`;
  if (level === 'none')
    return any
      ? ok(part, 'allowed by containment: none, and not used, since a better level works')
      : warn(part, `${WHAT[level]}, as signalbox.yaml allows`, 'See what the better levels lack.');
  if (works) return ok(part, WHAT[level]);
  if (any) return warn(part, reason, `${level} is not used on this machine until that is put right.`);
  return fail(part, reason, 'Put that right; until then run is refused, unless signalbox.yaml says containment: none.');
}

/** A socket with a path is out of reach below an overlay; where there can be none, only those that are known are hidden. */
function inOpenFolders(levels: readonly Level[]): Finding[] {
  const folders = [...new Set(levels.flatMap(({ open = [] }) => open))];
  if (folders.length === 0) return [];
  const [reach, more] = ['a command can connect to Unix sockets', folders.length > 3 ? ', …' : ''];
  return [
    warn(
      'sockets: paths',
      `${reach} in ${folders.slice(0, 3).join(', ')}${more} that are made while it runs or belong to another network namespace: no overlay can be mounted over that`,
      'Keep sockets (docker.sock, an ssh-agent) in /run or /tmp, which commands have one of their own of.',
    ),
  ];
}

/** Abstract sockets have no path that could be hidden: only a network of its own keeps a command from them. */
function sockets(): Finding {
  if (process.platform !== 'linux') return ok('sockets', 'none without a path on this system');
  const table = readFileSync('/proc/net/unix', 'utf8').split('\n');
  const names = new Set(table.flatMap((line) => / (@\S+)$/.exec(line)?.[1] ?? []));
  const reach = 'a command with an open network can reach the abstract Unix sockets of this machine';
  if (names.size === 0) return ok('sockets', `${reach}; there are none now`);
  const some = [...names].slice(0, 3).join(', ');
  return warn(
    'sockets',
    `${reach}: ${names.size} now, as ${some}`,
    'Set network: false for processes in signalbox.yaml that need no network.',
  );
}
