import { expect, test } from 'vitest';
import { explain } from './explain.js';

const PLAIN = { settings: {}, container: false, kernel: '6.1.0' };

test.each([
  ['spawn setpriv ENOENT', PLAIN, 'setpriv is not installed: install util-linux'],
  ['unshare: failed to execute prlimit: No such file or directory', PLAIN, 'prlimit is not installed'],
  ['signalbox: 9: flock: not found', PLAIN, undefined],
  ['sh: 9: flock: not found', PLAIN, 'flock is not installed'],
  ["unshare: unrecognized option '--map-current-user'", PLAIN, 'install util-linux 2.36'],
  ['BusyBox v1.36 multi-call binary. setpriv: applet not found', PLAIN, 'util-linux is too old or a cut-down one'],
  ['mount: /x: wrong fs type, bad option, bad superblock on signalbox', PLAIN, "an overlay can't be mounted"],
  [
    'unshare: write failed /proc/self/uid_map: Operation not permitted',
    { ...PLAIN, settings: { 'kernel.apparmor_restrict_unprivileged_userns': '1\n' } },
    'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0',
  ],
  [
    'unshare: cannot change root filesystem propagation: Permission denied',
    { ...PLAIN, settings: { 'kernel.apparmor_restrict_unprivileged_userns': '1\n' } },
    'profile unshare-userns /usr/bin/unshare flags=(unconfined)',
  ],
  [
    'unshare: unshare failed: No space left on device',
    { ...PLAIN, settings: { 'user.max_user_namespaces': '0\n' } },
    'sudo sysctl user.max_user_namespaces',
  ],
  ['unshare: unshare failed: Operation not permitted', { ...PLAIN, container: true }, '--security-opt seccomp'],
  ['unshare: unshare failed: Operation not permitted', PLAIN, 'outside of it'],
  ['something else', PLAIN, undefined],
])('promise 11: %s', (failure, circumstances, remedy) => {
  const explained = explain(failure, circumstances);
  expect(explained).toContain(failure);
  if (remedy === undefined) expect(explained).toBe(failure);
  else expect(explained).toContain(remedy);
});
