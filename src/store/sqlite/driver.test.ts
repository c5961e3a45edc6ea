import { mkdtempSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DriverName, failureOf, isTooOld, openDriver } from './driver.js';
import { configure, migrate } from './schema.js';

const names: DriverName[] = isBuiltin('node:sqlite') ? ['better-sqlite3', 'node:sqlite'] : ['better-sqlite3'];

test.each([
  ['3.51.2', true],
  ['3.50.9', true],
  ['2.99.99', true],
  ['3.51.3', false],
  ['3.53.0', false],
  ['3.100.0', false],
  ['4.0.0', false],
])('promise 11: SQLite %s is too old: %s', (version, tooOld) => {
  expect(isTooOld(version)).toBe(tooOld);
});

test('a driver that is asked for by name is not replaced by another', () => {
  if (isBuiltin('node:sqlite')) expect(openDriver(':memory:', 'node:sqlite').name).toBe('node:sqlite');
  else expect(() => openDriver(':memory:', 'node:sqlite')).toThrow('node:sqlite');
});

test('an error that is not SQLite’s is not taken for one', () => {
  expect(failureOf(new Error('SQLITE_BUSY'))).toBeUndefined();
  expect(failureOf(Object.assign(new Error('no'), { code: 'ENOENT' }))).toBeUndefined();
  expect(failureOf('SQLITE_BUSY')).toBeUndefined();
});

describe.each(names)('%s', (name) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-driver-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('values come back as they were', () => {
    const driver = openDriver(join(folder, 'x.db'), name);
    driver.exec('CREATE TABLE t (a, b, c, d, e)');
    const row = { a: 'text \n ü', b: 2 ** 53 - 1, c: 0.5, d: null, e: Buffer.from([0, 255]) };
    driver.prepare('INSERT INTO t VALUES (?, ?, ?, ?, ?)').run(row.a, row.b, row.c, row.d, row.e);
    const found = driver.prepare('SELECT * FROM t').get();
    expect({ ...found, e: Buffer.from(found?.e instanceof Uint8Array ? found.e : []) }).toEqual(row);
    expect(driver.prepare('SELECT * FROM t WHERE a = ?').get('other')).toBeUndefined();
    expect(driver.prepare('INSERT INTO t (a) VALUES (?) RETURNING a').get('x')?.a).toBe('x');
    driver.close();
  });

  test('promise 11: acknowledged means durable: the log is synced with every commit', () => {
    const first = openDriver(join(folder, 'x.db'), name);
    configure(first);
    migrate(first);
    first.close();
    const driver = openDriver(join(folder, 'x.db'), name);
    configure(driver);
    const pragma = (of: string): unknown => Object.values(driver.prepare(`PRAGMA ${of}`).get() ?? {})[0];
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('busy_timeout')]).toEqual(['wal', 2, 5]);
    driver.close();
  });

  test('a lock of somebody else is busy, and nonsense is broken', () => {
    const [a, b] = [openDriver(join(folder, 'x.db'), name), openDriver(join(folder, 'x.db'), name)];
    configure(a);
    migrate(a);
    a.exec('BEGIN IMMEDIATE');
    const failures = ['BEGIN IMMEDIATE', 'SELECT nonsense'].map((sql) => {
      try {
        return b.exec(sql);
      } catch (error) {
        return failureOf(error);
      }
    });
    expect(failures).toEqual(['busy', 'broken']);
    a.close();
    b.close();
  });
});
