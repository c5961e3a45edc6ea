import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Assembled } from '../../src/cli/assemble.js';
import { scopeId } from '../../src/domain/handle.js';
import { DEFAULTS } from '../../src/domain/settings.js';
import { canonical, link } from '../../src/store/sqlite/chain.js';
import { openSqliteStore } from '../../src/store/sqlite/open.js';
import { DATABASE } from '../../src/store/sqlite/options.js';
import { callerOf, granted } from './pair.js';
import type { Stage } from './stage.js';

type Row = { readonly [column: string]: unknown };

/** Files that the past has changed again and again. */
const FILES = 1_000;
const AUTHOR = { agent: 'past', connection: 'past' };
const CONTENT = createHash('sha256').update('past').digest('hex');
const NO_RECOVERY = { undo: () => [], redo: () => [] };

/**
 * A workspace with at least `count` events behind it: scopes that were claimed, changed a file and were published.
 * The first goes through the store; the others are copies of its rows, chained as the store would have done it.
 */
export async function workspaceWithPast(stage: Stage, count: number): Promise<string> {
  const root = stage.folder();
  const first = await stage.inProcess(root);
  await firstScope(first);
  await first.coordinator.close();
  copy(join(root, '.signalbox', DATABASE), count);
  return root;
}

/** Whether copied rows are what the store itself would fold from the events: tried on a past short enough for that. */
export async function provePast(stage: Stage): Promise<void> {
  const root = await workspaceWithPast(stage, FILES * 5);
  const folder = join(root, '.signalbox');
  const store = await openSqliteStore({ folder, settings: DEFAULTS, recovery: NO_RECOVERY });
  const differences = await store.verify();
  await store.close();
  if (differences.length > 0) throw new Error(`the copied past is wrong:\n${differences.slice(0, 5).join('\n')}`);
}

async function firstScope({ coordinator, parts }: Assembled): Promise<void> {
  const { scope, id, generation } = granted(await coordinator.claim(callerOf('past'), { units: [pathOf(1)] }));
  await parts.store.transact(AUTHOR, {}, () => {
    const files = [{ path: pathOf(1), before: null, after: CONTENT, mode: 0o644 }];
    return { events: [{ type: 'files.changed', scope: id, cause: 'patch', generation, files }], answer: undefined };
  });
  granted(await coordinator.publish(callerOf('past'), { scope, summary: 'Done' }));
}

function copy(path: string, count: number): void {
  const database = new Database(path);
  try {
    database.pragma('synchronous = OFF');
    database.transaction(() => copyRows(database, count))();
    database.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

function copyRows(database: Database.Database, count: number): void {
  const rows = (table: string): Row[] => database.prepare<[], Row>(`SELECT * FROM ${table}`).all();
  const [events, scopes, changes, files] = [rows('events'), rows('scopes'), rows('changes'), rows('files')];
  const insert = {
    event: inserter(database, 'events', events),
    scope: inserter(database, 'scopes', scopes),
    change: inserter(database, 'changes', changes),
    file: inserter(database, 'files', files),
  };
  let seq = events.length;
  let hash = String(events.at(-1)?.hash);
  let number = 1;
  while (seq < count) {
    number++;
    const renamed = { scope: scopeId(number), path: pathOf(number), before: number > FILES ? CONTENT : null };
    for (const event of events) {
      const body = canonical(renamedBody(event, renamed, number));
      const maker = { seq: ++seq, at: Number(event.at), wall: Number(event.wall), ...AUTHOR };
      hash = link(hash, maker, body);
      insert.event({ ...event, ...maker, scope: renamed.scope, body, hash });
      if (event.type !== 'files.changed') continue;
      insert.change({ ...changes[0], ...renamed, seq });
      insert.file({ ...files[0], scope: renamed.scope, path: renamed.path, seq });
    }
    const units = JSON.stringify([renamed.path]);
    insert.scope({
      ...scopes[0],
      number,
      published: seq,
      id: renamed.scope,
      title: renamed.path,
      units,
      generation: number,
    });
  }
  database.prepare('UPDATE ledger SET seq = ?, hash = ?, generation = ?, scopes = ?').run(seq, hash, number, number);
}

function renamedBody(
  event: Row,
  { scope, path, before }: { scope: string; path: string; before: string | null },
  number: number,
): object {
  const body = JSON.parse(String(event.body));
  body.scope = scope;
  if ('generation' in body) body.generation = number;
  if ('units' in body) body.units = [path];
  if ('contract' in body) body.contract = { ...body.contract, title: path, units: [path] };
  if ('files' in body) body.files = [{ ...body.files[0], path, before }];
  return body;
}

function inserter(database: Database.Database, table: string, [like]: readonly Row[]): (row: Row) => void {
  const columns = Object.keys(like ?? {});
  const places = columns.map((column) => `@${column}`).join(', ');
  const statement = database.prepare(`INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${places})`);
  return (row) => void statement.run(row);
}

function pathOf(number: number): string {
  return `src/file${number % FILES}.ts`;
}
