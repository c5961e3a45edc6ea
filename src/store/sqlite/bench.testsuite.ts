import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULTS } from '../../domain/settings.js';
import { fileRecovery, type StoreBench } from '../steps.testsuite.js';
import { type DriverName, openDriver } from './driver.js';
import { openSqliteStore } from './open.js';
import { DATABASE, type SqliteOptions } from './options.js';
import type { SqliteStore } from './sqlite-store.js';

/** A machine's clock that runs only when it is told to. */
export class TestClock {
  boot = 'boot 1';
  ms = 1_000_000;

  monotonic(): number {
    return this.ms;
  }
}

/** A ledger in a folder of its own, with a clock in hand. */
export class SqliteBench implements StoreBench {
  readonly root: string;
  readonly folder: string;
  readonly clock = new TestClock();
  readonly #driver: DriverName | undefined;
  readonly #stores: SqliteStore[] = [];

  constructor(driver?: DriverName, root = mkdtempSync(join(tmpdir(), 'signalbox-store-'))) {
    this.root = root;
    this.folder = join(root, '.signalbox');
    this.#driver = driver;
  }

  async open(options: Partial<SqliteOptions> = {}): Promise<SqliteStore> {
    const { folder, clock } = this;
    const driver = this.#driver === undefined ? {} : { driver: this.#driver };
    const store = await openSqliteStore({
      folder,
      settings: DEFAULTS,
      recovery: fileRecovery(this.root),
      clock,
      ...driver,
      ...options,
    });
    this.#stores.push(store);
    return store;
  }

  pass(ms: number): void {
    this.clock.ms += ms;
  }

  async verify(): Promise<string[]> {
    const store = await this.open();
    return store.verify();
  }

  /** Writes to the tables as no server would. */
  tamper(sql: string): void {
    const driver = openDriver(join(this.folder, DATABASE), this.#driver);
    try {
      driver.exec(sql);
    } finally {
      driver.close();
    }
  }

  async dispose(): Promise<void> {
    for (const store of this.#stores) await store.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}
