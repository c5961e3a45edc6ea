import { join } from 'node:path';
import type { Clock } from './clock.js';
import { Contents } from './contents.js';
import type { Driver } from './driver.js';
import { Guard } from './folder.js';
import { Intents } from './intents.js';
import { Journal } from './journal.js';
import { Ledger } from './ledger.js';
import { LifeTable } from './life.js';
import { Loader } from './load.js';
import { Looks } from './look.js';
import { DATABASE, type SqliteOptions } from './options.js';
import { Queries } from './queries.js';
import { Settling } from './recovery.js';

/** What a store is made of, over one connection. */
export interface Rooms {
  readonly guard: Guard;
  readonly contents: Contents;
  readonly intents: Intents;
  readonly ledger: Ledger;
  readonly life: LifeTable;
  readonly looks: Looks;
  readonly settling: Settling;
  readonly queries: Queries;
}

export function openRooms(driver: Driver, clock: Clock, wall: () => number, options: SqliteOptions): Rooms {
  const { folder, settings, recovery } = options;
  const contents = new Contents(driver, folder, wall);
  const intents = new Intents(driver);
  const loader = new Loader(driver);
  const ledger = new Ledger(driver, loader, clock, settings);
  const life = new LifeTable(driver);
  const journal = new Journal(folder);
  const end = () => ledger.end();
  return {
    guard: new Guard(join(folder, DATABASE)),
    contents,
    intents,
    ledger,
    life,
    looks: new Looks(driver, loader, life, settings),
    settling: new Settling({ intents, contents, journal, recovery, boot: clock.boot, end }),
    queries: new Queries(driver),
  };
}
