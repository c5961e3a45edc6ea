import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Bench } from './bench.js';
import { inTurns, medians, timed } from './measure.js';
import { claimAndRelease, connect } from './pair.js';
import { ratioAtLeast } from './table.js';

const ROUNDS = 20;
const PAIRS = 25;

const TABLES = `
CREATE TABLE events (seq INTEGER PRIMARY KEY, at INTEGER, type TEXT, scope TEXT, agent TEXT, body TEXT, hash TEXT);
CREATE TABLE locks (unit TEXT PRIMARY KEY, scope TEXT, mode TEXT, generation INTEGER);
`;

/** Claim and release, two commits, against the fastest that SQLite could do: an event and a lock per commit, no rules. */
export const commits: Bench = {
  name: 'commits',
  async run(stage) {
    const ours = await stage.inProcess(stage.folder());
    await connect(ours, 'bench');
    const bare = bareLoop(join(stage.folder(), 'bare.db'));
    try {
      const samples = await inTurns(ROUNDS, [
        () => timed(PAIRS, () => claimAndRelease(ours, 'bench', 'src/a.ts')),
        () => timed(PAIRS, bare.pair),
      ]);
      const [pair = 0, barePair = 0] = medians(samples);
      const figures = { ours: 2000 / pair, theirs: 2000 / barePair };
      return [ratioAtLeast(0.5, { name: 'claim + release, against a bare loop', unit: 'commits/s', ...figures })];
    } finally {
      bare.close();
    }
  },
};

function bareLoop(path: string): { pair(): void; close(): void } {
  const database = new Database(path);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(TABLES);
  const event = database.prepare('INSERT INTO events (at, type, scope, agent, body, hash) VALUES (?, ?, ?, ?, ?, ?)');
  const lock = database.prepare('INSERT INTO locks VALUES (?, ?, ?, ?)');
  const unlock = database.prepare('DELETE FROM locks WHERE unit = ?');
  const body = JSON.stringify({
    type: 'scope.granted',
    scope: 'S001',
    units: ['src/a.ts'],
    mode: 'write',
    generation: 1,
  });
  const hash = randomBytes(32).toString('hex');
  const claim = database.transaction(() => {
    event.run(Date.now(), 'scope.granted', 'S001', 'bench', body, hash);
    lock.run('src/a.ts', 'S001', 'write', 1);
  });
  const release = database.transaction(() => {
    event.run(Date.now(), 'scope.released', 'S001', 'bench', body, hash);
    unlock.run('src/a.ts');
  });
  return {
    pair() {
      claim.immediate();
      release.immediate();
    },
    close: () => void database.close(),
  };
}
