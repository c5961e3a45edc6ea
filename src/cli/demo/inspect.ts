import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SqliteStore } from '../../store/sqlite/sqlite-store.js';
import {
  type Check,
  type Commit,
  commitsAreTheScopes,
  everyChangeFollows,
  everyLineIsThere,
  type Files,
  ledgerIsWhole,
  nobodyHeldTheSame,
  replayGivesTheFiles,
  testsPass,
} from './checks.js';
import type { History } from './history.js';
import { filesOf, git, withoutGit } from './shop.js';

export interface Inspected {
  /** The files before the first agent came. */
  readonly initial: Files;
  /** Whether the story came to its end: only then is everything published. */
  readonly finished: boolean;
  readonly signal: AbortSignal;
}

/** Recomputes from the ledger, the files and git whether anything was lost. */
export async function inspect(
  root: string,
  store: SqliteStore,
  history: History,
  { initial, finished, signal }: Inspected,
): Promise<Check[]> {
  const final = filesOf(root);
  const tests = [...final.keys()].filter((path) => path.startsWith('test/'));
  return [
    nobodyHeldTheSame(history),
    everyChangeFollows(history, initial),
    replayGivesTheFiles(history, initial, final),
    everyLineIsThere(history, final),
    commitsAreTheScopes(history, commitsOf(root), finished ? git(root, 'status', '--porcelain') : ''),
    ledgerIsWhole(history, await store.verify()),
    testsPass(await runTests(root, tests, signal)),
  ];
}

/** All commits but the first, which is the example itself. */
function commitsOf(root: string): Commit[] {
  const hashes = git(root, 'rev-list', '--min-parents=1', 'HEAD').split('\n');
  return hashes
    .filter((hash) => hash !== '')
    .map((hash) => ({
      hash,
      scope: git(root, 'show', '--no-patch', '--format=%(trailers:key=Scope,valueonly)', hash).trim(),
      paths: git(root, 'show', '--format=', '--name-only', hash).trim().split('\n').sort(),
    }));
}

async function runTests(
  root: string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<{ exit: number; output: string }> {
  // Inside a test runner, node --test would report to that one instead of printing.
  const { NODE_TEST_CONTEXT: _, ...env } = withoutGit(process.env);
  const args = ['--test', '--test-reporter=tap', ...files];
  const child = spawn(process.execPath, args, { cwd: root, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  return { exit: typeof code === 'number' ? code : 1, output };
}
