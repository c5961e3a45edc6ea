import { describe, expect, test } from 'vitest';
import { discrepancies, fstab, type Mount, mountTable, type View, visible } from './mounts.js';

const view: View = {
  root: '/home/u/my work',
  folder: '/home/u/my work/.signalbox',
  layer: '/home/u/my work/.signalbox/layers/R1',
  relativeLayer: '.signalbox/layers/R1',
  overlay: true,
  home: '/home/u',
  devices: ['null'],
  procfs: ['/proc/sys'],
  cuts: [{ at: '/my data', via: '.signalbox/skeleton/lower/abc' }],
  writable: ['/home/u/my work/node_modules'],
  kept: [{ from: '/home/u/my work/.git', at: '/home/u/my work/.git' }],
  hidden: [{ at: '/home/u/.ssh', as: '/home/u/my work/.signalbox/skeleton/empty' }],
};

const mount = (id: number, parent: number, target: string, options = 'ro') =>
  `${id} ${parent} 8:1 / ${target} ${options},relatime - ext4 /dev/sda rw`;

describe('mountTable', () => {
  test('parents come before children', () => {
    const targets = mountTable(view).map(({ target }) => target);
    targets.forEach((target, i) => {
      for (const earlier of targets.slice(0, i)) expect(`${earlier}/`.startsWith(`${target}/`)).toBe(false);
    });
  });

  test('blanks and the like are escaped', () => {
    const line: Mount = { source: '/a b\\#', target: '/c\td', type: 'none', options: 'bind' };
    expect(fstab([line], '/new')).toBe('/a\\040b\\134\\043 /new/c\\011d none bind 0 0\n');
  });

  test('only paths inside .signalbox reach overlay options', () => {
    for (const { options } of mountTable(view).filter(({ type }) => type === 'overlay'))
      expect(options).not.toMatch(/my work|my data/);
  });
});

describe('visible', () => {
  const ids = (...lines: string[]) =>
    visible(
      lines.map((line) => {
        const [id = '', parent = '', , , target = ''] = line.split(' ');
        return { id, parent, target, writable: false, source: '' };
      }),
    ).map(({ id }) => id);

  test.each([
    ['all that lie beside each other', [mount(1, 0, '/'), mount(2, 1, '/a'), mount(3, 1, '/ab')], ['1', '2', '3']],
    [
      'not what a second mount at the same place covers',
      [mount(1, 0, '/'), mount(2, 1, '/a'), mount(3, 2, '/a')],
      ['1', '3'],
    ],
    ['not what lies below a covered place', [mount(1, 0, '/'), mount(2, 1, '/a/b'), mount(3, 1, '/a')], ['1', '3']],
    [
      'not the children of a covered mount',
      [mount(1, 0, '/'), mount(2, 1, '/a'), mount(3, 2, '/a/b'), mount(4, 2, '/a')],
      ['1', '4'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(ids(...lines)).toEqual(expected);
  });
});

describe('promise 11: what the kernel mounted is compared with what was wanted', () => {
  const table: Mount[] = [
    { source: 'signalbox', target: '/proc', type: 'proc', options: 'nosuid' },
    { source: '/x', target: '/w/cache', type: 'none', options: 'bind' },
    { source: '/y', target: '/w/.git', type: 'none', options: 'bind,ro' },
  ];
  const own = (id: number, parent: number, target: string) =>
    `${id} ${parent} 0:42 / ${target} rw,nosuid - proc signalbox rw`;
  const good = [mount(1, 0, '/'), own(2, 1, '/proc'), mount(3, 1, '/w/cache', 'rw'), mount(4, 1, '/w/.git')];

  test.each([
    ['as wanted', good, [], []],
    ['one that stayed writable', [...good, mount(5, 1, '/srv', 'rw')], ['/srv'], []],
    ['one that stayed writable below a covered place', [...good, mount(5, 1, '/proc/x', 'rw')], [], []],
    ['a read-only one that is writable', [...good.slice(0, 3), mount(4, 1, '/w/.git', 'rw')], ['/w/.git'], []],
    ['one that was skipped', good.slice(0, 3), [], ['/w/.git']],
    ["the host's in place of an own one", [good[0] ?? '', mount(2, 1, '/proc'), ...good.slice(2)], [], ['/proc']],
  ])('%s', (_, lines, open, absent) => {
    expect(discrepancies(table, `${lines.join('\n')}\n`)).toEqual({ open, absent });
  });
});
