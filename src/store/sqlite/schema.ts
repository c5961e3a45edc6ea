import { StoreBroken } from '../store.js';
import type { Driver } from './driver.js';

/**
 * The tables are the current state, for anyone to query; `events` is the history they are projected from.
 * `life`, `intents`, `contents` and lock time (in `ledger`) are not in the history.
 *
 * Every index costs each commit a page or two, and a claim is to cost little more than its sync:
 * so there are few, and what is asked seldom is scanned for.
 */
const TABLES = `
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, wall INTEGER NOT NULL, type TEXT NOT NULL, scope TEXT,
  agent TEXT NOT NULL, connection TEXT NOT NULL, trace TEXT, body TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX events_scope ON events (scope, agent, type);

CREATE TABLE ledger (
  id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL, generation INTEGER NOT NULL,
  scopes INTEGER NOT NULL, runs INTEGER NOT NULL, artifacts INTEGER NOT NULL,
  lock_ms INTEGER NOT NULL, mono_ms REAL NOT NULL, boot TEXT NOT NULL
) STRICT;
INSERT INTO ledger VALUES (1, 0, '', 0, 0, 0, 0, 0, 0, '');

CREATE TABLE scopes (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL, status TEXT NOT NULL, phase TEXT NOT NULL, title TEXT NOT NULL,
  agent TEXT, connection TEXT, priority INTEGER NOT NULL, standing INTEGER NOT NULL,
  units TEXT NOT NULL, consumes TEXT NOT NULL, produces TEXT NOT NULL, pending TEXT NOT NULL,
  note TEXT, conflict TEXT, opened_by TEXT NOT NULL, opened_at INTEGER NOT NULL,
  tenure INTEGER NOT NULL, generation INTEGER NOT NULL, granted_at INTEGER, attempts INTEGER NOT NULL,
  changes INTEGER NOT NULL, handover TEXT, artifacts TEXT NOT NULL, summary TEXT, commit_id TEXT,
  published INTEGER NOT NULL
) STRICT;
CREATE INDEX scopes_live ON scopes (status) WHERE status NOT IN ('done', 'failed', 'cancelled');

CREATE TABLE locks (
  unit TEXT NOT NULL, scope TEXT NOT NULL, mode TEXT NOT NULL, generation INTEGER NOT NULL,
  PRIMARY KEY (scope, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE tickets (
  scope TEXT PRIMARY KEY, units TEXT NOT NULL, mode TEXT NOT NULL, arrival INTEGER NOT NULL,
  since INTEGER NOT NULL, priority INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE files (
  path TEXT PRIMARY KEY, hash TEXT, mode INTEGER NOT NULL, scope TEXT, seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
  seq INTEGER NOT NULL, path TEXT NOT NULL, scope TEXT, before TEXT, after TEXT, mode INTEGER,
  PRIMARY KEY (seq, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX changes_scope ON changes (scope, seq) WHERE scope IS NOT NULL;
CREATE INDEX changes_path ON changes (path, seq);

CREATE TABLE artifacts (
  id TEXT PRIMARY KEY, scope TEXT NOT NULL, type TEXT NOT NULL, path TEXT, hash TEXT NOT NULL, seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX artifacts_hash ON artifacts (hash);

CREATE TABLE runs (
  run TEXT PRIMARY KEY, scope TEXT, agent TEXT NOT NULL, command TEXT NOT NULL, cwd TEXT NOT NULL,
  containment TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER, ending TEXT, exit INTEGER,
  output INTEGER, rejected INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE life (
  key TEXT PRIMARY KEY, seen INTEGER NOT NULL, called INTEGER NOT NULL, ended INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE intents (
  id INTEGER PRIMARY KEY, boot TEXT NOT NULL, at INTEGER NOT NULL, files TEXT, publication TEXT
) STRICT;

CREATE TABLE contents (hash TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, bytes BLOB) STRICT;
`;

/** The whole contract of a scope, notes for its owner, and the run that made an artifact. */
const CONTRACTS = `
ALTER TABLE scopes ADD COLUMN terms TEXT;
ALTER TABLE scopes ADD COLUMN notes TEXT;
ALTER TABLE artifacts ADD COLUMN run TEXT;
UPDATE scopes SET
  terms = CASE WHEN conflict IS NULL THEN NULL ELSE json_object(
    'cause', conflict ->> 'cause',
    'conflict', json_object('between', conflict -> 'between', 'paths', conflict -> 'paths', 'sides', json('[]'))) END,
  produces = (SELECT json_group_array(json_object('path', value, 'type', 'file')) FROM json_each(produces));
ALTER TABLE scopes DROP COLUMN conflict;
`;

/** Where artifacts come from and what superseded them, and scopes by their parent. Few commits write any of these. */
const LINEAGE = `
CREATE TABLE made (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL, scope TEXT NOT NULL, type TEXT NOT NULL, path TEXT, hash TEXT NOT NULL,
  run TEXT, agent TEXT NOT NULL, commit_id TEXT, seq INTEGER NOT NULL
) STRICT;
INSERT INTO made
  SELECT substr(a.id, 2), a.id, a.scope, a.type, a.path, a.hash, a.run, e.agent, e.body ->> 'commit', a.seq
  FROM artifacts a JOIN events e ON e.seq = a.seq;
DROP TABLE artifacts;
ALTER TABLE made RENAME TO artifacts;
CREATE INDEX artifacts_hash ON artifacts (hash);
CREATE INDEX artifacts_scope ON artifacts (scope);
CREATE INDEX artifacts_path ON artifacts (path, type) WHERE path IS NOT NULL;
CREATE INDEX scopes_parent ON scopes (terms ->> 'parent') WHERE terms IS NOT NULL;
`;

/** Runs keep what a restart needs, and what came of them; a scope that was taken from its owner may go on holding its units. */
const RUNS = `
ALTER TABLE scopes ADD COLUMN stopping TEXT;
ALTER TABLE runs ADD COLUMN connection TEXT;
ALTER TABLE runs ADD COLUMN tenure INTEGER;
ALTER TABLE runs ADD COLUMN turn TEXT;
ALTER TABLE runs ADD COLUMN changed INTEGER;
ALTER TABLE runs ADD COLUMN log TEXT;
ALTER TABLE runs ADD COLUMN cut TEXT;
ALTER TABLE runs ADD COLUMN diff TEXT;
UPDATE runs SET
  connection = (SELECT connection FROM events WHERE seq = started),
  changed = (SELECT max(seq) FROM events WHERE type = 'files.changed' AND json_extract(body, '$.run') = run);
CREATE INDEX runs_open ON runs (started) WHERE ended IS NULL;
CREATE INDEX runs_scope ON runs (scope, started) WHERE scope IS NOT NULL;
`;

/** On which working tree a check ran. */
const CHECKS = `
ALTER TABLE runs ADD COLUMN tree TEXT;
CREATE INDEX runs_tree ON runs (tree) WHERE tree IS NOT NULL;
`;

/** A tree stands for a check once it has ended there, and no longer where it only began. */
const CHECKED = 'UPDATE runs SET tree = NULL WHERE tree IS NOT NULL';

/** Who named the agent that owns a scope, where its client did not; and the place in the queue that an active scope has lost. */
const NAMES = `
ALTER TABLE scopes ADD COLUMN named_by TEXT;
ALTER TABLE scopes ADD COLUMN lapsed TEXT;
`;

/** The lease that is in force, in milliseconds; 0 before the first commit that knows of it. */
const LEASE = 'ALTER TABLE ledger ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;';

/** When each content was used last, before its bytes, so that it is found without them; and when what is old was looked for. */
const AGES = `
CREATE TABLE dated (hash TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, at INTEGER NOT NULL, bytes BLOB) STRICT;
INSERT INTO dated SELECT hash, size, unixepoch() * 1000, bytes FROM contents;
DROP TABLE contents;
ALTER TABLE dated RENAME TO contents;
ALTER TABLE ledger ADD COLUMN swept INTEGER NOT NULL DEFAULT 0;
`;

/** What stood after the last event that was cut, and which one that was. */
const CHECKPOINT = `
CREATE TABLE checkpoint (
  id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL, state TEXT NOT NULL
) STRICT;
ALTER TABLE ledger ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;
`;

/** One step for each version; a database of version n has had the first n. Steps are only ever added. */
const MIGRATIONS = [TABLES, CONTRACTS, LINEAGE, RUNS, CHECKS, CHECKED, NAMES, LEASE, AGES, CHECKPOINT];

/** The version of the tables that this Signalbox writes. */
export const SCHEMA = MIGRATIONS.length;

/**
 * Brings the tables up to date. Throws `StoreBroken` where a newer Signalbox wrote them.
 *
 * @param onNew called under the write lock where the database is new.
 */
export function migrate(driver: Driver, onNew: () => void = () => undefined): void {
  if (versionOf(driver) === SCHEMA) return;
  driver.exec('BEGIN IMMEDIATE');
  try {
    const version = versionOf(driver);
    if (version > SCHEMA) {
      throw new StoreBroken(
        `the database was written by a newer Signalbox (schema ${version}; this one knows ${SCHEMA}): upgrade Signalbox`,
      );
    }
    if (version === 0) onNew();
    for (const step of MIGRATIONS.slice(version)) driver.exec(step);
    driver.exec(`PRAGMA user_version = ${SCHEMA}`);
    driver.exec('COMMIT');
  } catch (error) {
    rollBack(driver);
    throw error;
  }
}

/** Settings of a connection. Throws `StoreBroken` where the disk does not bear the write-ahead log. */
export function configure(driver: Driver): void {
  const mode = driver.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
  if (mode !== 'wal')
    throw new StoreBroken(`the disk does not bear SQLite's write-ahead log (journal mode ${String(mode)})`);
  // FULL: without it a power cut can take acknowledged commits, and the generation would go backwards.
  driver.exec('PRAGMA synchronous = FULL');
  driver.exec('PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF');
  if (process.platform === 'darwin') driver.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON');
}

/** Ends the transaction, also where SQLite has already ended it by itself (disk full, I/O error). */
export function rollBack(driver: Driver): void {
  try {
    driver.rollback();
  } catch {
    // No transaction is open any more. If one were, the next BEGIN would fail and say so.
  }
}

function versionOf(driver: Driver): number {
  return Number(driver.prepare('PRAGMA user_version').get()?.user_version);
}
