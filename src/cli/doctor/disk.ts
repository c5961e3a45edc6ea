import { randomUUID } from 'node:crypto';
import { lstatSync, readFileSync, rmSync, statfsSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDriver } from '../../store/sqlite/driver.js';
import { prepareFolder } from '../../store/sqlite/folder.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** Fewer inotify instances than this are soon used up by editors and watchers of the same user. */
const FEW_INSTANCES = 128;
const PATIENCE = 2_000;
const PRIVATE = ['key', 'token'];

/** `.signalbox` and the secrets in it: a handle or token that others can read is theirs. Looked at before anything mends it. */
export function tryPermissions(folder: string): Finding {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return ok('permissions', `${folder} is not there yet; it will be made with mode 700`);
  if (!stat.isDirectory()) return fail('permissions', `${folder} is not a folder`, 'Move it away.');
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== uid)
    return fail(
      'permissions',
      `${folder} belongs to user ${stat.uid}, you are ${uid}`,
      `Run as that user, or chown -R it.`,
    );
  const open = [folder, ...PRIVATE.map((name) => join(folder, name))].filter(isOpenToOthers);
  if (open.length > 0) return fail('permissions', `others can get at ${open.join(', ')}`, `chmod -R go= '${folder}'`);
  return ok('permissions', `${folder} is yours alone`);
}

function isOpenToOthers(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && (stat.mode & 0o077) !== 0;
}

/** A database like the ledger's, beside it: made, written, read and removed. */
export function trySqlite(folder: string): Finding {
  prepareFolder(folder);
  const path = join(folder, `doctor-${randomUUID()}.db`);
  try {
    const driver = openDriver(path);
    try {
      driver.exec('PRAGMA journal_mode = WAL; CREATE TABLE tried (x); INSERT INTO tried VALUES (1)');
      const version = String(driver.prepare('SELECT sqlite_version() AS version').get()?.version);
      return ok('sqlite', `SQLite ${version} by ${driver.name}`);
    } finally {
      driver.close();
    }
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  }
}

/** Refuses network file systems, on which several servers could corrupt the ledger. */
export function tryFileSystem(folder: string): Finding {
  prepareFolder(folder);
  const { bavail, bsize, type } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / 1024 / 1024);
  const found = `${typeOf(folder) ?? `type ${type.toString(16)}`}, ${free} MB free`;
  if (free < 100) return warn('disk', found, 'Make room: every version of a file that agents change is kept.');
  return ok('disk', found);
}

/** The name of a file system, as Linux lists it. */
function typeOf(folder: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  let best = { at: '', type: '' };
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , , , target = ''] = line.split(' ');
    const at = target.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
    const holds = `${folder}/`.startsWith(at === '/' ? '/' : `${at}/`);
    if (at !== '' && holds && at.length >= best.at.length)
      best = { at, type: line.split(' - ')[1]?.split(' ')[0] ?? '' };
  }
  return best.type || undefined;
}

/** Servers hear of each other's commits by watching a file. */
export async function tryWatch(folder: string): Promise<Finding> {
  prepareFolder(folder);
  const path = join(folder, `doctor-${randomUUID()}`);
  const heard = await hears(folder, () => writeFileSync(path, '')).catch((error: unknown) => String(error));
  rmSync(path, { force: true });
  const limit =
    process.platform === 'linux' ? Number(readFileSync('/proc/sys/fs/inotify/max_user_instances')) : undefined;
  const more = 'sudo sysctl fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288';
  if (heard !== true)
    return warn('watch', `files cannot be watched here (${heard}); waiting agents look once a second instead`, more);
  if (limit === undefined) return ok('watch', 'changes are heard');
  const found = `changes are heard; ${limit} inotify instances for each user`;
  return limit < FEW_INSTANCES ? warn('watch', found, more) : ok('watch', found);
}

function hears(folder: string, change: () => void): Promise<true | string> {
  return new Promise((resolve, reject) => {
    const watcher = watch(folder, () => end(true));
    const timer = setTimeout(() => end('nothing was heard'), PATIENCE);
    const end = (result: true | string): void => {
      clearTimeout(timer);
      watcher.close();
      resolve(result);
    };
    watcher.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    change();
  });
}
