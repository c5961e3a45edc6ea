import type { Settings } from '../../domain/settings.js';
import type { Recovery } from '../store.js';
import type { Clock } from './clock.js';
import type { DriverName } from './driver.js';

/** How long to try for the write lock, in milliseconds, where nothing else is said. */
export const PATIENCE = 10_000;
/** Settled intents are dropped together, after so many milliseconds at the most. */
export const DROP_AFTER = 1_000;
/** The name of the database in the store's folder. */
export const DATABASE = 'signalbox.db';

export interface SqliteOptions {
  /** The folder of the store, `.signalbox/` in the workspace's root; it is made where it is missing. */
  readonly folder: string;
  readonly settings: Settings;
  /** Brings the settings up to date, before each transaction; undefined where they are. */
  readonly refresh?: () => Promise<void> | undefined;
  readonly recovery: Recovery;
  readonly clock?: Clock;
  /** Wall time in milliseconds. */
  readonly wall?: () => number;
  /** Names this server's bell. */
  readonly serverId?: string;
  /** How long to try for the write lock, in milliseconds, before `StoreBusy`. */
  readonly patience?: number;
  readonly driver?: DriverName;
}
