import { declare } from '../../src/coordinator/declare.js';
import type { Bench } from './bench.js';
import { percentile, timed } from './measure.js';
import { callerOf, connect, granted } from './pair.js';
import { atMost, exactly } from './table.js';

const SCOPES = 10_000;
/** Scopes in one chain, each of which consumes the one before. */
const CHAIN = 5;
const PICKED = 400;
const DRAINED = 2_000;
const PROCESSES = 16;

/** The next open scope among very many, and among many that are held, and a crowd that drains a plan together. */
export const pickup: Bench = {
  name: 'pickup',
  async run(stage) {
    const ours = await stage.inProcess(stage.folder());
    await connect(ours, 'bench');
    granted(await declare(ours.parts, callerOf('planner'), 'open_scope', plan(SCOPES)));
    const { coordinator } = ours;
    const samples = await timed(PICKED, async () => {
      const { scope } = granted(await coordinator.claim(callerOf('bench'), { phase: 'build' }));
      granted(await coordinator.publish(callerOf('bench'), { scope, summary: 'done' }));
    });
    const picks = await timed(PICKED, async () => {
      granted(await coordinator.claim(callerOf('bench'), { phase: 'build' }));
    });
    const barred = await pickedBeside(stage);
    const { done, least, most } = await drained(stage);
    return [
      atMost(5, { name: 'pick-up among 10,000 scopes, p99', unit: 'ms', ours: percentile(picks, 99) }),
      atMost(5, {
        name: 'pick-up of the last of them, the others held, p99',
        unit: 'ms',
        ours: percentile(barred, 99),
      }),
      atMost(10, { name: 'pick-up and publication there, p99', unit: 'ms', ours: percentile(samples, 99) }),
      exactly(DRAINED, { name: '2,000 scopes drained by 16 processes, each once', unit: '', ours: done }),
      {
        name: 'scopes of the one that got the fewest; the most',
        unit: '',
        ours: least,
        theirs: most,
        ratio: least / most,
        bound: '> 0',
        met: least > 0,
      },
    ];
  },
};

function plan(scopes: number) {
  return Array.from({ length: scopes }, (_, at) => ({
    key: `k${at}`,
    title: `Step ${at}`,
    units: [`src/${at % 100}/${at}.ts`],
    consumes: at % CHAIN === 0 ? [] : [`k${at - 1}`],
    priority: at % 3,
  }));
}

/** Picks up the one scope whose unit is free, again and again: those before it lie beneath a folder that is held. */
async function pickedBeside(stage: Stage): Promise<number[]> {
  const ours = await stage.inProcess(stage.folder());
  await connect(ours, 'bench');
  await connect(ours, 'holder');
  const scopes = plan(SCOPES).map(({ consumes: _, ...scope }) => scope);
  const last = { title: 'The last', units: ['lib/last.ts'], priority: -1 };
  granted(await declare(ours.parts, callerOf('planner'), 'open_scope', [...scopes.slice(1), last]));
  const { coordinator } = ours;
  granted(await coordinator.claim(callerOf('holder'), { units: ['src/'] }));
  const samples: number[] = [];
  for (let at = 0; at < PICKED; at++) {
    const [sample = 0] = await timed(1, async () => {
      granted(await coordinator.claim(callerOf('bench'), { phase: 'build' }));
    });
    samples.push(sample);
    granted(await coordinator.release(callerOf('bench'), {}));
  }
  return samples;
}

type Stage = Parameters<Bench['run']>[0];

/** Processes with a store each take what is next until nothing is open. */
async function drained(stage: Stage): Promise<{ done: number; least: number; most: number }> {
  const root = stage.folder({ 'signalbox.yaml': 'publish:\n  commit: none\n' });
  const planner = await stage.inProcess(root);
  granted(await declare(planner.parts, callerOf('planner'), 'open_scope', plan(DRAINED)));
  const helpers = Array.from({ length: PROCESSES }, (_, at) => stage.helper('drain.js', root, `agent-${at}`));
  await Promise.all(helpers.map((helper) => helper.next()));
  for (const helper of helpers) helper.send('begin');
  const counts = (await Promise.all(helpers.map((helper) => helper.next()))).map((said) => String(said).split(' '));
  const ids = counts.flat().filter((id) => id !== '');
  const sizes = counts.map((each) => each.filter((id) => id !== '').length);
  if (new Set(ids).size !== ids.length) throw new Error('a scope was done twice');
  return { done: ids.length, least: Math.min(...sizes), most: Math.max(...sizes) };
}
