import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, levelsHere, lines } from './bench.testsuite.js';

const here = await levelsHere();

for (const level of ['transactional', 'confined'] as const)
  describe.skipIf(!here.includes(level))(
    `promise 9: at level ${level} nothing outside the workspace can be changed`,
    () => {
      let bench: Bench;
      let before: readonly string[];
      beforeAll(async () => {
        bench = await Bench.make({ levels: [level] });
        await bench.run('true');
        before = bench.snapshot();
      });
      afterAll(() => bench[Symbol.asyncDispose]());
      afterEach(() => {
        expect(bench.snapshot()).toEqual(before);
      });

      const refused = (path: string) => `echo x > '${path}'`;
      test.each([
        ['/etc', refused('/etc/signalbox-test')],
        ['/usr', 'mkdir /usr/signalbox-test'],
        ['/var/tmp', refused('/var/tmp/signalbox-test')],
        ['/sys', 'find /sys/fs/cgroup -maxdepth 3 -writable | grep .'],
        ['.git', 'git commit --allow-empty -m x'],
        ['.git by hand', 'echo x > .git/config'],
        ['.signalbox', 'echo x > .signalbox/x'],
        ['the mask of .signalbox', 'umount .signalbox'],
        ['the mounts, by remounting', 'mount -o remount,rw /'],
        ['the mounts, by binding again', 'mount -o remount,bind,rw / || mount --bind / /mnt'],
        ['the mounts, in new namespaces', 'unshare -Urm mount -o remount,bind,rw /'],
        ['new user namespaces', 'unshare -Ur true'],
        ['devices', 'mknod disk b 254 0'],
        ['block devices', 'find /dev -type b | grep .'],
        ['kernel settings', 'cat /proc/sys/kernel/hostname > /proc/sys/kernel/hostname'],
        ['the magic key', 'echo h > /proc/sysrq-trigger'],
        ['another root', 'chroot / true'],
        ['the former root', 'mkdir d && chroot d true'],
      ])('%s', async (_, command) => {
        const { exit, written } = await bench.run(command);
        expect(exit).not.toBe(0);
        expect(written).toEqual([]);
      });

      test.each([
        ['by its path', 'echo x > "$OUT/kept"'],
        ['by going up', 'echo x > ../outside/kept'],
        ['through the root of process 1', 'echo x > "/proc/1/root$OUT/kept"'],
        ['through its own root', 'echo x > "/proc/self/root$OUT/kept"'],
        ['through a link', 'ln -s "$OUT" l && echo x > l/kept'],
        ['in the home folder', 'echo x > ~/.bashrc; echo x > ~/.ssh/authorized_keys; rm -rf ~/.ssh ~/.npmrc'],
        ['in /tmp', 'echo x > /tmp/signalbox-leak'],
      ])('a host file, %s', async (_, command) => {
        const { written } = await bench.run(command, { env: { OUT: bench.outside } });
        expect(lines(written).filter((line) => line.startsWith('file'))).toEqual([]);
        expect(existsSync('/tmp/signalbox-leak')).toBe(false);
      });

      test('the same user, without capabilities or a way to get some', async () => {
        const { text } = await bench.run(
          'id -u; id -g; grep -E "^(Cap|NoNewPrivs)" /proc/self/status | cut -f2 | sort -u',
        );
        expect(text.trim().split('\n')).toEqual([
          String(process.getuid?.()),
          String(process.getgid?.()),
          '0000000000000000',
          '1',
        ]);
      });

      test('the server cannot be seen, signalled or traced', async () => {
        const { text, exit } = await bench.run('ls -d /proc/[0-9]* | wc -l; kill -9 -1; kill -9 1; echo alive');
        expect([exit, text.trim().split('\n').at(-1)]).toEqual([0, 'alive']);
        expect(Number(text.split('\n')[0])).toBeLessThan(8);
      });
    },
  );
