import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The machine's own clock: runs evenly within one boot, alike for all processes, and stands still in suspend. */
export interface Clock {
  /** Names the boot of the machine. */
  readonly boot: string;
  /** Milliseconds since some moment of that boot, with fractions. */
  monotonic(): number;
}

/** Lock time in milliseconds, and the moment of the machine's clock at which it was that late. */
export interface LockTime {
  readonly lock: number;
  readonly mono: number;
  readonly boot: string;
}

const LONGEST_STEP = 15_000;

/**
 * At most this much lock time passes between two commits: while nobody can commit, nobody's lease runs out.
 * A quarter of the lease, so that the beats which come next come in time. `lease`: milliseconds.
 */
export function longestStep(lease: number): number {
  return Math.min(LONGEST_STEP, Math.floor(lease / 4));
}

/**
 * Lock time now. Whole milliseconds; the rest stays in `mono` and counts next time,
 * so that many quick commits do not make lock time stand still.
 *
 * @param longest milliseconds, see `longestStep`.
 */
export function advance(last: LockTime, clock: Clock, longest: number): LockTime {
  const mono = clock.monotonic();
  const passed = mono - last.mono;
  if (last.boot !== clock.boot || passed < 0) return { lock: last.lock, mono, boot: clock.boot };
  if (passed > longest) return { lock: last.lock + longest, mono, boot: clock.boot };
  const step = Math.floor(passed);
  return { lock: last.lock + step, mono: last.mono + step, boot: clock.boot };
}

export function machineClock(): Clock {
  return { boot: bootId(), monotonic: () => Number(process.hrtime.bigint() / 1_000n) / 1_000 };
}

function bootId(): string {
  try {
    if (process.platform === 'darwin') {
      return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
    }
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Lock time stays right without it: a clock that begins anew counts as no time passed.
    return 'unknown';
  }
}
