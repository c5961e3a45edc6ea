import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { DEFAULTS } from '../../src/domain/settings.js';
import { openSqliteStore } from '../../src/store/sqlite/open.js';

/** A repository in a temporary folder, as a user has one. */
export interface TestWorkspace {
  readonly root: string;
  write(path: string, text: string): void;
  text(path: string): string;
  git(...args: string[]): string;
  /** Replays the ledger and compares it with the tables; run after every test as well. */
  verify(): Promise<void>;
}

/** Makes a repository with these files committed. It goes, and its ledger is verified, when the test is over. */
export function newWorkspace(files: { readonly [path: string]: string } = {}): TestWorkspace {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-test-'));
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
    verify: () => verify(root),
  };
}

const NO_RECOVERY = { undo: () => [], redo: () => [] };

async function verify(root: string): Promise<void> {
  const store = await openSqliteStore({ folder: join(root, '.signalbox'), settings: DEFAULTS, recovery: NO_RECOVERY });
  try {
    const differences = await store.verify();
    if (differences.length > 0) throw new Error(`the ledger and the tables differ:\n${differences.join('\n')}`);
  } finally {
    await store.close();
  }
}
