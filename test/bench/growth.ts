import { join } from 'node:path';
import type { Assembled } from '../../src/cli/assemble.js';
import { claim } from '../../src/domain/claim.js';
import { draft } from '../../src/domain/draft.js';
import { DEFAULTS } from '../../src/domain/settings.js';
import { openSqliteStore } from '../../src/store/sqlite/open.js';
import type { Bench } from './bench.js';
import { provePast, workspaceWithPast } from './history.js';
import { inTurns, medians, timed } from './measure.js';
import { claimAndRelease, connect, granted } from './pair.js';
import type { Stage } from './stage.js';
import { type Row, ratioAtMost } from './table.js';

const EVENTS = 1_000_000;
const MANY_LOCKS = 10_000;
const FEW_LOCKS = 10;
const FOLDERS = 10;
/** So many scopes belong to one connection and are claimed with one commit. */
const BATCH = 200;
const CALLER = 'bench';

const PAIRS = 20;
const ROUNDS = 15;
const STARTS = 10;
const OPENINGS = 5;

const NO_RECOVERY = { undo: () => [], redo: () => [] };

/** Whether cost grows with what is held or with what has been: each against few locks and no past. */
export const growth: Bench = {
  name: 'growth',
  async run(stage) {
    await provePast(stage);
    const fresh = await lockedWorkspace(stage, stage.folder(), FEW_LOCKS);
    const crowded = await lockedWorkspace(stage, stage.folder(), MANY_LOCKS);
    const old = await lockedWorkspace(stage, await workspaceWithPast(stage, EVENTS), FEW_LOCKS);
    const pairs = await pairRows(fresh, crowded, old);
    for (const each of [fresh, crowded, old]) await each.coordinator.close();
    return [...pairs, ...(await startRows(stage, fresh.parts.workspace.root, old.parts.workspace.root))];
  },
};

async function pairRows(fresh: Assembled, crowded: Assembled, old: Assembled): Promise<Row[]> {
  const near = (assembled: Assembled) => () =>
    timed(PAIRS, (at) => claimAndRelease(assembled, CALLER, `src/part${at % FOLDERS}/new${at}.ts`));
  const far = (assembled: Assembled) => () =>
    timed(PAIRS, (at) => claimAndRelease(assembled, CALLER, `docs/part${at % FOLDERS}/new${at}.ts`));
  const contestants = [near(fresh), near(crowded), near(old), far(fresh), far(crowded)];
  const [few = 0, nearMany = 0, past = 0, farFew = 0, farMany = 0] = medians(await inTurns(ROUNDS, contestants));
  const figures = { unit: 'ms' };
  return [
    ratioAtMost(1.5, {
      name: 'claim + release, 10,000 locks in the same folders, against 10',
      ...figures,
      ours: nearMany,
      theirs: few,
    }),
    ratioAtMost(1.5, {
      name: 'claim + release, 10,000 locks in other folders, against 10',
      ...figures,
      ours: farMany,
      theirs: farFew,
    }),
    ratioAtMost(1.5, {
      name: 'claim + release, 1,000,000 events behind, against none',
      ...figures,
      ours: past,
      theirs: few,
    }),
  ];
}

async function startRows(stage: Stage, fresh: string, old: string): Promise<Row[]> {
  const opened = (root: string) => () => timed(OPENINGS, () => openAndLook(root));
  const [open = 0, openOld = 0] = medians(await inTurns(STARTS, [opened(fresh), opened(old)]));
  const started = (root: string) => () => timed(1, () => firstCall(stage, root));
  const [first = 0, firstOld = 0] = medians(await inTurns(STARTS, [started(fresh), started(old)]));
  const figures = { unit: 'ms' };
  return [
    ratioAtMost(1.5, {
      name: 'store opened, 1,000,000 events behind, against none',
      ...figures,
      ours: openOld,
      theirs: open,
    }),
    ratioAtMost(1.5, {
      name: 'start to first call, 1,000,000 events behind, against none',
      ...figures,
      ours: firstOld,
      theirs: first,
    }),
  ];
}

async function openAndLook(root: string): Promise<void> {
  const store = await openSqliteStore({ folder: join(root, '.signalbox'), settings: DEFAULTS, recovery: NO_RECOVERY });
  await store.view({}, ({ state }) => state.seq);
  await store.close();
}

async function firstCall(stage: Stage, root: string): Promise<void> {
  const client = await stage.ours(root);
  await client.call('list_scopes', {});
}

async function lockedWorkspace(stage: Stage, root: string, locks: number): Promise<Assembled> {
  const assembled = await stage.inProcess(root);
  await connect(assembled, CALLER);
  for (let at = 0; at < locks; at += BATCH) await hold(assembled, at, Math.min(at + BATCH, locks));
  return assembled;
}

/** Claims one file for each number, as scopes of connections that stay alive. Many to a commit, to be quick. */
async function hold(assembled: Assembled, from: number, to: number): Promise<void> {
  const { store, mint } = assembled.parts;
  const connection = `holder of ${from}`;
  const owner = { connection, agent: connection };
  await connect(assembled, connection);
  const { answer } = await store.transact(owner, {}, (tx) => {
    const decision = draft(tx);
    for (let at = from; at < to; at++) {
      const units = [`src/part${at % FOLDERS}/file${at}.ts`];
      const opening = {
        title: `Hold ${at}`,
        phase: 'build' as const,
        units,
        consumes: [],
        produces: [],
        priority: 0,
        standing: false,
      };
      granted(claim(decision, { owner, mint }, { opening, units, mode: 'write' }));
    }
    return { events: decision.events, answer: { held: to - from }, life: [{ key: connection, touch: 'called' }] };
  });
  granted(answer);
}
