import type { RunEnding } from '../domain/event.js';
import type { Recorder } from './output.js';
import { readForLog, readOutput } from './pages.js';
import type { Begun } from './records.js';
import type { Ended, Run, RunSpec } from './runner.js';
import type { Launched, Sandbox } from './sandbox.js';

/** From SIGTERM to SIGKILL. */
const PATIENCE = 2_000;
/** From the exit to the end of reading: where nothing is contained, a daemon may hold the pipe for ever. */
const GRACE = 200;
/** Timers of Node can't wait longer. */
const LONGEST = 2_147_483_647;

type Cause = Exclude<RunEnding, 'exited'>;

/** Sees a command to its one ending; the first cause wins. */
export function supervise(
  spec: RunSpec,
  level: Sandbox['level'],
  launched: Launched,
  recorder: Recorder,
  { path, began }: Begun,
): Run {
  const since = performance.now();
  let cause: Cause | undefined;
  let over = false;
  let complete = false;
  let last: NodeJS.Timeout | undefined;
  const end = (why: Cause): void => {
    if (cause !== undefined || over) return;
    cause = why;
    launched.signal(why === 'stopped' ? 'SIGTERM' : 'SIGKILL');
    if (why === 'stopped') last = setTimeout(() => launched.signal('SIGKILL'), PATIENCE);
  };
  const limit = setTimeout(() => end('timed_out'), Math.min(spec.timeout, LONGEST));
  launched.output.on('error', () => undefined);
  launched.output.on('data', (chunk: Buffer) => {
    if (!recorder.write(chunk)) end('output_limit');
  });
  const ended = launched.exited.then(async (code): Promise<Ended> => {
    over = true;
    clearTimeout(limit);
    clearTimeout(last);
    const duration = performance.now() - since;
    await drained(launched);
    recorder.close();
    complete = true;
    return { ending: cause ?? 'exited', exit: cause === undefined ? code : null, duration };
  });
  return {
    id: spec.id,
    containment: level,
    began,
    ended,
    output: (from) => readOutput(path, recorder.total, complete, from),
    stop: end,
    log: async () => {
      await ended;
      return readForLog(path);
    },
    written: async () => {
      await ended;
      return launched.written();
    },
    dispose: async () => {
      await ended;
      await launched.dispose();
    },
  };
}

async function drained({ output }: Launched): Promise<void> {
  if (!output.readableEnded) {
    let timer: NodeJS.Timeout | undefined;
    await new Promise((resolve) => {
      output.once('close', resolve);
      timer = setTimeout(resolve, GRACE);
    });
    clearTimeout(timer);
  }
  output.destroy();
}
