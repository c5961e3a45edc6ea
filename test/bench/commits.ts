import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { DATABASE } from '../../src/store/sqlite/options.js';
import type { Bench } from './bench.js';
import { inTurns, medians, timed } from './measure.js';
import { claimAndRelease, connect } from './pair.js';
import { ratioAtLeast } from './table.js';

const ROUNDS = 20;
const PAIRS = 25;

/** Claim and release, two commits, against the fastest that SQLite could do: the same event and the same lock, without rules. */
export const commits: Bench = {
  name: 'commits',
  async run(stage) {
    const ours = await stage.inProcess(stage.folder());
    await connect(ours, 'bench');
    const other = await stage.inProcess(stage.folder());
    await other.coordinator.close();
    const bare = bareLoop(join(other.parts.workspace.root, '.signalbox', DATABASE));
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

/** Writes to the tables of a store that nobody else has open. */
function bareLoop(path: string): { pair(): void; close(): void } {
  const database = new Database(path);
  database.pragma('synchronous = FULL');
  const event = database.prepare(
    'INSERT INTO events (at, wall, type, scope, agent, connection, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const lock = database.prepare('INSERT INTO locks (unit, scope, mode, generation) VALUES (?, ?, ?, ?)');
  const unlock = database.prepare('DELETE FROM locks WHERE unit = ?');
  const hash = randomBytes(32).toString('hex');
  const happened = (type: string): void => {
    const body = { type, scope: 'S001', units: ['src/a.ts'], mode: 'write', generation: 1 };
    event.run(1, Date.now(), type, 'S001', 'bench', 'bench', JSON.stringify(body), hash);
  };
  const claim = database.transaction(() => {
    happened('scope.granted');
    lock.run('src/a.ts', 'S001', 'write', 1);
  });
  const release = database.transaction(() => {
    happened('scope.released');
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
