import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Event } from '../../domain/event.js';
import { DEFAULTS } from '../../domain/settings.js';
import { openSqliteStore } from '../../store/sqlite/open.js';
import type { SqliteStore } from '../../store/sqlite/sqlite-store.js';
import { openWorkspace, recovery } from '../../workspace/files/open.js';
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
import { type History, readHistory } from './history.js';
import { Live } from './live.js';
import { NAMES } from './messages.js';
import { Narrator, painted, shown } from './narrator.js';
import { endChild, type Served, serve } from './processes.js';
import { filesOf, git, LEASE, withoutGit } from './shop.js';
import { type Remarked, type Seat, Troupe } from './troupe.js';

/** The story takes some ten seconds; one that is stuck is not waited for. In milliseconds. */
const LIMIT = 90_000;

/** What the demo knows when the agents are done. */
export interface Outcome {
  readonly history: History;
  readonly remarks: readonly Remarked[];
  readonly seats: readonly Seat[];
  readonly checks: readonly Check[];
  /** What went differently than scripted. */
  readonly failure: string | undefined;
}

export interface Stage {
  readonly root: string;
  /** When the demo began, in milliseconds of wall time. */
  readonly began: number;
  readonly say: (line: string) => void;
  /** Aborted when a person ends the demo. */
  readonly signal: AbortSignal;
}

/** Lets the four agents play in the workspace, ends all processes, and then checks what is left. */
export async function playStory(stage: Stage): Promise<Outcome> {
  const initial = filesOf(stage.root);
  const store = await openStore(stage.root);
  try {
    const remarks: Remarked[] = [];
    const played = await play(stage, store, remarks);
    const history = await readHistory(store);
    return { ...played, history, remarks, checks: await check(stage, store, history, initial) };
  } finally {
    await store.close();
  }
}

async function openStore(root: string): Promise<SqliteStore> {
  const files = { unprotect: [] };
  const workspace = await openWorkspace({ root, settings: files });
  return openSqliteStore({
    folder: join(root, '.signalbox'),
    settings: DEFAULTS,
    recovery: recovery(workspace, files),
  });
}

async function play(
  stage: Stage,
  store: SqliteStore,
  remarks: Remarked[],
): Promise<Pick<Outcome, 'seats' | 'failure'>> {
  const { root, signal, say, began } = stage;
  const narrator = new Narrator();
  const over = new AbortController();
  const live = new Live(store, (event, next) => {
    const line = narrator.tell(event, next);
    if (line !== undefined) say(shown(line, began));
    postFacts(event, troupe);
  });
  const troupe = new Troupe(root, (remarked) => {
    remarks.push(remarked);
    live.afterwards(() => say(remarkLine(remarked)));
  });
  let served: Served | undefined;
  const following = live.follow(over.signal);
  try {
    served = await serve(root, signal);
    troupe.start(root, served);
    void killCleo(stage, troupe, live);
    return { failure: await failureOf([troupe.played, following], signal), seats: troupe.seats };
  } finally {
    await Promise.all([troupe.close(), served === undefined ? undefined : endChild(served.child)]);
    over.abort();
    await following;
  }
}

function remarkLine({ agent, remark }: Remarked): string {
  return `${' '.repeat(9)}${painted(agent)} ${remark.text}`;
}

/** Waits for the end of the story. Resolves with what went differently; rejects where a person ended it. */
async function failureOf(parts: readonly Promise<void>[], interrupted: AbortSignal): Promise<string | undefined> {
  const done = new AbortController();
  const stuck = setTimeout(LIMIT, `The story is stuck: it was not over after ${LIMIT / 1000} s.`, {
    signal: done.signal,
  });
  const ended = Promise.race(parts).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const stopped = once(interrupted, 'abort', { signal: done.signal }).then(() => Promise.reject(interrupted.reason));
  try {
    interrupted.throwIfAborted();
    return await Promise.race([ended, stuck, stopped]);
  } finally {
    done.abort();
    await Promise.allSettled([stuck, stopped]);
  }
}

async function killCleo({ say, began }: Stage, troupe: Troupe, live: Live): Promise<void> {
  await troupe.board.hear('cleo is half-way');
  const text = `is killed half-way (SIGKILL). Her lease runs out in ${LEASE} s here (lease_seconds in signalbox.yaml; a minute by default)`;
  const wall = Date.now();
  live.afterwards(() => say(shown({ agent: 'cleo', text, wall }, began)));
  await troupe.kill('cleo');
}

function postFacts({ body }: Event, troupe: Troupe): void {
  if (body.type === 'scope.queued') {
    const name = NAMES.find((name) => name === body.owner.agent);
    if (name !== undefined && name !== 'ada') troupe.post(`${name} waits`, body.scope);
  }
  if (body.type === 'scope.expired' && body.from === 'cleo') troupe.post('cleo is lost', body.scope);
}

/** Recomputes from the ledger, the files and git whether anything was lost. */
async function check({ root, signal }: Stage, store: SqliteStore, history: History, initial: Files): Promise<Check[]> {
  const final = filesOf(root);
  return [
    nobodyHeldTheSame(history),
    everyChangeFollows(history, initial),
    replayGivesTheFiles(history, initial, final),
    everyLineIsThere(history, final),
    commitsAreTheScopes(history, commitsOf(root), git(root, 'status', '--porcelain')),
    ledgerIsWhole(history, await store.verify()),
    testsPass(
      await runTests(
        root,
        [...final.keys()].filter((path) => path.startsWith('test/')),
        signal,
      ),
    ),
  ];
}

/** All commits but the first, which is the example itself. */
function commitsOf(root: string): Commit[] {
  const hashes = git(root, 'rev-list', '--min-parents=1', 'HEAD')
    .split('\n')
    .filter((hash) => hash !== '');
  return hashes.map((hash) => ({
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
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', ...files], {
    cwd: root,
    env,
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = await once(child, 'close');
  return { exit: typeof code === 'number' ? code : 1, output };
}
