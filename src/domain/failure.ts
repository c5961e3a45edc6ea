import type { RunEnding } from './event.js';
import type { Occasion } from './raise.js';
import type { ScopeId } from './scope.js';

/** How much of the end of its output stands in the note. */
const TAIL = 2_000;

/** A command that has ended, and of what kind it was. */
export interface EndedCommand {
  readonly run: string;
  readonly process: string;
  readonly command: string;
  readonly ending: RunEnding;
  readonly exit: number | null;
  /** The end of what it printed. */
  readonly output: string;
  /** The scope that it ran for. */
  readonly scope?: ScopeId;
}

/** Whether a command has failed by itself: not where somebody stopped it, or its lease was lost. */
export function hasFailed({ ending, exit }: Pick<EndedCommand, 'ending' | 'exit'>): boolean {
  return (ending === 'exited' && exit !== 0) || ending === 'timed_out';
}

/** Work for whoever mends what a command found. Runs of the same command have the same cause. */
export function failureOf({ run, process, command, ending, exit, output, scope }: EndedCommand): Occasion {
  const how = ending === 'timed_out' ? 'timed out' : `failed with exit code ${exit}`;
  return {
    cause: `failure:${process}:${command}`,
    title: `${command} ${how}`,
    note: `Found by ${run}${scope === undefined ? '' : ` of ${scope}`}. The end of its output:\n${output.slice(-TAIL)}`,
    phase: 'iterate',
    units: [],
    ...(scope === undefined ? {} : { parent: scope }),
  };
}
