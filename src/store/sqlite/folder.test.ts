import { expect, test } from 'vitest';
import { networkByMount, networkByType } from './folder.js';

test.each([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  // Node reads the number as signed on some machines.
  [0xff534d42 | 0, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE or virtiofs'],
])('promise 11: a file system of type %d is refused as %s', (type, name) => {
  expect(networkByType(type)).toBe(name);
});

test.each([0xef53, 0x9123683e, 0x58465342, 0x01021994, 0x794c7630])(
  'a local file system of type %d is accepted',
  (type) => {
    expect(networkByType(type)).toBeUndefined();
  },
);

const MOUNTS = `/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled)
//me@host/share on /Volumes/share (smbfs, nodev, nosuid, mounted by me)
host:/home on /Volumes/share/deep (nfs)
/dev/disk5 on /Volumes/My Disk (apfs, local)`;

test.each([
  ['/Users/me/repo', undefined],
  ['/Volumes/share/repo', 'smbfs'],
  ['/Volumes/share', 'smbfs'],
  ['/Volumes/shared/repo', undefined],
  ['/Volumes/share/deep/repo', 'nfs'],
  ['/Volumes/My Disk/repo', undefined],
])('on macOS, %s lies on %s', (folder, type) => {
  expect(networkByMount(MOUNTS, folder)).toBe(type);
});
