import { rmSync } from 'node:fs';
import { print, printJson } from '../output.js';
import { makeShop } from './shop.js';
import { type Outcome, playStory } from './story.js';
import { attachLines, introduction, summary } from './summary.js';
import { type Facts, type Result, tally } from './tally.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const INTERRUPTED = 130;

export interface DemoOptions {
  /** Prints the result as one JSON document, and nothing else. */
  readonly json: boolean;
  /** Leaves the folder where it is, and says where. */
  readonly keep: boolean;
}

/**
 * `demo`: four scripted agents build something together in a copy of `examples/shop`, and what came of it is checked.
 * Exit code 1 where anything was lost or went differently than scripted, 130 where a person ended it.
 */
export async function demo({ json, keep }: DemoOptions): Promise<void> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  for (const signal of SIGNALS) process.on(signal, interrupt);
  // Whoever read the output is gone, as in `signalbox demo | head`.
  process.stdout.on('error', interrupt);
  let root: string | undefined;
  try {
    root = makeShop();
    const result = await perform(root, { json, keep }, stop.signal);
    json ? printJson(result) : conclude(result);
    process.exitCode = result.ok ? 0 : 1;
  } catch (error) {
    if (!stop.signal.aborted)
      process.stderr.write(`signalbox: the demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = stop.signal.aborted ? INTERRUPTED : 1;
  } finally {
    if (root !== undefined && !keep) rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    for (const signal of SIGNALS) process.off(signal, interrupt);
    process.stdout.off('error', interrupt);
  }
}

async function perform(root: string, { json, keep }: DemoOptions, interrupted: AbortSignal): Promise<Result> {
  const began = Date.now();
  const say = json ? (): void => undefined : print;
  say(introduction(root));
  const outcome = await playStory({ root, began, say, signal: interrupted });
  const facts = tally(outcome.history, outcome.remarks);
  const failures = failuresOf(outcome, facts);
  return {
    ok: failures.length === 0,
    failures,
    took_ms: Date.now() - began,
    agents: outcome.seats,
    ...facts,
    checks: outcome.checks,
    ...(keep ? { folder: root } : {}),
  };
}

function failuresOf({ failure, checks }: Outcome, facts: Facts): string[] {
  const wrong = checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: no: ${detail}`);
  const absent = failure === undefined ? missing(facts) : [];
  return [...(failure === undefined ? [] : [failure]), ...absent, ...wrong];
}

/** What the story is there to show; commands only where they can be contained. */
function missing(facts: Facts): string[] {
  const seen: { readonly [what: string]: boolean } = {
    'agents that wait in a queue': facts.waits.length >= 3,
    'an implicit claim': facts.implicit_claims > 0,
    'a patch that is rebased': facts.rebased.length > 0,
    'a patch of what another holds, refused': (facts.refusals.HELD ?? 0) > 0,
    'a patch of the same lines, refused': (facts.refusals.STALE_BASE ?? 0) > 0,
    "a command's write that is rejected": facts.containment !== 'transactional' || facts.rejected_writes.length > 0,
    'a hand-over': facts.handovers.length > 0,
  };
  return Object.keys(seen)
    .filter((what) => seen[what] !== true)
    .map((what) => `The story should have shown ${what}, and did not.`);
}

function conclude(result: Result): void {
  print(summary(result));
  if (result.folder !== undefined) print(`The folder is kept: ${result.folder}`);
  if (!result.ok) return;
  print('');
  print(attachLines());
}
