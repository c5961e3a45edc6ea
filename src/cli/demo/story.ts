import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Event } from '../../domain/event.js';
import { DEFAULTS } from '../../domain/settings.js';
import { openSqliteStore } from '../../store/sqlite/open.js';
import type { SqliteStore } from '../../store/sqlite/sqlite-store.js';
import { openWorkspace, recovery } from '../../workspace/files/open.js';
import type { Check } from './checks.js';
import { type History, readHistory } from './history.js';
import { inspect } from './inspect.js';
import { Live } from './live.js';
import { NAMES } from './messages.js';
import { Narrator, remark, shown } from './narrator.js';
import { endChild, type Served, serve } from './processes.js';
import { filesOf, LEASE } from './shop.js';
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
    const checks = await inspect(stage.root, store, history, {
      initial,
      finished: played.failure === undefined,
      signal: stage.signal,
    });
    return { ...played, history, remarks, checks };
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
    live.afterwards(() => say(remark(remarked.agent, remarked.remark.text)));
  });
  let served: Served | undefined;
  const following = live.follow(over.signal);
  // Its failure is the story's, below; here it only must not go unheard.
  const followed = following.catch(() => undefined);
  try {
    served = await serve(root, signal);
    troupe.start(root, served);
    void killCleo(stage, troupe, live);
    return { failure: await failureOf([troupe.played, following], signal), seats: troupe.seats };
  } finally {
    await Promise.all([troupe.close(), served === undefined ? undefined : endChild(served.child)]);
    over.abort();
    await followed;
  }
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
