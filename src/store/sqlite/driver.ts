import { createRequire } from 'node:module';
import { StoreBroken } from '../store.js';

export type Value = string | number | null | Uint8Array;
export type Row = { readonly [column: string]: unknown };

export interface Statement {
  run(...values: readonly Value[]): { readonly changes: number | bigint };
  get(...values: readonly Value[]): Row | undefined;
  all(...values: readonly Value[]): Row[];
}

/** What the store needs of SQLite: short, synchronous calls, and no iterators that could outlive an `await`. */
export interface Driver {
  readonly name: DriverName;
  prepare(sql: string): Statement;
  exec(sql: string): void;
  /** Begins a transaction that reads. */
  begin(): void;
  /** Throws where no transaction is open. */
  rollback(): void;
  close(): void;
}

export type DriverName = 'better-sqlite3' | 'node:sqlite';

/** Below this version, several processes that reset the log at once could corrupt the database. */
const OLDEST = [3, 51, 3] as const;
const BUSY_MS = 5;
const BUSY = 5;
const PROTOCOL = 15;

/**
 * Opens a database file with better-sqlite3 or, where its binary is missing, with the SQLite inside Node.
 *
 * Throws `StoreBroken` where neither is there or SQLite is too old, and SQLite's own error where the file cannot be opened.
 */
export function openDriver(path: string, only?: DriverName): Driver {
  const driver = choose(path, only);
  const version = String(driver.prepare('SELECT sqlite_version() AS version').get()?.version);
  if (isTooOld(version)) {
    driver.close();
    throw new StoreBroken(
      `${driver.name} brings SQLite ${version}, which can corrupt a shared database; ${OLDEST.join('.')} or later is needed`,
    );
  }
  return driver;
}

export function isTooOld(version: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [place, oldest] of OLDEST.entries()) {
    const part = parts[place] ?? 0;
    if (part !== oldest) return part < oldest;
  }
  return false;
}

/** `busy`: somebody else holds the lock. `broken`: SQLite cannot do it. Undefined: not an error of SQLite. */
export function failureOf(error: unknown): 'busy' | 'broken' | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  if (error.code === 'ERR_SQLITE_ERROR') {
    const primary = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
    return primary === BUSY || primary === PROTOCOL ? 'busy' : 'broken';
  }
  if (!error.code.startsWith('SQLITE_')) return undefined;
  return error.code.startsWith('SQLITE_BUSY') || error.code === 'SQLITE_PROTOCOL' ? 'busy' : 'broken';
}

function choose(path: string, only: DriverName | undefined): Driver {
  if (only === 'node:sqlite') return openNode(path);
  try {
    return openBetter(path);
  } catch (error) {
    if (only !== undefined || failureOf(error) !== undefined) throw error;
    return fallBack(path, error);
  }
}

function fallBack(path: string, cause: unknown): Driver {
  try {
    return openNode(path);
  } catch (error) {
    if (failureOf(error) !== undefined) throw error;
    throw new StoreBroken(
      'no SQLite: better-sqlite3 has no binary here (try `npm rebuild better-sqlite3`) and node:sqlite needs Node 22.13 or later',
      { cause },
    );
  }
}

// Loaded when a database is opened, not before: a native module costs start-up time, and may be missing.
const load = createRequire(import.meta.url);

function openBetter(path: string): Driver {
  const Database: typeof import('better-sqlite3') = load('better-sqlite3');
  const database = new Database(path, { timeout: BUSY_MS });
  // Each call begins and ends one: to compile that anew takes longer than to do it.
  const [begin, rollback] = [database.prepare('BEGIN'), database.prepare('ROLLBACK')];
  return {
    name: 'better-sqlite3',
    begin: () => void begin.run(),
    rollback: () => void rollback.run(),
    prepare: (sql) => database.prepare<Value[], Row>(sql),
    exec: (sql) => void database.exec(sql),
    close: () => void database.close(),
  };
}

/** The part of `node:sqlite` that is used here; Node 20 has neither the module nor its types. */
interface NodeSqlite {
  readonly DatabaseSync: new (
    path: string,
  ) => {
    prepare(sql: string): Statement;
    exec(sql: string): void;
    close(): void;
  };
}

function openNode(path: string): Driver {
  const { DatabaseSync } = loadNodeSqlite();
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  const [begin, rollback] = [database.prepare('BEGIN'), database.prepare('ROLLBACK')];
  return {
    name: 'node:sqlite',
    begin: () => void begin.run(),
    rollback: () => void rollback.run(),
    prepare: (sql) => database.prepare(sql),
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
  };
}

/** Node 22 warns that `node:sqlite` is experimental; that one warning, and no other, is kept from the user. */
function loadNodeSqlite(): NodeSqlite {
  const emit = process.emitWarning;
  process.emitWarning = (...args: unknown[]) => {
    if (args.includes('ExperimentalWarning') && String(args[0]).includes('SQLite')) return;
    Reflect.apply(emit, process, args);
  };
  try {
    return load('node:sqlite');
  } finally {
    process.emitWarning = emit;
  }
}
