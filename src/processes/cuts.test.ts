import { expect, test } from 'vitest';
import { split } from './cuts.js';

/** Folders end with a slash, sockets with an equals sign. */
type Tree = { readonly [folder: string]: readonly string[] };

const list = (tree: Tree) => async (folder: string) =>
  tree[folder]?.map((name) => ({
    name: name.replace(/[/=]$/, ''),
    isDirectory: () => name.endsWith('/'),
    isSocket: () => name.endsWith('='),
  }));

const ROOT = ['usr/', 'home/', 'run/', 'tmp/', 'proc/', 'file'];

test.each<[string, string[], Tree, string[], string[]]>([
  ['a folder without mounts as a whole', ['/', '/proc'], { '/': ROOT }, ['/usr', '/home'], []],
  [
    'what lies beside a mount, and the mount',
    ['/', '/home/u', '/home/u'],
    { '/': ROOT, '/home': ['u/', 'v/', 'x'] },
    ['/usr', '/home/u', '/home/v'],
    [],
  ],
  ['not what only begins with the same letters', ['/', '/us'], { '/': ['us/', 'usr/'] }, ['/us', '/usr'], []],
  [
    'a socket that is mounted by itself',
    ['/', '/docker.sock'],
    { '/': ['usr/', 'docker.sock='] },
    ['/usr'],
    ['/docker.sock'],
  ],
  [
    'the way to a mount in a folder that may not be listed',
    ['/', '/home/u/data'],
    { '/': ROOT, '/home/u': ['data/', 'src/'] },
    ['/usr', '/home/u/data', '/home/u/src'],
    [],
  ],
  [
    'nothing of what commands have their own of',
    ['/', '/run/user/1', '/dev/shm'],
    { '/': ROOT },
    ['/usr', '/home'],
    [],
  ],
])('cut off is %s', async (_, mounted, tree, folders, sockets) => {
  expect(await split('/', mounted, list(tree))).toEqual({ folders, sockets });
});
