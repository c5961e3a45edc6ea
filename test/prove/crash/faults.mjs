// Loaded into a server before anything else (`--import`): makes its n-th operation on the disk or the database fail.
// SIGUSR2 reads from the control file what shall fail (nothing at 0), and begins to count; `.armed` says that it has, and
// `.hit` what failed. The product knows nothing of it.
import fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';

const control = process.env.FAULT_CONTROL;
const { readFileSync, writeFileSync } = fs;

/** @type {{ at: number, kind: string } | undefined} */
let armed;
let count = 0;

process.on('SIGUSR2', () => arm());
if (process.env.FAULT_AT_ONCE !== undefined) arm();

function arm() {
  const { at, kind } = JSON.parse(readFileSync(control, 'utf8'));
  armed = at > 0 ? { at, kind } : undefined;
  count = 0;
  writeFileSync(`${control}.armed`, '');
}

/** Whether this operation is the one. Counting ends with it. */
function isDue(name, isSql) {
  if (armed === undefined || (armed.kind === 'BUSY' && !isSql)) return undefined;
  count += 1;
  if (count < armed.at) return undefined;
  const { kind } = armed;
  armed = undefined;
  writeFileSync(`${control}.hit`, name);
  if (kind === 'kill') process.kill(process.pid, 'SIGKILL');
  return kind;
}

const ERRNOS = { ENOSPC: 28, EIO: 5 };

function diskError(kind, name) {
  const code = kind === 'ENOSPC' ? kind : 'EIO';
  return Object.assign(new Error(`${code}: injected, ${name}`), { code, errno: -ERRNOS[code], syscall: name });
}

const SYNC = [
  'open',
  'write',
  'read',
  'rename',
  'link',
  'unlink',
  'fsync',
  'fdatasync',
  'mkdir',
  'rm',
  'rmdir',
  'lstat',
];
const ALSO_SYNC = ['stat', 'fstat', 'readFile', 'writeFile', 'readdir', 'fchmod', 'chmod', 'copyFile', 'symlink'];
for (const name of [...SYNC, ...ALSO_SYNC].map((each) => `${each}Sync`)) {
  const original = fs[name];
  fs[name] = (...args) => {
    const kind = isDue(name, false);
    if (kind === undefined) return original(...args);
    if (kind === 'after') original(...args);
    throw diskError(kind, name);
  };
}

const PROMISED = ['open', 'rename', 'link', 'unlink', 'mkdir', 'rm', 'rmdir', 'lstat', 'stat', 'readdir', 'readFile'];
const ALSO_PROMISED = ['writeFile', 'chmod', 'copyFile', 'symlink', 'access', 'realpath', 'readlink'];
for (const name of [...PROMISED, ...ALSO_PROMISED]) {
  const original = fs.promises[name];
  fs.promises[name] = async (...args) => {
    const kind = isDue(`promises.${name}`, false);
    if (kind === undefined) return original(...args);
    if (kind === 'after') await original(...args);
    throw diskError(kind, name);
  };
}
syncBuiltinESMExports();

const Database = createRequire(import.meta.url)('better-sqlite3');
const SQL_CODES = { ENOSPC: 'SQLITE_FULL', BUSY: 'SQLITE_BUSY' };

function faulty(owner, name) {
  const original = owner[name];
  owner[name] = function (...args) {
    const text = String(this.source ?? args[0])
      .trim()
      .split(/\s+/)
      .slice(0, 3)
      .join(' ');
    // A ROLLBACK takes neither disk nor lock: SQLite has no way to fail at it. And only a COMMIT can fail once it is done.
    const isPossible = text !== 'ROLLBACK' && (armed?.kind !== 'after' || text === 'COMMIT');
    const kind = isPossible ? isDue(`sql ${text}`, true) : undefined;
    if (kind === undefined) return original.apply(this, args);
    if (kind === 'after') original.apply(this, args);
    throw new Database.SqliteError(`injected, ${text}`, SQL_CODES[kind] ?? 'SQLITE_IOERR');
  };
}

const scratch = new Database(':memory:');
const statement = Object.getPrototypeOf(scratch.prepare('SELECT 1'));
for (const name of ['run', 'get', 'all']) faulty(statement, name);
faulty(Database.prototype, 'exec');
scratch.close();
