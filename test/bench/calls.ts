import { setTimeout } from 'node:timers/promises';
import type { Bench } from './bench.js';
import { inTurns, medians, timed } from './measure.js';
import { ratioAtMost } from './table.js';

const LINES = 200;
const ROUNDS = 12;
const CALLS = 20;
/** Ours syncs its files half a second behind the answer: that must not fall on the other one's turn. */
const REST = 800;
/** Calls of each kind before anything is measured, so that both servers are as fast as they get. */
const WARM_UP = 200;

const PATH = 'src/page.ts';
const FORMER = `export const value100 = 'former';`;
const LATTER = `export const value100 = 'latter';`;

function page(): string {
  const lines = Array.from({ length: LINES }, (_, at) =>
    at === 100 ? FORMER : `export const value${at} = 'of line ${at}';`,
  );
  return `${lines.join('\n')}\n`;
}

/** One edit and one read of a file of 200 lines, over stdio, against the reference filesystem server. */
export const calls: Bench = {
  name: 'calls',
  async run(stage) {
    // Files of their own, or each edit of theirs would be an edit made around ours.
    const [root, other] = [stage.folder({ [PATH]: page() }), stage.folder({ [PATH]: page() })];
    const [ours, theirs] = [await stage.ours(root), await stage.theirs(other)];
    const { scope } = await ours.call('claim_scope', { title: 'Edit the page', units: [PATH] });
    const path = `${other}/${PATH}`;
    const patch = (from: string, to: string) =>
      ours.call('patch', { scope, edits: [{ path: PATH, old_string: from, new_string: to }] });
    const edit = (from: string, to: string) =>
      theirs.call('edit_file', { path, edits: [{ oldText: from, newText: to }] });
    const [patched = 0, edited = 0] = await compared(REST, alternating(patch), alternating(edit));
    const read = () => ours.call('read', { paths: [PATH] });
    const readText = () => theirs.call('read_text_file', { path });
    const [ourRead = 0, theirRead = 0] = await compared(0, read, readText);
    return [
      ratioAtMost(1, { name: 'patch over stdio, against edit_file', unit: 'ms', ours: patched, theirs: edited }),
      ratioAtMost(1, { name: 'read over stdio, against read_text_file', unit: 'ms', ours: ourRead, theirs: theirRead }),
    ];
  },
};

function alternating(edit: (from: string, to: string) => Promise<unknown>) {
  return (at: number) => (at % 2 === 0 ? edit(FORMER, LATTER) : edit(LATTER, FORMER));
}

/** → the medians of two calls, in milliseconds, with a rest of so many after each turn. */
async function compared(rest: number, ...both: readonly ((at: number) => Promise<unknown>)[]): Promise<number[]> {
  for (const call of both) await timed(WARM_UP, call);
  const turns = both.map((call) => async () => {
    await setTimeout(rest);
    return timed(CALLS, call);
  });
  await setTimeout(rest);
  return medians(await inTurns(ROUNDS, turns));
}
