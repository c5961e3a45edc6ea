import { join } from 'node:path';
import { openDriver } from './driver.js';
import { prepareFolder } from './folder.js';
import { forgetEffects } from './journal.js';
import { DATABASE, PATIENCE, type SqliteOptions } from './options.js';
import { configure, migrate } from './schema.js';
import { SqliteStore } from './sqlite-store.js';
import { whenFree } from './write-lock.js';

/** Opens the ledger of a workspace. Throws `StoreBroken` where it cannot be used and `StoreBusy` where it stays locked. */
export async function openSqliteStore(options: SqliteOptions): Promise<SqliteStore> {
  prepareFolder(options.folder);
  const until = performance.now() + (options.patience ?? PATIENCE);
  const driver = await whenFree(() => openDriver(join(options.folder, DATABASE), options.driver), until);
  try {
    await whenFree(() => configure(driver), until);
    await whenFree(() => migrate(driver, () => forgetEffects(options.folder)), until);
    const store = new SqliteStore(driver, options);
    await store.recover();
    return store;
  } catch (error) {
    driver.close();
    throw error;
  }
}
