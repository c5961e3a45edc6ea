import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Event } from '../../src/domain/event.js';
import { DEFAULTS } from '../../src/domain/settings.js';
import { openSqliteStore } from '../../src/store/sqlite/open.js';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.js';

/** A repository in a temporary folder, as a user has one. */
export interface TestWorkspace {
  readonly root: string;
  write(path: string, text: string): void;
  text(path: string): string;
  git(...args: string[]): string;
  /** The ledger, to look at. */
  store(): Promise<SqliteStore>;
  /** All events so far. */
  events(): Promise<Event[]>;
  /** Replays the ledger and compares it with the tables; run after every test as well. */
  verify(): Promise<void>;
}

/** Makes a repository with these files committed. It goes, and its ledger is verified, when the test is over. */
export function newWorkspace(files: { readonly [path: string]: string } = {}, folder = tmpdir()): TestWorkspace {
  const root = mkdtempSync(join(folder, 'signalbox-test-'));
  const workspace = workspaceAt(root);
  workspace.git('init', '--quiet', '--initial-branch=main');
  workspace.git('config', 'user.name', 'Tester');
  workspace.git('config', 'user.email', 'tester@example.org');
  for (const [path, text] of Object.entries(files)) workspace.write(path, text);
  workspace.git('add', '--all');
  workspace.git('commit', '--quiet', '--allow-empty', '--message', 'Begin');
  onTestFinished(async () => {
    try {
      await workspace.verify();
    } finally {
      rmSync(root, { recursive: true, force: true, maxRetries: 3 });
    }
  });
  return workspace;
}

function workspaceAt(root: string): TestWorkspace {
  return {
    root,
    write(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    text: (path) => readFileSync(join(root, path), 'utf8'),
    git: (...args) =>
      execFileSync('git', args, {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
      }),
    store: async () => {
      const store = await openStore(root);
      onTestFinished(() => store.close());
      return store;
    },
    events: () => withStore(root, (store) => store.events({ after: 0, limit: 1_000_000 })),
    verify: () => verify(root),
  };
}

async function verify(root: string): Promise<void> {
  const differences = await withStore(root, (store) => store.verify());
  if (differences.length > 0) throw new Error(`the ledger and the tables differ:\n${differences.join('\n')}`);
}

async function withStore<T>(root: string, look: (store: SqliteStore) => Promise<T>): Promise<T> {
  const store = await openStore(root);
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

/** Only to look: what a killed server left half-done is left to the servers under test. */
function openStore(root: string): Promise<SqliteStore> {
  const recovery = { undo: onlyToLook, redo: onlyToLook };
  return openSqliteStore({ folder: join(root, '.signalbox'), settings: DEFAULTS, recovery });
}

function onlyToLook(): never {
  throw new Error('a test only looks at the ledger');
}
