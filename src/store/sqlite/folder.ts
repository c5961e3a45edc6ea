import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, type Stats, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { StoreBroken } from '../store.js';

/** File systems on which processes do not reliably share memory and locks, by the number that Linux gives them. */
const NETWORK: { readonly [type: number]: string } = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB',
  16914839: '9p',
  1702057286: 'FUSE or virtiofs',
  1397113167: 'AFS',
  1937076805: 'Coda',
  12805120: 'Ceph',
  198183888: 'Lustre',
  1196443219: 'GPFS',
  2020557398: 'a VirtualBox shared folder',
  2088527475: 'a Parallels shared folder',
  3133910204: 'a VMware shared folder',
};
const NETWORK_MACOS = /^(nfs|smbfs|afpfs|webdav|ftp|cifs|9p|virtiofs|macfuse|osxfuse|fuse.*)$/;

/** Makes the store's folder, for this user only and invisible to git. Throws `StoreBroken` where no store can be. */
export function prepareFolder(folder: string): void {
  onDisk(`${folder} cannot be made`, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  const stat = lstatSync(folder);
  if (!stat.isDirectory()) throw new StoreBroken(`${folder} is not a folder`);
  const network = process.platform === 'darwin' ? networkOnMacos(folder) : networkByType(statfsSync(folder).type);
  if (network !== undefined) {
    throw new StoreBroken(
      `${folder} lies on ${network}, which several processes cannot share safely: run \`signalbox serve\` on the host of these files`,
    );
  }
  onDisk(`${folder} cannot be kept private`, () => {
    if ((stat.mode & 0o777) !== 0o700) chmodSync(folder, 0o700);
    const ignore = join(folder, '.gitignore');
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
  });
}

/** The name of a network file system; undefined for a local one. */
export function networkByType(type: number): string | undefined {
  return NETWORK[type >>> 0];
}

function networkOnMacos(folder: string): string | undefined {
  return networkByMount(execFileSync('/sbin/mount', { encoding: 'utf8' }), folder);
}

/** The same from the output of macOS's `mount`: lines like `//me@host/share on /Volumes/share (smbfs, nodev)`. */
export function networkByMount(mounts: string, folder: string): string | undefined {
  let best = { at: '', type: '' };
  for (const line of mounts.split('\n')) {
    const [, at = '', type = ''] = / on (\/.*) \(([^,)]+)/.exec(line) ?? [];
    const holds = at !== '' && `${folder}${sep}`.startsWith(at === sep ? sep : `${at}${sep}`);
    if (holds && at.length >= best.at.length) best = { at, type };
  }
  return NETWORK_MACOS.test(best.type) ? best.type : undefined;
}

/** Notices when the file at a path is no longer the one that was opened (`git clean -fdx`, a restored backup). */
export class Guard {
  readonly #path: string;
  readonly #opened: Stats | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#opened = statSync(path, { throwIfNoEntry: false });
  }

  /** Throws `StoreBroken`: whatever is written now would go to a file that nobody else sees. */
  check(): void {
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (found !== undefined && found.ino === this.#opened?.ino && found.dev === this.#opened.dev) return;
    const what = found === undefined ? 'removed' : 'replaced';
    throw new StoreBroken(`the database ${this.#path} was ${what} under the running server: restart it`);
  }
}

/** Does something on the disk; a failure means that the store cannot work. `what` goes before the reason. */
export function onDisk<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new StoreBroken(`${what}: ${reason(cause)}`, { cause });
  }
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
