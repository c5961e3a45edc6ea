import type { Driver } from './driver.js';

/** How long the write lock is left to others between two steps of a long work, in milliseconds. */
export const PAUSE = 20;

/** The database, as much of it as is needed here. */
export interface Access {
  readonly driver: Driver;
  /** The store's folder. */
  readonly folder: string;
  /** Wall time in milliseconds. */
  readonly wall: () => number;
  readonly read: <T>(work: () => T) => Promise<T>;
  readonly write: <T>(work: () => T) => Promise<T>;
  readonly isOpen: () => boolean;
}
