import { lstat, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { find } from './host.js';

/** Something of the host that a command is granted: where it lies, and where the command finds it. */
export interface Grant {
  readonly from: string;
  readonly at: string;
}

export interface Granted {
  readonly grants: readonly Grant[];
  /** What tells programs where to look; `from` where nothing is mounted for them. */
  readonly variables: (place: keyof Grant) => { readonly [name: string]: string };
}

interface Variable extends Grant {
  readonly name: string;
  readonly value: (path: string) => string;
}

type Environment = NodeJS.ProcessEnv;

/**
 * The Unix sockets that a command may connect to, of those that this machine has: `docker`, `ssh-agent`, `display`, or an
 * absolute path. Those with a name are put where nothing of the host is in their way.
 */
export async function grantedSockets(names: readonly string[], from: Environment): Promise<Granted> {
  const found = (await Promise.all(names.map((name) => lookUp(name, from)))).flat();
  const grants = found.map(({ from, at }) => ({ from, at }));
  const variables = (place: keyof Grant) =>
    Object.fromEntries(
      found.flatMap((each) => ('name' in each && each.name !== '' ? [[each.name, each.value(each[place])]] : [])),
    );
  return { grants, variables };
}

async function lookUp(name: string, from: Environment): Promise<(Grant | Variable)[]> {
  if (name === 'docker') return docker(from);
  if (name === 'ssh-agent') {
    return variable('SSH_AUTH_SOCK', await socketAmong([from.SSH_AUTH_SOCK]), '/run/ssh-agent.sock');
  }
  if (name === 'display') return display(from);
  const path = await socketAmong([name]);
  return path === undefined ? [] : [{ from: path, at: path }];
}

function variable(
  name: string,
  from: string | undefined,
  at: string,
  value: Variable['value'] = (path) => path,
): Variable[] {
  return from === undefined ? [] : [{ name, from, at, value }];
}

async function docker({ DOCKER_HOST: host = '', XDG_RUNTIME_DIR: runtime }: Environment): Promise<Variable[]> {
  const places = [
    /^unix:\/\/(\/.+)$/.exec(host)?.[1],
    '/var/run/docker.sock',
    join(homedir(), '.docker/run/docker.sock'),
    runtime && join(runtime, 'docker.sock'),
  ];
  return variable('DOCKER_HOST', await socketAmong(places), '/run/docker.sock', (path) => `unix://${path}`);
}

async function display(from: Environment): Promise<Variable[]> {
  const { DISPLAY: x11 = '', WAYLAND_DISPLAY: wayland = '', XDG_RUNTIME_DIR: runtime = '/' } = from;
  const number = /^:(\d+)(\.\d+)?$/.exec(x11)?.[1];
  const screen = number && `/tmp/.X11-unix/X${number}`;
  const authority = await fileAt(from.XAUTHORITY ?? join(homedir(), '.Xauthority'));
  const surface = wayland === '' ? undefined : isAbsolute(wayland) ? wayland : join(runtime, wayland);
  return [
    ...variable('DISPLAY', await socketAmong([screen]), screen ?? '', () => x11),
    ...(x11 === '' ? [] : variable('XAUTHORITY', authority, '/run/xauthority')),
    ...variable('WAYLAND_DISPLAY', await socketAmong([surface]), '/run/wayland.sock'),
  ];
}

/** The first of these that is a socket, where it really lies. */
async function socketAmong(places: readonly (string | undefined)[]): Promise<string | undefined> {
  for (const place of places) {
    const found = place === undefined || !isAbsolute(place) ? undefined : await find(place);
    if (found !== undefined && (await stat(found.path)).isSocket()) return found.path;
  }
  return undefined;
}

async function fileAt(path: string): Promise<string | undefined> {
  const found = await find(path);
  return found?.kind === 'file' && (await lstat(found.path)).isFile() ? found.path : undefined;
}
